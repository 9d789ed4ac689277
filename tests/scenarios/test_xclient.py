"""Issue 5, item 1: XCLIENT from listed relays; the client is whom they name."""

import pytest


@pytest.fixture
def gateway(world, destination):
    made = world.gateway(destination, settings={"smtpd": {"xclient_networks": ["127.0.0.1"], "lookup": "off",
                                                          "per_client": {"connections": 1, "message_rate": 2}}})
    made.wait_probed()
    return made


def test_it_is_offered_to_whom_it_is_for(gateway):
    with gateway.client() as relay, gateway.client(source=("127.0.0.2", 0)) as other:
        assert any(line.startswith("XCLIENT NAME ADDR PORT") for line in relay.ehlo().lines)
        assert not any("XCLIENT" in line for line in other.ehlo().lines)
        assert other.command("XCLIENT ADDR=192.0.2.10").code in (500, 502, 550)
        assert other.command("NOOP").code == 250


@pytest.mark.parametrize("address, shown", [("192.0.2.10", "192.0.2.10"), ("IPV6:2001:db8::7", "IPv6:2001:db8::7")])
def test_the_client_is_whom_it_names(gateway, destination, address, shown):
    with gateway.client() as relay:
        relay.ehlo("relay.test")
        reply = relay.command(f"XCLIENT NAME=mx.sender.test ADDR={address} PORT=4711 HELO=their.helo PROTO=SMTP")
        assert reply.code == 220
        assert relay.mail("a@client.test").code == 503, "it is as behind a banner"
        relay.ehlo("relay.test")
        assert relay.mail("a@client.test").code == 250
        assert relay.rcpt("local@example.test").code == 250
        assert relay.data(b"Subject: x\r\n\r\nx\r\n").code == 250
    received = destination.wait_for(1)[0].received
    assert f"from their.helo (mx.sender.test [{shown}])" in received
    assert " with SMTP id " in received
    gateway.wait_log("smtpd", f": client=mx.sender.test[{shown.removeprefix('IPv6:')}]")


def test_names_that_are_not_known(gateway, destination):
    with gateway.client() as relay:
        relay.ehlo("relay.test")
        assert relay.command("XCLIENT NAME=[UNAVAILABLE] ADDR=192.0.2.10 HELO=[UNAVAILABLE]").code == 220
        relay.ehlo("relay.test")
        relay.mail("a@client.test")
        relay.rcpt("local@example.test")
        assert relay.data(b"Subject: x\r\n\r\nx\r\n").code == 250
    assert "from relay.test (unknown [192.0.2.10])" in destination.wait_for(1)[0].received


def test_more_about_the_same_client(gateway, destination):
    with gateway.client() as relay:
        relay.ehlo("relay.test")
        assert relay.command("XCLIENT NAME=mx.sender.test ADDR=192.0.2.10 HELO=their.helo").code == 220
        relay.ehlo("relay.test")
        assert relay.command("XCLIENT PROTO=esmtp").code == 220
        relay.ehlo("relay.test")
        relay.mail("a@client.test")
        relay.rcpt("local@example.test")
        assert relay.data(b"Subject: x\r\n\r\nx\r\n").code == 250
        relay.command("XCLIENT ADDR=192.0.2.11")
        relay.ehlo("relay.test")
        relay.mail("a@client.test")
        relay.rcpt("local@example.test")
        assert relay.data(b"Subject: x\r\n\r\nx\r\n").code == 250
    first, second = (message.received for message in destination.wait_for(2))
    assert "from their.helo (mx.sender.test [192.0.2.10])" in first and " with ESMTP id " in first
    assert "from relay.test (unknown [192.0.2.11])" in second, "of another client nothing is known"


def test_the_record_of_what_is_kept(gateway, destination):
    destination.close()
    gateway.wait_state("down")
    with gateway.client() as relay:
        relay.ehlo("relay.test")
        assert relay.command("XCLIENT NAME=mx.sender.test ADDR=192.0.2.10 HELO=their.helo").code == 220
        relay.ehlo("relay.test")
        relay.mail("a@client.test")
        relay.rcpt("local@example.test")
        assert relay.data(b"Subject: x\r\n\r\nx\r\n").code == 250
    message = str(gateway.json("queue", "show", gateway.wait_queue(1)[0]["queue_id"])[0])
    assert "192.0.2.10" in message and "mx.sender.test" in message, message


def test_several_clients_one_after_the_other_and_their_limits(gateway):
    with gateway.client() as relay:
        for number in range(3):
            relay.ehlo("relay.test")
            assert relay.command(f"XCLIENT ADDR=192.0.2.{number}").code == 220
            relay.ehlo("relay.test")
            codes = [(relay.mail("a@client.test").code, relay.command("RSET").code)[0] for _ in range(3)]
            assert codes == [250, 250, 450]
        # Another connection in the name of a client that has one already.
        with gateway.client() as second:
            second.ehlo("relay.test")
            assert second.command("XCLIENT ADDR=192.0.2.2").text.startswith("421 4.7.0 ")
            assert second.closed()


@pytest.mark.parametrize("arguments", ["ADDR=nonsense", "ADDR=192.0.2.300", "PORT=70000 ADDR=192.0.2.1", "", "FOO=bar"])
def test_what_makes_no_sense_changes_nothing(gateway, arguments):
    with gateway.client() as relay:
        relay.ehlo("relay.test")
        assert relay.command(f"XCLIENT {arguments}".strip()).code == 501
        assert relay.mail("a@client.test").code == 250
    assert "NOQUEUE" not in gateway.log("smtpd")
