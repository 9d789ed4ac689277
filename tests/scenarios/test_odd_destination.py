"""A destination that breaks the protocol: whatever it says, nobody's mail is lost, and no client of ours is told
anything that is not well-formed."""

import socket

import pytest

from support.destination import DROP, After
from support.smtp_client import send
from support.waiting import holds, until

TIMEOUTS = {"connect": "1s", "command": "3s", "dot": "3s"}
PROBLEM = "Subject: odd {}\r\n\r\n.dot\r\n..dots\r\ntext\r\n"

# What a stage says instead of its reply. None of these is an acceptance, so the mail is kept and arrives once.
NONSENSE = {
    "banner is another protocol's": ("banner", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
    "banner of 300,000 lines": ("banner", b"220-x\r\n" * 300_000 + b"220 x\r\n"),
    "banner that is one endless line": ("banner", b"220 " + b"x" * 3_000_000),
    "banner with 1xx": ("banner", b"120 wait\r\n"),
    "banner with 3xx": ("banner", b"354 go on\r\n"),
    "half a banner, then the end": ("banner", lambda session, _: half(session, b"220 de")),
    "EHLO with two codes": ("ehlo", b"250-dest.test\r\n550 no\r\n"),
    "EHLO with nothing but an end of line": ("ehlo", b"\r\n"),
    "MAIL with 3xx": ("mail", b"354 go on\r\n"),
    "MAIL with a code of four digits": ("mail", b"2500 Ok\r\n"),
    "MAIL with NULs": ("mail", b"250\x00Ok\r\n"),
    "RCPT with 1xx": ("rcpt", b"150 hm\r\n"),
    "RCPT with 6xx": ("rcpt", b"650 hm\r\n"),
    "RCPT with half a reply, then the end": ("rcpt", lambda session, _: half(session, b"25")),
    "DATA with 250": ("data", b"250 Ok\r\n"),
    "DATA with 354 of several lines, one foreign": ("data", b"354-go\r\n250 on\r\n"),
    "an answer before the dot": ("data", b"354 go on\r\n250 2.0.0 Ok already\r\n"),
    "a refusal before the dot": ("data", b"354 go on\r\n452 4.3.1 full\r\n"),
    "the dot with 354": ("dot", b"354 more\r\n"),
    "the dot with words": ("dot", b"Thank you.\r\n"),
}


async def close_after(session, raw):
    await session.send(raw)


def half(session, raw):
    """The beginning of a reply, after which the connection ends."""
    session.destination._loop.create_task(close_after(session, raw))
    return After(0.1, DROP)


@pytest.fixture
def office(world, destination):
    gateway = world.gateway(destination, destinations={"office": {"servers": [destination.server], "timeouts": TIMEOUTS}})
    gateway.wait_probed()
    return gateway


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_keeps_the_mail(office, destination, name):
    stage, answer = NONSENSE[name]
    destination.on(stage, answer)
    destination.cut()
    content = PROBLEM.format(name).encode()
    reply, _ = send(office.port, "a@client.test", "local@example.test", content)
    assert reply.text.startswith("250 2.0.0 Ok: queued as "), reply
    office.wait_queue(1)
    destination.messages.clear()
    destination.behave()
    destination.cut()

    def hurried():
        office.ctl("queue", "retry", "--all", "--yes")
        return destination.messages
    until(hurried, "the mail arrives", 30, every=0.3)
    office.wait_queue(0)
    assert [m.body for m in destination.messages] == [content]
    office.wait_state("up")
    assert not any("panic" in text for text in office.logs().values())


# What a destination may say, oddly: it reaches the client, in good order.
WORDS = {
    "of many lines": (b"550-5.1.1 one\r\n550-5.1.1\r\n550 5.1.1 three\r\n", 550, ("5.1.1 one", "5.1.1", "5.1.1 three")),
    "with bare LF as line ends": (b"550-5.1.1 one\n550 5.1.1 two\n", 550, ("5.1.1 one", "5.1.1 two")),
    "with control characters": (b"550 5.1.1 a\x00b\x1bc\rd\r\n", 550, ("5.1.1 a?b?c?d",)),
    "with bytes over 126": (b"550 5.1.1 Empf\xc3\xa4nger unbekannt\r\n", 550, ("5.1.1 Empf??nger unbekannt",)),
    "without text": (b"550\r\n", 550, ("",)),
    "without enhanced code": (b"553 sorry, no mailbox here\r\n", 553, ("sorry, no mailbox here",)),
    "with an enhanced code of another class": (b"550 4.1.1 odd\r\n", 550, ("4.1.1 odd",)),
    "251": (b"251 2.1.5 User not local; will forward\r\n", 251, ("2.1.5 User not local; will forward",)),
    "of 3,000 lines": (b"550-5.1.1 no\r\n" * 2999 + b"550 5.1.1 no\r\n", 550, ("5.1.1 no",) * 200),
    "of 20 kB in one line": (b"550 5.1.1 " + b"x" * 20_000 + b"\r\n", 550, ("5.1.1 " + "x" * 500,)),
    "of 20 kB and more in lines": ((b"550-5.1.1 " + b"x" * 490 + b"\r\n") * 60 + b"550 5.1.1 end\r\n", 550,
                                   ("5.1.1 " + "x" * 490,) * 40 + ("5.1.1 end",)),
    "of 4,000 bytes": (b"550 5.1.1 " + b"x" * 4000 + b"\r\n", 550, ("5.1.1 " + "x" * 500,)),
}


@pytest.mark.parametrize("name", WORDS)
def test_odd_words_reach_the_client_well_formed(office, destination, name):
    raw, code, lines = WORDS[name]
    destination.on("rcpt", {"odd@example.test": raw, None: b"250 2.1.5 Ok\r\n"})
    with office.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        reply = client.rcpt("odd@example.test")
        assert (reply.code, reply.lines) == (code, lines)
        assert client.rcpt("local@example.test").code == 250
        assert client.data(b"x\r\n").text == "250 2.0.0 Taken"


def test_a_reply_that_drips(office, destination):
    """A byte every now and then is an answer, if it is whole in time."""
    def drip(session, _):
        async def drops():
            for byte in b"220-dest.test\r\n220 ESMTP":
                await session.send(bytes([byte]))
        session.destination._loop.create_task(drops())
        return After(0.5, b"\r\n")
    destination.on("banner", drip)
    destination.cut()
    assert office.send("local@example.test").text == "250 2.0.0 Taken"


def test_one_reply_too_many_is_never_taken_for_the_next_ones_answer(office, destination):
    """After two answers to one RCPT nothing on that connection can be trusted: the mail is kept instead."""
    destination.on("rcpt", {"local@example.test": b"250 2.1.5 Ok\r\n250 2.1.5 Ok\r\n", None: b"550 5.1.1 No\r\n"})
    with office.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        assert client.rcpt("local@example.test").code == 250
        assert client.rcpt("nobody@example.test").code in (451, 550)
        assert client.data(b"Subject: odd\r\n\r\nx\r\n").code == 250
    destination.behave()
    destination.cut()

    def hurried():
        office.ctl("queue", "retry", "--all", "--yes")
        return destination.messages
    until(hurried, "the mail arrives", 30, every=0.3)
    office.wait_queue(0)
    assert [m.recipients for m in destination.messages] == [["local@example.test"]]


def test_a_server_that_ends_with_a_reset_in_the_middle(office, destination):
    def reset(session, _):
        session.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        return DROP
    destination.on("data", reset)
    assert office.send("local@example.test").text.startswith("250 2.0.0 Ok: queued as ")
    office.wait_queue(1)


def test_a_client_that_cannot_wait(world, destination):
    """Where it may, it sends all at once, never reads until its end, and gets every answer in order."""
    patient = world.gateway(destination, settings={"smtpd": {"early_talkers": "allow"}})
    patient.wait_probed()
    destination.on("rcpt", lambda *_: After(0.3, b"250 2.1.5 Ok\r\n"))
    with patient.client() as client:
        client.send(b"EHLO c.test\r\nMAIL FROM:<a@client.test>\r\nRCPT TO:<local@example.test>\r\nDATA\r\n")
        client.send(b"Subject: early\r\n\r\nx\r\n.\r\nRSET\r\nFOO\r\nQUIT\r\n")
        assert [client.read().code for _ in range(8)] == [250, 250, 250, 354, 250, 250, 500, 221]
        assert client.closed()
    assert [m.body for m in destination.messages] == [b"Subject: early\r\n\r\nx\r\n"]


def test_a_client_that_goes_before_our_answer_leaves_nothing(office, destination):
    destination.on("dot", After(1, b"451 4.3.0 later\r\n"))
    client = office.client()
    client.ehlo()
    client.mail("a@client.test")
    client.rcpt("local@example.test")
    client.command("DATA")
    client.send(b"x\r\n.\r\n")
    until(lambda: destination.content_seen, "the destination has it", 10)
    client.abort()
    holds(lambda: office.queue() == [], "nothing is queued", 1.5)
