"""Issues 2 and 5: the client's name by its reverse zone, believed if that name has its address."""

import itertools
import socket
import time

import pytest

from support.name_server import NameServer
from support.smtp_client import SmtpClient
from support.waiting import until

ZONES = {
    "names.test": "mx A 192.0.2.10\nmx AAAA 2001:db8::10\nliar A 192.0.2.99\nthird A 192.0.2.13\n",
    "2.0.192.in-addr.arpa": "10 PTR mx.names.test.\n11 PTR liar.names.test.\n12 PTR nobody.names.test.\n"
                            "13 PTR liar.names.test.\n13 PTR third.names.test.\n",
    "8.b.d.0.1.0.0.2.ip6.arpa": "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 PTR mx.names.test.\n",
}


def gateway_with(world, destination, resolver, lookup="10s"):
    made = world.gateway(destination, settings={"dns": {"resolvers": [resolver]},
                                                "smtpd": {"proxy_networks": ["127.0.0.1"], "lookup": lookup,
                                                          "workers": 1}})  # each remembers for itself
    made.wait_probed()
    return made


def connect(gateway, address):
    client = SmtpClient(gateway.port, greet=False)
    family = "TCP6" if ":" in address else "TCP4"
    client.send(f"PROXY {family} {address} {address} 4711 25\r\n".encode())
    assert client.read().code == 220
    return client


def send(gateway, destination, address):
    """The Received field of a message from this client."""
    before = len(destination.messages)
    with connect(gateway, address) as client:
        client.ehlo("helo.test")
        client.mail("a@client.test")
        client.rcpt("local@example.test")
        assert client.data(b"Subject: x\r\n\r\nx\r\n").code == 250
    return destination.wait_for(before + 1)[-1].received


def test_names(world, destination):
    server = world.keep(NameServer(ZONES).start())
    gateway = gateway_with(world, destination, server.server)
    assert "from helo.test (mx.names.test [192.0.2.10])" in send(gateway, destination, "192.0.2.10")
    assert "from helo.test (mx.names.test [IPv6:2001:db8::10])" in send(gateway, destination, "2001:db8::10")
    assert "(unknown [192.0.2.11])" in send(gateway, destination, "192.0.2.11"), "a name with another address"
    assert "(unknown [192.0.2.12])" in send(gateway, destination, "192.0.2.12"), "a name without an address"
    assert "(third.names.test [192.0.2.13])" in send(gateway, destination, "192.0.2.13"), "the second of two names"
    assert "(unknown [192.0.2.77])" in send(gateway, destination, "192.0.2.77"), "no name"
    gateway.wait_log("smtpd", ": client=mx.names.test[192.0.2.10]")
    # Remembered: no name server is needed any more.
    server.kill()
    assert "(mx.names.test [192.0.2.10])" in send(gateway, destination, "192.0.2.10")


def test_the_record_holds_the_name(world, destination):
    server = world.keep(NameServer(ZONES).start())
    gateway = gateway_with(world, destination, server.server)
    destination.close()
    gateway.wait_state("down")
    with connect(gateway, "192.0.2.10") as client:
        client.ehlo("helo.test")
        client.mail("a@client.test")
        client.rcpt("local@example.test")
        assert client.data(b"Subject: x\r\n\r\nx\r\n").code == 250
    message = gateway.json("queue", "show", gateway.wait_queue(1)[0]["queue_id"])[0]
    assert "mx.names.test" in str(message), message


def ehlo_takes(gateway, address):
    with connect(gateway, address) as client:
        begin = time.monotonic()
        assert client.ehlo().code == 250
        return time.monotonic() - begin


def test_silent_name_servers_cost_few_clients_their_time(world, destination):
    server = NameServer(ZONES)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", server.port))
        gateway = gateway_with(world, destination, server.server, lookup="2s")
        for number in (1, 2, 3):
            assert ehlo_takes(gateway, f"192.0.2.{number}") > 1.8
        gateway.wait_log("smtpd", "the name servers are silent")
        least = min(ehlo_takes(gateway, f"192.0.2.{number}") for number in (4, 5, 6))
        assert least < 1, least
    world.keep(server.start())
    addresses = itertools.count(20)
    until(lambda: ehlo_takes(gateway, f"192.0.2.{next(addresses)}") and "the name servers answer again" in gateway.log("smtpd"),
          "somebody was asked about", 60)
    assert "(mx.names.test [192.0.2.10])" in send(gateway, destination, "192.0.2.10")


@pytest.mark.parametrize("lookup, least, most", [("1s", 0.9, 8), ("off", 0, 5)])
def test_nobody_waits_for_longer_than_the_setting(world, destination, lookup, least, most):
    gateway = gateway_with(world, destination, "127.0.0.1:9", lookup)  # nobody answers there
    begin = time.monotonic()  # the question is asked when the client is known, before the greeting is here
    with connect(gateway, "192.0.2.10") as client:
        assert client.ehlo().code == 250
        assert least <= time.monotonic() - begin < most
        assert client.mail("a@client.test").code == 250
