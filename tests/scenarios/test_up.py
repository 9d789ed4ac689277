"""Issue 2, "up": while the destination answers, its words reach the client and the spool holds nothing."""

import os
import random

import pytest

from support.destination import HANG
from support.smtp_client import Closed, SmtpClient
from support.waiting import holds, until

BODY = b"Subject: x\r\n\r\nx\r\n"


def assert_spool_empty(gateway):
    assert gateway.queue() == []
    assert gateway.segment_bytes() < 2 * 4096 * 8, "segment headers at most"


@pytest.mark.parametrize("words", [
    "250 2.1.5 Bob is here",
    "250-2.1.5 Bob is here\n250 2.1.5 and glad of it",
    "251 2.1.5 Bob is elsewhere, we shall forward",
    "450 4.2.1 Bob is busy",
    "451 Try later",
    "452 4.2.2 Bob's mailbox is full",
    "550 5.1.1 No such bob",
    "550-5.7.1 This is why:\n550 5.7.1 see https://example.test/why",
    "554 No",
])
def test_words_at_rcpt_reach_the_client(gateway, destination, words):
    destination.on("rcpt", {"stranger@example.test": words})
    with gateway.client() as client:
        client.ehlo()
        assert client.mail("a@client.test").code == 250
        reply = client.rcpt("stranger@example.test")
    expected = words.split("\n")
    assert [f"{reply.code}", *reply.lines] == [expected[-1][:3], *(line[4:] for line in expected)]
    assert_spool_empty(gateway)


@pytest.mark.parametrize("words", [
    "250 2.0.0 Ok: queued as 4711",
    "250-2.0.0 Taken\n250 2.0.0 with thanks",
    "550 5.7.1 We do not like this content",
    "552 5.2.2 Mailbox full",
    "554 Transaction failed",
    "450 4.7.1 Greylisted, come again in 5 minutes",
    "451 4.7.650 The mail server has been temporarily rate limited",
])
def test_words_after_the_dot_reach_the_client(gateway, destination, words):
    destination.on("dot", words)
    reply = gateway.send("local@example.test")
    expected = words.split("\n")
    assert [f"{reply.code}", *reply.lines] == [expected[-1][:3], *(line[4:] for line in expected)]
    assert_spool_empty(gateway)


def test_words_at_mail_reach_the_client(gateway, destination):
    """A 5xx at MAIL answers this and later RCPTs (design, section 3)."""
    destination.on("mail", {"bad@client.test": "553 5.1.8 We know no client.test", None: "250 2.1.0 Ok"})
    with gateway.client() as client:
        client.ehlo()
        assert client.mail("bad@client.test").code == 250
        for _ in range(2):
            assert client.rcpt("local@example.test").text == "553 5.1.8 We know no client.test"
        assert client.command("DATA").code in (503, 554)
        assert client.command("RSET").code == 250
        assert client.mail("good@client.test").code == 250
        assert client.rcpt("local@example.test").code == 250
    assert_spool_empty(gateway)


