"""Issue 7, item 2: DNS block lists with weights, asked of a real name server (nsd)."""

import pytest

from support.name_server import NameServer
from support.waiting import until

ZONES = {
    "bad.test": "2.2.0.192 IN A 127.0.0.2\n3.2.0.192 IN A 127.0.0.40\n"
                "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2 IN A 127.0.0.4\n",
    "poor.test": "2.2.0.192 IN A 127.0.0.2\n4.2.0.192 IN A 127.0.0.2\n5.2.0.192 IN A 127.255.255.254\n",
    "good.test": "2.2.0.192 IN A 127.0.0.1\n",
}


@pytest.fixture
def name_server(world):
    return world.keep(NameServer(ZONES).start())


def made(world, destination, name_server, **dnsbl):
    zones = [{"zone": "bad.test", "weight": 3, "answers": "127.0.0.2..11"}, {"zone": "poor.test", "weight": 1}]
    gateway = world.gateway(destination, settings={
        "smtpd": {"xclient_networks": ["127.0.0.1"], "lookup": "off", "workers": 1},
        "dns": {"resolvers": [name_server.server], "trust_anchors": "off"},
        "lists": {"client": {"allow": ["192.0.2.9"]}},
        "dnsbl": {"zones": zones, "threshold": 2, **dnsbl}})
    gateway.wait_probed()
    return gateway


def told(gateway, address):
    with gateway.client() as client:
        client.ehlo("relay.test")
        assert client.command(f"XCLIENT NAME=[UNAVAILABLE] ADDR={address}").code == 220
        client.ehlo("mx.test")
        client.mail("a@client.test")
        return client.rcpt("b@example.test")


def test_the_sum_of_weights_decides_for_ipv4_and_ipv6(world, destination, name_server):
    gateway = made(world, destination, name_server)
    reply = told(gateway, "192.0.2.2")
    assert reply.code == 554 and reply.lines[0] == "5.7.1 Service unavailable; Client host [192.0.2.2] blocked using bad.test"
    line = gateway.wait_log("smtpd", "NOQUEUE: reject: RCPT from unknown[192.0.2.2]")
    assert ": 554 5.7.1 Service unavailable; Client host [192.0.2.2] blocked using bad.test; from=<a@client.test> to=<b@example.test> proto=" in line
    assert told(gateway, "IPV6:2001:db8::7").code == 554
    assert told(gateway, "192.0.2.1").code == 250, "in no list"
    assert told(gateway, "192.0.2.3").code == 250, "an answer that does not count"
    assert told(gateway, "192.0.2.4").code == 250, "too little weight"
    assert told(gateway, "192.0.2.5").code == 250, "a list that says that it does not serve us"
    assert not destination.messages


def test_a_good_list_and_an_allow_list_let_in(world, destination, name_server):
    zones = [{"zone": "bad.test", "weight": 3}, {"zone": "good.test", "weight": -2}]
    gateway = made(world, destination, name_server, zones=zones)
    assert told(gateway, "192.0.2.2").code == 250
    assert told(gateway, "192.0.2.3").code == 554, "without `answers` all of 127.0.0.0/8 counts"


def test_a_name_server_that_is_silent_refuses_nobody_and_costs_the_bounded_time(world, destination, name_server):
    gateway = made(world, destination, name_server, timeout="1s")
    name_server.kill()
    assert told(gateway, "192.0.2.2").code == 250
    for last in range(20, 31):
        assert told(gateway, f"192.0.2.{last}").code == 250
    assert "does not answer: nobody waits for it" in gateway.wait_log("smtpd", "dnsbl: bad.test")


def test_it_is_passed_over_while_the_destination_is_down(world, destination, name_server):
    gateway = made(world, destination, name_server)
    gateway.teach(destination, "b@example.test")
    destination.close()
    gateway.wait_state("down")
    assert told(gateway, "192.0.2.2").code == 250
    destination.start()
    until(lambda: told(gateway, "192.0.2.2").code == 554, "the block lists are back with the server", 20)
