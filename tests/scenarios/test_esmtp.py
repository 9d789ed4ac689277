"""Issue 5, items 1, 2, 4: SMTPUTF8, DSN, CHUNKING and what bounds a header, through real processes."""

import pytest

from support.waiting import until

USUAL = ["PIPELINING", "SIZE 52428800", "8BITMIME", "ENHANCEDSTATUSCODES"]
BODY = b"Subject: x\r\n\r\nx\r\n"


def as_seen(text):
    """UTF-8 as the scripted destination writes it down."""
    return text.encode().decode("latin-1")


def offers(reply):
    return {line.split(" ")[0] for line in reply.lines}


def utf8_destination(world, *more):
    destination = world.destination(start=False)
    destination.capabilities = USUAL + ["SMTPUTF8", *more]
    return destination.start()


def utf8_gateway(world, destination, **options):
    domains = {"xn--bcher-kva.test": {"destination": "office", "local_recipients": ["jürgen@bücher.test"]}}
    gateway = world.gateway(destination, domains=domains, **options)
    gateway.wait_probed()
    return gateway


def send_utf8(client, recipient, sender="ä@kunde.test", params=" SMTPUTF8"):
    mail = client.command(f"MAIL FROM:<{sender}>{params}".encode())
    return mail if mail.code != 250 else client.command(f"RCPT TO:<{recipient}>".encode())


def test_smtputf8_goes_through_word_for_word(world):
    destination = utf8_destination(world)
    gateway = utf8_gateway(world, destination)
    with gateway.client() as client:
        assert "SMTPUTF8" in offers(client.ehlo())
        assert send_utf8(client, "Jürgen@bücher.test").code == 250
        content = "Subject: Grüße\r\n\r\nä\r\n".encode()
        assert client.data(content).code == 250
        (message,) = destination.wait_for(1)
        assert client.command("MAIL FROM:<a@b.test>".encode()).code == 250
        assert client.command("RCPT TO:<jürgen@bücher.test>".encode()).text.startswith("553 5.6.7")
    assert message.sender == as_seen("ä@kunde.test")
    assert message.recipients == [as_seen("Jürgen@bücher.test")]
    assert "SMTPUTF8" in message.mail_params
    assert message.body == content
    assert " with UTF8SMTP id " in message.received
    assert as_seen("for <Jürgen@bücher.test>") in message.received.encode().decode("latin-1")


def test_smtputf8_is_kept_and_delivered(world):
    destination = utf8_destination(world)
    gateway = utf8_gateway(world, destination)
    destination.close()
    gateway.wait_state("down")
    with gateway.client() as client:
        assert "SMTPUTF8" in offers(client.ehlo())
        assert send_utf8(client, "jürgen@bücher.test").code == 250
        assert client.data(BODY).text.startswith("250 2.0.0 Ok: queued as ")
    (row,) = gateway.wait_queue(1) and gateway.queue()
    assert row["recipients"][0]["address"] == "jürgen@bücher.test"
    destination.start()
    (message,) = destination.wait_for(1)
    assert message.sender == as_seen("ä@kunde.test")
    assert "SMTPUTF8" in message.mail_params


def test_international_addresses_are_the_admins_too(world, tmp_path):
    """What the configuration knows and the queue keeps, gatewayctl can name: check, add, deny, remove, import, export."""
    destination = utf8_destination(world)
    gateway = utf8_gateway(world, destination)
    assert gateway.ctl("rcpt", "check", "jürgen@bücher.test").returncode == 0
    assert gateway.json("rcpt", "add", "Ümit@bücher.test")[0]["changed"] == 1
    assert gateway.ctl("rcpt", "check", "Ümit@xn--bcher-kva.test").returncode == 0
    file = tmp_path / "list"
    file.write_text("märz@bücher.test\n")
    assert gateway.json("rcpt", "import", file)[0]["changed"] == 1
    assert gateway.json("rcpt", "deny", "märz@bücher.test")[0]["changed"] == 1
    assert gateway.json("rcpt", "remove", "märz@bücher.test")[0]["changed"] == 1
    for wrong in ("ü@elsewhere.test", "x@bücher.elsewhere.test"):
        assert gateway.ctl("rcpt", "add", wrong).returncode == 67
    destination.close()
    gateway.wait_state("down")
    with gateway.client() as client:
        client.ehlo()
        assert send_utf8(client, "Ümit@bücher.test").code == 250
        assert client.data(BODY).text.startswith("250 2.0.0 Ok: queued as ")
    gateway.wait_queue(1)
    assert gateway.json("queue", "export", "--all", "--to", tmp_path / "mail")[0]["exported"] == 1
    assert gateway.json("queue", "delete", "--all", "--yes")[0]["changed"] == 1
    assert gateway.json("queue", "import", tmp_path / "mail")[-1] == {"imported": 1, "failed": 0, "skipped": 0}
    destination.start()
    (message,) = destination.wait_for(1)
    assert (message.sender, message.recipients) == (as_seen("ä@kunde.test"), [as_seen("Ümit@bücher.test")])
    assert "SMTPUTF8" in message.mail_params


