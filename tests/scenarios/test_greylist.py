"""Issue 7, item 3: greylisting: who is not known is asked to come again."""

import os

import pytest

from support.waiting import until


@pytest.fixture
def gateway(world, destination):
    made = world.gateway(
        destination, settings={
            "smtpd": {"xclient_networks": ["127.0.0.1"], "lookup": "off"},
            "lists": {"client": {"allow": ["192.0.2.9"]}},
            "greylist": {"delay": "2s", "window": "1h", "auto_allow": 2}},
        domains={"example.test": {"destination": "office", "local_recipients": ["local"], "greylist": True},
                 "other.test": {"destination": "office", "local_recipients": ["local"]}})
    made.wait_probed()
    return made


def told(gateway, address="198.51.100.1", sender="a@client.test", recipient="b@example.test"):
    with gateway.client() as client:
        client.ehlo("relay.test")
        assert client.command(f"XCLIENT NAME=[UNAVAILABLE] ADDR={address}").code == 220
        client.ehlo("mx.test")
        client.mail(sender)
        return client.rcpt(recipient)


def rows(gateway, kind):
    return [row for row in gateway.json("greylist", "list") if row["kind"] == kind]


def comes_in(gateway, timeout=30, **who):
    until(lambda: told(gateway, **who).code == 250, "it passes", timeout)


def test_who_comes_again_passes_also_over_a_restart_and_others_wait(gateway, destination):
    reply = told(gateway)
    assert reply.text == "450 4.7.1 <b@example.test>: Recipient address rejected: Greylisted, try again later"
    line = gateway.wait_log("smtpd", "NOQUEUE: reject: RCPT from unknown[198.51.100.1]")
    assert ": 450 4.7.1 <b@example.test>: Recipient address rejected: Greylisted, try again later; from=<a@client.test> to=<b@example.test>" in line
    assert not destination.messages
    until(lambda: rows(gateway, "waiting"), "it is remembered", 20)
    first = rows(gateway, "waiting")[0]
    gateway.stop()
    gateway.start()
    comes_in(gateway)
    assert told(gateway).code == 250, "and is known"
    until(lambda: rows(gateway, "passed"), "that is remembered", 20)
    assert rows(gateway, "passed")[0]["first"] == first["first"], "the restart has not begun anew"
    assert told(gateway, sender="other@client.test").code == 450
    assert told(gateway, recipient="c@example.test").code == 450
    assert told(gateway, address="198.51.101.1").code == 450
    assert told(gateway, address="198.51.100.2").code == 250, "another host of the network"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start others as somebody else")
def test_another_account_can_remember(gateway):
    gateway.stop()
    gateway.config["user"] = "nobody"
    gateway.write_config()
    gateway.start()
    assert gateway.ctl("greylist", "allow", "203.0.113.77").returncode == 0, "the first to write is root's gatewayctl"
    assert told(gateway).code == 450
    until(lambda: rows(gateway, "waiting"), "it is remembered", 20)
    gateway.wait_restarted("smtpd", gateway.kill("smtpd"))
    comes_in(gateway)


def test_whom_it_is_not_for(gateway):
    assert told(gateway, recipient="b@other.test").code == 250, "the domain has it off"
    assert told(gateway, address="192.0.2.9").code == 250, "allowed by a list"
    assert told(gateway, address="10.1.2.3").code == 250, "a private network"
    with gateway.client() as client:
        client.ehlo("relay.test")
        client.mail("a@client.test")
        assert client.rcpt("b@example.test").code == 250, "a trusted network"


def test_a_network_that_passed_often_enough_is_known(gateway):
    for sender in ("a@client.test", "b@client.test"):
        assert told(gateway, sender=sender).code == 450
        comes_in(gateway, sender=sender)
    until(lambda: told(gateway, sender="c@client.test").code == 250, "the network is known", 20)
    assert any(row["count"] >= 2 and row["passes"] for row in rows(gateway, "network"))


def test_by_hand(gateway):
    assert gateway.ctl("greylist", "allow", "198.51.100.77", "--for", "1h").returncode == 0
    assert told(gateway).code == 250
    assert rows(gateway, "by hand")[0]["network"] == "198.51.100.0/24"
    assert gateway.ctl("greylist", "flush").returncode == 64
    assert gateway.ctl("greylist", "flush", "--all").returncode == 64
    assert gateway.json("greylist", "flush", "198.51.100.0/24", "--dry-run")[0]["changed"] == 1
    assert gateway.json("greylist", "flush", "198.51.100.0/24")[0]["changed"] == 1
    assert told(gateway).code == 450


def test_an_emergency_passes_it_over_and_its_end_brings_it_back(gateway, destination):
    destination.close()
    gateway.wait_state("down")
    with gateway.client() as client:
        client.ehlo("relay.test")
        client.command("XCLIENT NAME=[UNAVAILABLE] ADDR=198.51.100.1")
        client.ehlo("mx.test")
        client.mail("a@client.test")
        assert client.rcpt("local@example.test").code == 250
        assert client.data(b"Subject: x\r\n\r\nx\r\n").code == 250
    destination.start()
    assert b"\r\nX-Holdfast-Unfiltered: yes\r\n" in destination.wait_for(1)[0].content
    until(lambda: told(gateway, recipient="local@example.test", sender="fresh@client.test").code == 450, "it is back with the server", 20)


def test_without_its_database_everybody_passes(world, destination):
    gateway = world.gateway(destination, start=False, settings={"smtpd": {"xclient_networks": ["127.0.0.1"], "lookup": "off"}},
                            domains={"example.test": {"destination": "office", "local_recipients": ["local"], "greylist": True}})
    folder = gateway.folder / "state" / "greylist"
    folder.mkdir(parents=True)
    (folder / "birth").mkdir()  # as whatever makes it impossible to open
    gateway.start()
    gateway.wait_probed()
    assert told(gateway).code == 250
    gateway.wait_log("smtpd", "greylisting: everybody passes: ")