def contents():
    rng = random.Random(2026)
    lines = b"".join(b"l" * n + b"\r\n" for n in [*range(1, 100), 510, 511, 512, 997, 998, 999, 1000, 2047, 2048, 4095,
                                                  4096, 4097, 8191, 8192, 9999, 10000])
    eight_bit = bytes(b for b in range(256) if b not in (10, 13)) * 40
    return {
        "nothing": b"",
        "one byte": b"x",
        "one empty line": b"\r\n",
        "100 KiB": rng.randbytes(100 * 1024).replace(b"\r", b"-").replace(b"\n", b"-"),
        "lines of 1 to 10,000 bytes": lines,
        "dots": b".\r\n..\r\n...\r\n.x\r\n\r\n.\r\n. \r\nx.\r\n.\r\n",
        "a dot alone": b".",
        "8-bit bytes and NUL": eight_bit + b"\r\n" + eight_bit,
        "no CRLF at the end": b"Subject: x\r\n\r\nthe end",
        "headers only": b"Subject: x\r\nFrom: a@b\r\n",
        "looks like an end": b"x\r\n.\r\nQUIT\r\n",
        "25 MiB": b"".join(rng.randbytes(57).hex().encode() + b"\r\n" for _ in range(25 * 1024 * 1024 // 116)),
    }


@pytest.mark.parametrize("name", list(contents()))
def test_content_arrives_byte_for_byte(gateway, destination, name):
    content = contents()[name]
    assert gateway.send("local@example.test", content=content, params="BODY=8BITMIME").code == 250
    got = destination.wait_for(1)[0]
    sent = content if content.endswith(b"\r\n") or not content else content + b"\r\n"
    assert got.body == sent
    assert got.content.count(b"Received:") - sent.count(b"Received:") == 1
    received = got.received
    assert received.startswith("Received: from client.test (")
    assert "[127.0.0.1]) by mx.example.test (Holdfast) with ESMTP id " in received
    assert "for <local@example.test>; " in received
    assert_spool_empty(gateway)


def test_recipients_share_one_transaction(gateway, destination):
    destination.on("rcpt", {"no@example.test": "550 5.1.1 No", None: "250 2.1.5 Ok"})
    recipients = [f"r{i}@example.test" for i in range(20)] + ["no@example.test", "last@example.test"]
    with gateway.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        replies = [client.rcpt(recipient) for recipient in recipients]
        assert client.data(BODY).code == 250
    assert [reply.code for reply in replies] == [250] * 20 + [550, 250]
    (message,) = destination.wait_for(1)
    assert message.recipients == [r for r in recipients if r != "no@example.test"]
    assert "for <" not in message.received, "the others are nobody's business"


def test_connections_are_kept_and_reused(gateway, destination):
    destination.messages.clear()
    with gateway.client() as client:
        client.ehlo()
        for _ in range(30):
            assert client.mail("a@client.test").code == 250
            assert client.rcpt("local@example.test").code == 250
            assert client.data(BODY).code == 250
    messages = destination.wait_for(30)
    assert len({message.connection for message in messages}) == 1
    for _ in range(20):
        assert gateway.send("local@example.test").code == 250
    assert len({message.connection for message in destination.messages}) <= 4, "a few a worker at most"


def test_a_kept_connection_that_has_died_is_replaced(gateway, destination):
    for _ in range(5):
        assert gateway.send("local@example.test").code == 250
        destination.cut()
        assert gateway.send("local@example.test").text == "250 2.0.0 Taken"
    assert len(destination.messages) == 10
    assert gateway.state() == "up"


def test_a_kept_connection_that_dies_at_mail_is_replaced_once(gateway, destination):
    from support.destination import DROP
    assert gateway.send("local@example.test").code == 250
    destination.on("mail", lambda session, sender: DROP if session.messages else None)
    assert gateway.send("local@example.test").text == "250 2.0.0 Taken"


def test_a_transaction_has_one_destination(world):
    first, second = world.destination(), world.destination()
    gateway = world.gateway(destinations={"one": {"servers": [first.server]}, "two": {"servers": [second.server]}},
                            domains={"one.test": {"destination": "one"}, "two.test": {"destination": "two"}})
    gateway.wait_state("up", name="one")
    gateway.wait_state("up", name="two")
    with gateway.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        assert client.rcpt("x@one.test").code == 250
        assert client.rcpt("y@two.test").text.startswith("452 4.5.3 ")
        assert client.rcpt("z@one.test").code == 250
        assert client.data(BODY).code == 250
        client.mail("a@client.test")
        assert client.rcpt("y@two.test").code == 250
        assert client.data(BODY).code == 250
    assert first.wait_for(1)[0].recipients == ["x@one.test", "z@one.test"]
    assert second.wait_for(1)[0].recipients == ["y@two.test"]


def test_a_foreign_domain_is_not_relayed(gateway, destination):
    with gateway.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        for recipient in ("x@elsewhere.test", "x@sub.example.test", "x%elsewhere.test@other.test", '"x@example.test"@other.test'):
            assert client.rcpt(recipient).text.startswith("554 5.7.1 "), recipient
        assert client.command("RCPT TO:<@example.test:x@elsewhere.test>").code == 554
        assert client.rcpt("x@EXAMPLE.Test").code == 250
    assert not any("elsewhere" in command.text for command in destination.commands)


def test_a_denied_recipient_is_refused(gateway, destination):
    assert gateway.ctl("rcpt", "deny", "Spamtrap@example.test").returncode == 0
    with gateway.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        until(lambda: client.rcpt("spamtrap@example.test").text.startswith("550 5.1.1 "), "it is refused")
        destination.close()
        assert client.rcpt("spamTRAP@example.test").text.startswith("550 5.1.1 ")
    assert gateway.ctl("rcpt", "remove", "spamtrap@example.test").returncode == 0


def test_an_accepted_recipient_is_learnt_and_a_252_teaches_nothing(gateway, destination):
    destination.on("rcpt", {"maybe@example.test": "252 2.1.5 Cannot tell", None: "250 2.1.5 Ok"})
    assert gateway.send("maybe@example.test").code == 250
    assert gateway.send("Sure@Example.Test").code == 250
    gateway.wait_learnt("sure@example.test")
    assert destination.messages[-1].recipients == ["Sure@Example.Test"], "mail goes on as it was written"
    assert gateway.learnt() == {"sure@example.test"}


def test_a_message_over_the_limit(world, destination):
    gateway = world.gateway(destination, settings={"smtpd": {"message_size_limit": "1MiB"}})
    gateway.wait_probed()
    with gateway.client() as client:
        assert any(line.startswith("SIZE 1048576") for line in client.ehlo().lines)
        assert client.mail("a@client.test", "SIZE=1048577").text.startswith("552 5.3.4 ")
        client.mail("a@client.test")
        client.rcpt("local@example.test")
        assert client.data(b"x" * 998 * 1100 + b"\r\n").text.startswith("552 5.3.4 ")
        client.mail("a@client.test", "SIZE=1000")
        client.rcpt("local@example.test")
        assert client.data(BODY).code == 250
    assert len(destination.wait_for(1)) == 1
    assert_spool_empty(gateway)


@pytest.mark.parametrize("raw", [b"a\nb\r\n", b"a\rb\r\n", b"x\n.\nMAIL FROM:<evil@x.test>\r\n", b"x\r\n.\nQUIT\r\n",
                                 b"x\n.\r\nQUIT\r\n", b"x\r.\r\nQUIT\r\n"])
def test_bare_newlines_are_refused_and_end_nothing(gateway, destination, raw):
    with gateway.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        client.rcpt("local@example.test")
        assert client.command("DATA").code == 354
        client.send(raw + b"\r\n.\r\n")
        assert client.read().text.startswith("550 5.6.11 ")
        assert client.command("NOOP").code == 250
    assert destination.messages == []


def test_bare_newlines_can_be_normalised(world, destination):
    gateway = world.gateway(destination, settings={"smtpd": {"bare_newline": "normalize"}})
    gateway.wait_probed()
    with gateway.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        client.rcpt("local@example.test")
        client.command("DATA")
        client.send(b"a\nb\rc\r\n.\nd\r\n.\r\n")
        assert client.read().code == 250
    assert destination.wait_for(1)[0].body == b"a\r\nb\r\nc\r\n\r\nd\r\n"


def test_pipelining_in_every_split(gateway, destination):
    whole = (b"MAIL FROM:<a@client.test>\r\nRCPT TO:<local@example.test>\r\nDATA\r\n")
    rng = random.Random(7)
    for round_ in range(10):
        with gateway.client() as client:
            client.ehlo()  # the last in its group (RFC 2920 section 3.1)
            rest = whole
            while rest:
                cut = rng.randint(1, len(rest))
                client.send(rest[:cut])
                rest = rest[cut:]
            assert [client.read().code for _ in range(3)] == [250, 250, 354]
            client.send(b"x\r\n.\r\nMAIL FROM:<b@client.test>\r\nRCPT TO:<local@example.test>\r\nRSET\r\nNOOP\r\nQUIT\r\n")
            assert [client.read().code for _ in range(6)] == [250, 250, 250, 250, 250, 221]
            assert client.closed()
    assert len(destination.messages) == 10


def test_what_is_not_mail_is_answered(gateway):
    with gateway.client() as client:
        assert client.banner.text.startswith("220 mx.example.test ")
        assert client.command("MAIL FROM:<a@b.test>").code == 503
        keywords = {line.split()[0] for line in client.ehlo().lines[1:]}
        assert {"PIPELINING", "SIZE", "8BITMIME", "ENHANCEDSTATUSCODES", "CHUNKING", "DSN", "LIMITS"} <= keywords
        assert not keywords & {"STARTTLS", "SMTPUTF8", "AUTH"}, "no certificate; the destination has no SMTPUTF8"
        assert client.command("VRFY bob").code == 252
        assert client.command("HELP").code == 214
        assert client.command("NOOP").code == 250
        assert client.command("XYZZY").code == 500
        assert client.command("RCPT TO:<local@example.test>").code == 503
        assert client.command("DATA").code == 503
        assert client.command("MAIL FROM:<a@b.test> SMTPUTF8").code == 555
        assert client.command("RSET").code == 250
        assert client.command("HELO again").code == 250
        assert client.command("QUIT").code == 221
        assert client.closed()


def test_a_client_that_leaves_before_its_250_leaves_nothing(gateway, destination):
    """Its message may have arrived, but it is not kept for another delivery."""
    destination.on("dot", HANG)
    client = gateway.client()
    client.ehlo()
    client.mail("a@client.test")
    client.rcpt("local@example.test")
    client.command("DATA")
    client.send(BODY + b".\r\n")
    until(lambda: destination.content_seen, "the content is at the destination")
    client.abort()
    destination.cut()
    destination.behave()
    holds(lambda: gateway.queue() == [], "nothing is queued", 1.5)
    assert destination.messages == []


def test_a_client_that_dies_within_data_leaves_nothing(gateway, destination):
    client = gateway.client()
    client.ehlo()
    client.mail("a@client.test")
    client.rcpt("local@example.test")
    client.command("DATA")
    client.send(b"x" * 100000)
    client.abort()
    assert gateway.send("local@example.test").code == 250
    assert len(destination.wait_for(1)) == 1
    assert gateway.queue() == []


def test_a_slow_client_keeps_no_upstream_transaction_waiting(world, destination):
    """An upstream transaction that waits over 30 s for a client's DATA is reset and replayed before the dot."""
    gateway = world.gateway(destination)
    gateway.wait_probed()
    with gateway.client(timeout=60) as client:
        client.ehlo()
        client.mail("a@client.test")
        assert client.rcpt("local@example.test").code == 250
        (first,) = destination.saw("MAIL FROM:<a@client.test>")
        until(lambda: destination.saw("RSET", first.connection), "the transaction is reset", 45, every=0.5)
        assert client.data(BODY).text == "250 2.0.0 Taken"
    assert len(destination.saw("MAIL FROM:<a@client.test>")) == 2
    (message,) = destination.wait_for(1)
    assert message.recipients == ["local@example.test"]


def test_garbage_from_a_client_costs_nothing(gateway):
    rng = random.Random(5)
    before = gateway.pids("smtpd")
    for _ in range(20):
        client = SmtpClient(gateway.port, timeout=5)
        try:
            client.send(rng.randbytes(20000))
            client.send(b"\r\nQUIT\r\n")
            while True:
                client.read()
        except (Closed, ConnectionError, TimeoutError):
            pass
        client.close()
    assert gateway.send("local@example.test").code == 250
    assert gateway.pids("smtpd") == before
    assert os.path.exists(f"/proc/{before[0]}")
