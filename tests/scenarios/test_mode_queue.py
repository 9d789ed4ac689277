"""Issue 7, item 4: a domain in mode `queue`: all mail is spooled first and handed over at once."""

import pytest

from support import milter
from support.milter import Milter


def queueing(world, destination, mode="queue", **more):
    domains = {"example.test": {"destination": "office", "mode": mode, "local_recipients": ["local"]},
               "other.test": {"destination": "office", "local_recipients": ["local"]}}
    gateway = world.gateway(destination, domains=domains, **more)
    gateway.wait_probed()
    return gateway


def test_known_recipients_are_kept_and_delivered_at_once(world, destination):
    gateway = queueing(world, destination)
    reply = gateway.send("local@example.test")
    assert reply.code == 250 and "queued as" in reply.lines[-1]
    destination.wait_for(1)
    gateway.wait_log("deliver", "to=<local@example.test>")
    gateway.wait_queue(0)
    assert gateway.status()["destinations"][0]["mode"] == "queue"
    assert [row["mode"] for row in gateway.json("dest", "list")] == ["queue"]
    assert gateway.log("smtpd").count("unfiltered") == 0


def test_unknown_ones_are_asked_for(world, destination):
    destination.on("rcpt", {"nobody@example.test": "550 5.1.1 Nobody"})
    gateway = queueing(world, destination)
    with gateway.client() as client:
        client.ehlo()
        assert client.mail("a@client.test").code == 250
        assert client.rcpt("nobody@example.test").code == 550
        assert client.rcpt("new@example.test").code == 250
        assert client.rcpt("nobody@example.test").code == 550
        assert client.rcpt("local@example.test").code == 250
        assert client.rcpt("new2@example.test").code == 250
        assert not destination.messages
        reply = client.data(b"Subject: x\r\n\r\nx\r\n")
        assert reply.code == 250 and "queued as" in reply.lines[-1]
    message = destination.wait_for(1)[0]
    assert sorted(message.recipients) == ["local@example.test", "new2@example.test", "new@example.test"]
    gateway.wait_queue(0)
    gateway.wait_learnt("new@example.test", "new2@example.test")


@pytest.mark.parametrize("stage", ["mail", "rcpt"])
def test_the_destinations_own_4xx_for_unknown_ones(world, destination, stage):
    gateway = queueing(world, destination)
    destination.on(stage, "451 4.3.0 Not now")
    with gateway.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        assert client.rcpt("new@example.test").code == 451
        assert client.rcpt("local@example.test").code == 250


def test_while_down_as_ever(world, destination):
    gateway = queueing(world, destination)
    destination.close()
    gateway.wait_state("down")
    with gateway.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        assert client.rcpt("new@example.test").code == 451
        assert client.rcpt("local@example.test").code == 250
    assert gateway.send("local@example.test").code == 250
    assert gateway.status()["destinations"][0]["mode"] == "pass thro'"
    destination.start()
    destination.wait_for(1)
    gateway.wait_queue(0)


def test_ehlo_offers_what_the_destination_takes(world, destination):
    """Up or down: what is spooled now must be one that it takes later."""
    destination.on("ehlo", "250-dest.test\n250-SIZE 20000\n250 PIPELINING")
    gateway = queueing(world, destination)

    def offers():
        with gateway.client() as client:
            words = client.ehlo().text
            assert "SIZE 20000" in words and "8BITMIME" not in words and "SMTPUTF8" not in words, words
    offers()
    with gateway.client() as client:
        client.ehlo()
        assert client.mail("a@client.test", "SIZE=30000").code == 552
    destination.close()
    gateway.wait_state("down")
    offers()


def test_a_transaction_has_one_mode(world, destination):
    gateway = queueing(world, destination)
    with gateway.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        assert client.rcpt("local@example.test").code == 250
        assert client.rcpt("local@other.test").code == 452
        client.command("RSET")
        client.mail("a@client.test")
        assert client.rcpt("local@other.test").code == 250
        assert client.rcpt("local@example.test").code == 452


def test_filters_are_asked_before_it_is_kept(world, destination):
    filter_ = Milter()
    try:
        filter_.on("end", milter.reply("554 5.7.1 Spam"))
        gateway = queueing(world, destination, settings={"filters": [{"name": "f", "milter": filter_.where}]})
        assert gateway.send("local@example.test").code == 554
        filter_.on("end", milter.add_header("X-Seen", "yes"))
        assert gateway.send("local@example.test").code == 250
        assert b"X-Seen: yes" in destination.wait_for(1)[0].content
    finally:
        filter_.close()
