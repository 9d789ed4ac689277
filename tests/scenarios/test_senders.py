"""Issue 2: a destination that refuses a sender makes us forget nobody; greylisting stays the sender's business;
catch-all destinations teach nothing."""

import pytest

from support.forwarder import Forwarder
from support.peers import RealPostfix, needs_root
from support.waiting import holds, until


@pytest.mark.parametrize("words", ["554 5.7.1 <bad@client.test>: Sender address rejected: Access denied",
                                   "550 5.7.1 Sender address rejected",
                                   "550 Sender rejected",
                                   "550 5.1.1 <bad@client.test> is not welcome"])
def test_a_refused_sender_makes_nobody_forgotten(gateway, destination, words):
    recipients = [f"learnt{n}@example.test" for n in range(3)]
    gateway.teach(destination, *recipients)
    destination.on("rcpt", lambda session, recipient: words if session.sender == "bad@client.test" else None)
    for recipient in recipients:
        for _ in range(2):
            assert gateway.send(recipient, sender="bad@client.test").text == words
    holds(lambda: set(recipients) <= gateway.learnt() and gateway.state() == "up", "all are known, it is up", 4)
    assert gateway.send(recipients[0], sender="good@client.test").text == "250 2.0.0 Taken"
    destination.close()
    assert gateway.send(recipients[0]).text.startswith("250 2.0.0 Ok: queued as ")


def test_a_refused_known_recipient_is_asked_for_by_the_prober(gateway, destination):
    gateway.teach(destination, "gone@example.test", "here@example.test")
    destination.on("rcpt", {"gone@example.test": "550 5.1.1 No such user", None: "250 2.1.5 Ok"})
    assert gateway.send("gone@example.test").text == "550 5.1.1 No such user"

    def asked():
        for mail in destination.saw("MAIL FROM:<>"):
            if any("gone@example.test" in c.text for c in destination.saw("RCPT", mail.connection)):
                return True
        return False
    until(asked, "it asks by itself, from <>", 15)
    assert "gone@example.test" in gateway.learnt(), "one refusal forgets nobody"


@pytest.mark.parametrize("words", ["450 4.7.1 <x>: Recipient address rejected: Greylisted, see http://x.test/",
                                   "451 4.7.1 Greylisting in action, please come back later",
                                   "450 4.1.8 <a@client.test>: Sender address rejected: Domain not found",
                                   "450 Greylisted for 300 seconds"])
@pytest.mark.parametrize("stage", ["rcpt", "mail"])
def test_greylisting_stays_the_senders_business(gateway, destination, words, stage):
    gateway.teach(destination, "learnt@example.test")
    destination.on(stage, lambda session, argument: words if (session.sender or argument) == "new@client.test" else None)
    for recipient in ("learnt@example.test", "local@example.test", "stranger@example.test"):
        assert gateway.send(recipient, sender="new@client.test").text == words
    assert gateway.queue() == []
    assert gateway.state() == "up"
    assert "learnt@example.test" in gateway.learnt()


def test_a_4xx_that_is_no_policy_keeps_a_known_recipients_mail(gateway, destination):
    destination.on("rcpt", "450 4.2.1 Mailbox busy")
    with gateway.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        assert client.rcpt("local@example.test").code == 250
        assert client.data(b"Subject: x\r\n\r\nx\r\n").text.startswith("250 2.0.0 Ok: queued as ")
    assert gateway.send("stranger@example.test").text == "450 4.2.1 Mailbox busy"
    gateway.wait_queue(1)


def test_a_catch_all_destination_teaches_nothing(world, destination):
    destination.catch_all = True
    gateway = world.gateway(destination)
    gateway.wait_probed()
    assert gateway.status()["domains"][0]["catch_all"] is True
    assert gateway.send("anything@example.test").code == 250
    holds(lambda: not gateway.learnt(), "nothing is learnt", 2.5)
    destination.close()
    assert gateway.send("anything@example.test").text.startswith("451 4.4.1 ")
    assert gateway.send("local@example.test").text.startswith("250 2.0.0 Ok: queued as ")
    gateway.wait_queue(1)


def test_a_catch_all_that_fails_after_rcpt_gives_a_4xx(world, destination):
    """Its acceptance of a stranger says nothing, so that we cannot answer for the mail."""
    destination.catch_all = True
    gateway = world.gateway(destination)
    gateway.wait_probed()
    assert gateway.status()["domains"][0]["catch_all"] is True
    destination.on("dot", "451 4.3.0 Disk trouble")
    reply = gateway.send("anything@example.test")
    assert 400 <= reply.code < 500
    assert gateway.send("local@example.test").text.startswith("250 2.0.0 Ok: queued as ")


def test_points_back_at_us(world):
    """A destination that is ourselves, by a road that no configuration shows, is found out."""
    gateway = world.gateway("127.0.0.1:1", start=False)
    forwarder = world.keep(Forwarder(gateway.port))
    gateway.config["destinations"]["office"]["servers"] = [forwarder.server]
    gateway.write_config()
    gateway.start()
    down = gateway.wait_state("down")
    assert "points back at us" in down["reason"]
    assert gateway.send("stranger@example.test").code == 451


@needs_root
def test_a_real_postfix_is_a_destination(world):
    """Mail arrives, its words reach the client, it dies and comes back, its sender restrictions forget nobody."""
    # permit_mynetworks stands in the recipient restrictions only: we are one of its networks.
    postfix = world.keep(RealPostfix(
        smtpd_sender_restrictions="check_sender_access inline:{{bad@client.test=REJECT}}"))
    postfix.start()
    gateway = world.gateway(postfix)
    gateway.wait_probed()
    assert gateway.send("bob@example.test").code == 250
    gateway.wait_learnt("bob@example.test")
    until(lambda: len(postfix.mail("bob")) == 1, "bob has it")
    assert gateway.send("nobody@example.test").text == (
        "550 5.1.1 <nobody@example.test>: Recipient address rejected: User unknown in virtual mailbox table")
    assert gateway.send("bob@example.test", sender="bad@client.test").text == (
        "554 5.7.1 <bad@client.test>: Sender address rejected: Access denied")

    postfix.close()
    for number in range(20):
        reply = gateway.send("bob@example.test", content=f"Subject: {number}\r\n\r\nx\r\n".encode())
        assert reply.text.startswith("250 2.0.0 Ok: queued as ")
    assert gateway.send("nobody@example.test").code == 451
    gateway.wait_state("down")
    postfix.start()
    until(lambda: len(postfix.mail("bob")) == 21, "all have arrived", 30)
    gateway.wait_queue(0)
    gateway.wait_state("up")
    assert "bob@example.test" in gateway.learnt()
    seen = [line for mail in postfix.mail("bob") for line in mail.split(b"\n") if line.startswith(b"Subject: ")]
    assert sorted(seen) == sorted([b"Subject: x"] + [f"Subject: {n}".encode() for n in range(20)])