def test_smtputf8_is_refused_where_the_destination_lacks_it(world, destination):
    """Item 2: at MAIL, where there is one destination and EHLO offers nothing; at RCPT, where there are more."""
    gateway = utf8_gateway(world, destination)
    with gateway.client() as client:
        assert "SMTPUTF8" not in offers(client.ehlo())
        assert client.command("MAIL FROM:<a@b.test> SMTPUTF8").text.startswith("555 5.5.4")
    other = world.destination()
    both = world.gateway(destinations={"a": {"servers": [destination.server]}, "b": {"servers": [other.server]}},
                         domains={"example.test": {"destination": "a", "local_recipients": ["local"]},
                                  "other.test": {"destination": "b"}})
    both.wait_probed()
    with both.client() as client:
        assert "SMTPUTF8" in offers(client.ehlo())
        assert send_utf8(client, "local@example.test").text.startswith("550 5.6.7")
        assert client.command("RSET").code == 250
        destination.close()
        both.wait_state("down", name="a")
        assert send_utf8(client, "local@example.test").text.startswith("550 5.6.7"), "nor is it kept"
    assert destination.messages == [] and both.queue() == []


def test_what_the_destination_has_lost_since(world):
    """Kept with SMTPUTF8, or within the size that was announced; the server that comes back can neither. What needs it is
    bounced by itself, without harm to the rest; what is ASCII goes without SMTPUTF8."""
    destination, relay = utf8_destination(world), world.destination()
    gateway = utf8_gateway(world, destination, settings={"bounces": {"relay": relay.server}})
    destination.close()
    gateway.wait_state("down")
    ascii_only, big = b"Subject: plain\r\n\r\n\xc3\xa4\r\n", b"Subject: big\r\n\r\n" + b"x" * 70 * 1000 + b"\r\n"
    with gateway.client() as client:
        client.ehlo()
        for sender, recipient, content in [("a@kunde.test", "jürgen@bücher.test", BODY), ("b@kunde.test", "postmaster@xn--bcher-kva.test", big),
                                           ("c@kunde.test", "postmaster@xn--bcher-kva.test", ascii_only)]:
            assert send_utf8(client, recipient, sender).code == 250
            assert "queued as" in client.data(content).text
    gateway.wait_queue(3)
    destination.capabilities = ["PIPELINING", "SIZE 60000"]
    destination.start()
    gateway.wait_queue(0)
    gateway.wait_state("up")
    (message,) = destination.messages
    assert message.body == ascii_only and "SMTPUTF8" not in message.mail_params
    assert destination.saw("MAIL FROM:<a@") == destination.saw("MAIL FROM:<b@") == []
    reports = {m.recipients[0]: m.content for m in relay.wait_for(2)}
    assert b"Status: 5.6.7" in reports["a@kunde.test"] and b"Status: 5.3.4" in reports["b@kunde.test"]


def test_what_ehlo_offers_follows_the_destination_while_it_is_up(world):
    destination = world.destination(start=False)
    destination.capabilities = ["PIPELINING", "SIZE 60000"]
    gateway = world.gateway(destination.start())
    gateway.wait_probed()
    with gateway.client() as client:
        lines = client.ehlo().lines
        assert "SIZE 60000" in lines and "8BITMIME" not in lines and "SMTPUTF8" not in lines
        assert client.command("MAIL FROM:<a@b.test> SIZE=60001").code == 552
        assert client.command("MAIL FROM:<a@b.test> SIZE=60000").code == 250


def test_a_size_that_the_destination_does_not_take_is_refused_before_the_content(world, destination):
    """Item 2, where EHLO cannot tell since there are more destinations: at RCPT, also while it is down."""
    small, other = world.destination(start=False), destination
    small.capabilities = ["SIZE 1000"]
    gateway = world.gateway(destinations={"a": {"servers": [small.start().server]}, "b": {"servers": [other.server]}},
                            domains={"example.test": {"destination": "a", "local_recipients": ["local"]},
                                     "other.test": {"destination": "b"}})
    gateway.wait_probed()
    small.close()
    gateway.wait_state("down", name="a")
    with gateway.client() as client:
        client.ehlo()
        assert client.command("MAIL FROM:<a@b.test> SIZE=1001").code == 250
        assert client.rcpt("local@example.test").text.startswith("552 5.3.4")
        client.command("RSET")
        assert client.command("MAIL FROM:<a@b.test> SIZE=1000").code == 250
        assert client.rcpt("local@example.test").code == 250


