"""The peers that scenarios rely on do what the scenarios think they do."""

import pytest

from support.destination import DROP, HANG, Cut, Destination
from support.peers import RealPostfix, SmtpSink, needs_root, pflogsumm, smtp_source, swaks
from support.smtp_client import Closed, SmtpClient, send
from support.waiting import until


def test_the_destination_keeps_every_byte(destination):
    for content in (b"", b"x", b".\r\n..\r\n...x\r\n\r\n", bytes(range(128, 256)) + b"\r\n", b"y" * 100000):
        assert send(destination.port, "a@b.test", "c@d.test", content)[0].code == 250
        expected = content if content.endswith(b"\r\n") or not content else content + b"\r\n"
        assert destination.messages[-1].content == expected
    assert not destination.faults


def test_the_destination_obeys_its_rules(destination):
    destination.on("rcpt", {"bad@d.test": "550 5.1.1 No", None: "250 2.1.5 Yes"}).on("dot", "450 4.2.0 Later")
    reply, (bad, good) = send(destination.port, "a@b.test", ["bad@d.test", "good@d.test"])
    assert (bad.text, good.text, reply.text) == ("550 5.1.1 No", "250 2.1.5 Yes", "450 4.2.0 Later")
    assert not destination.messages and len(destination.content_seen) == 1
    for stage, action in (("dot", DROP), ("content", Cut(10)), ("banner", "421 Busy"), ("banner", DROP)):
        destination.behave()
        destination.on(stage, action)
        with pytest.raises((Closed, ConnectionError, AssertionError)):
            reply = send(destination.port, "a@b.test", "c@d.test", b"x" * 1000)[0]
            assert reply.code == 250
    destination.behave()
    assert send(destination.port, "a@b.test", "c@d.test")[0].code == 250


def test_the_destination_goes_and_comes_back(destination):
    destination.close()
    with pytest.raises(ConnectionRefusedError):
        SmtpClient(destination.port)
    destination.silence()
    with pytest.raises(TimeoutError):
        SmtpClient(destination.port, timeout=0.5)
    destination.start()
    destination.on("banner", HANG)
    with pytest.raises(TimeoutError):
        SmtpClient(destination.port, timeout=0.5)
    destination.behave()
    SmtpClient(destination.port).quit()


def test_the_destination_sees_what_a_client_does_wrong():
    wrong = Destination().start()
    client = SmtpClient(wrong.port)
    client.send(b"EHLO x\n")
    client.read()
    client.mail("a@b.test")
    client.rcpt("c@d.test")
    client.send(b"DATA\r\ntoo early\nbare\r\n.\r\n")
    client.read()
    client.read()
    assert len(wrong.faults) == 3
    client.close()
    wrong.stop()


def test_smtp_source_and_smtp_sink():
    sink = SmtpSink().start()
    try:
        assert smtp_source(sink.port, messages=20, sessions=4).returncode == 0
        until(lambda: sink.count() == 20, "smtp-sink has them all")
        done = swaks(sink.port, "--to", "x@example.test", "--from", "y@example.test")
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        sink.stop()


@needs_root
def test_postfix_takes_mail_and_pflogsumm_counts_it():
    postfix = RealPostfix().start()
    try:
        reply, replies = send(postfix.port, "a@b.test", ["bob@example.test", "no@example.test"])
        assert reply.code == 250
        assert replies[1].text.startswith("550 5.1.1 <no@example.test>")
        until(lambda: postfix.mail("bob"), "the mailbox has it")
        until(lambda: "removed" in postfix.log(), "the log is complete")
        totals = pflogsumm(postfix.folder / "mail.log", name="postfix")
        assert (totals["received"], totals["delivered"], totals["rejected"]) == (1, 1, 1)
    finally:
        postfix.stop()