@pytest.mark.parametrize("kept", [False, True], ids=["live", "kept"])
@pytest.mark.parametrize("dsn", [True, False], ids=["dsn", "no-dsn"])
def test_dsn_parameters_go_on_where_they_are_offered(world, kept, dsn):
    destination = world.destination(start=False)
    destination.capabilities = USUAL + (["DSN"] if dsn else [])
    gateway = world.gateway(destination.start())
    gateway.wait_probed()
    if kept:
        destination.close()
        gateway.wait_state("down")
    with gateway.client() as client:
        assert {"DSN", "CHUNKING", "LIMITS"} <= offers(client.ehlo())
        assert client.mail("a@client.test", "RET=HDRS ENVID=QQ+2B1").code == 250
        assert client.command("RCPT TO:<local@example.test> NOTIFY=FAILURE,DELAY ORCPT=rfc822;L@e.test").code == 250
        assert client.data(BODY).code == 250
    destination.start()
    (message,) = destination.wait_for(1)
    (rcpt,) = [c.text for c in destination.saw("RCPT TO:<local@") if c.connection == message.connection][-1:]
    if dsn:
        assert message.mail_params.endswith("RET=HDRS ENVID=QQ+2B1")
        assert rcpt.endswith("> NOTIFY=FAILURE,DELAY ORCPT=rfc822;L@e.test")
    else:
        assert "RET" not in message.mail_params and "ENVID" not in message.mail_params
        assert rcpt.endswith(">")


CHUNKS = [b"Subject: chunks\r\n\r\n", b".\r\n..", b"two\r", b"\n", b"", b"no end"]


def send_chunks(client, chunks):
    client.send(b"".join(b"BDAT %d%s\r\n%s" % (len(c), b" LAST" if i + 1 == len(chunks) else b"", c)
                         for i, c in enumerate(chunks)))
    return [client.read() for _ in chunks]


@pytest.mark.parametrize("kept", [False, True], ids=["live", "kept"])
def test_content_by_bdat_arrives_byte_for_byte(gateway, destination, kept):
    if kept:
        destination.close()
        gateway.wait_state("down")
    with gateway.client() as client:
        client.ehlo()
        for chunks in (CHUNKS, CHUNKS[:3] + [b"\n", b""]):
            assert client.mail("a@client.test").code == 250
            assert client.rcpt("local@example.test").code == 250
            assert [r.code for r in send_chunks(client, chunks)] == [250] * len(chunks)
    destination.start()
    first, second = destination.wait_for(2)
    assert sorted([first.body, second.body]) == sorted(
        [b"".join(CHUNKS) + b"\r\n", b"Subject: chunks\r\n\r\n.\r\n..two\r\n"])


def test_rset_between_chunks_leaves_nothing(gateway, destination):
    with gateway.client() as client:
        client.ehlo()
        for _ in range(2):
            assert client.mail("a@client.test").code == 250
            assert client.rcpt("local@example.test").code == 250
            client.send(b"BDAT 3\r\nx\r\n")
            assert client.read().text == "250 2.0.0 3 octets received"
            assert client.command("RSET").code == 250
        assert client.mail("a@client.test").code == 250
        assert client.rcpt("local@example.test").code == 250
        client.send(b"BDAT 17 LAST\r\n" + BODY[:17])
        assert client.read().code == 250
    (message,) = destination.wait_for(1)
    assert message.body == BODY[:17]


def test_our_header_fields_are_taken_out_of_strangers_mail(gateway, destination):
    content = b"From: a@b.test\r\nX-Holdfast-Unfiltered: no\r\n\tindeed\r\nSubject: x\r\n\r\nX-Holdfast-Body: stays\r\n"
    assert gateway.send("local@example.test", content=content).code == 250
    (message,) = destination.wait_for(1)
    assert message.body == b"From: a@b.test\r\nSubject: x\r\n\r\nX-Holdfast-Body: stays\r\n"


def test_headers_have_bounds(world, destination):
    gateway = world.gateway(destination, settings={
        "smtpd": {"header_size_limit": "16KiB", "max_header_fields": 100, "max_hops": 10}})
    gateway.wait_probed()

    def send(header):
        return gateway.send("local@example.test", content=header + b"\r\nbody\r\n")

    hop = b"Received: from a by b;\r\n\tMon, 1 Jan 2026 00:00:00 +0000\r\n"
    assert send(hop * 10).code == 250
    assert send(hop * 11).text.startswith("554 5.4.6")
    assert send(b"X-A: b\r\n" * 100).code == 250
    assert send(b"X-A: b\r\n" * 101).text.startswith("552 5.3.4")
    assert send((b"X-A: " + b"b" * 900 + b"\r\n") * 17).code == 250
    assert send((b"X-A: " + b"b" * 900 + b"\r\n") * 19).text.startswith("552 5.3.4")
    assert send(b"X-A: b\r\n\r\n" + b"x" * 100000).code == 250, "of the header, not of the message"
    until(lambda: len(destination.messages) == 4, "the four that were accepted have come")
