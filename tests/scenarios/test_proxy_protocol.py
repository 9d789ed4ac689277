"""Issue 5, item 1: the PROXY protocol from listed load balancers; the client is whom it names."""

import socket
import struct

import pytest

from support.smtp_client import SmtpClient

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def v2(client="192.0.2.10", server="198.51.100.1", port=4711, command=0x21, tlvs=b""):
    family, size = (0x21, 16) if ":" in client else (0x11, 4)
    kind = socket.AF_INET6 if size == 16 else socket.AF_INET
    block = socket.inet_pton(kind, client) + socket.inet_pton(kind, server) + struct.pack(">HH", port, 25) + tlvs
    return SIGNATURE + bytes([command, family]) + struct.pack(">H", len(block)) + block


@pytest.fixture
def gateway(world, destination):
    made = world.gateway(destination, settings={"smtpd": {"proxy_networks": ["127.0.0.0/8"], "proxy_timeout": "1s",
                                                          "per_client": {"connections": 2}}})
    made.wait_probed()
    return made


def connect(gateway, header):
    client = SmtpClient(gateway.port, greet=False)
    client.send(header)
    client.banner = client.read()
    return client


@pytest.mark.parametrize("header, address", [
    (b"PROXY TCP4 192.0.2.10 198.51.100.1 4711 25\r\n", "192.0.2.10"),
    (b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 25\r\n", "IPv6:2001:db8::7"),
    (v2(), "192.0.2.10"),
    (v2("2001:db8::7", "2001:db8::1"), "IPv6:2001:db8::7"),
    (v2(tlvs=b"\x04\0\x03abc" + b"\x05\0\x01x"), "192.0.2.10"),
    (v2("::ffff:192.0.2.10", "::ffff:198.51.100.1"), "192.0.2.10"),
    (v2(command=0x20), "127.0.0.1"),
    (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
])
def test_the_client_is_whom_the_header_names(gateway, destination, header, address):
    with connect(gateway, header) as client:
        assert client.banner.code == 220
        client.ehlo()
        client.mail("a@client.test")
        client.rcpt("local@example.test")
        assert client.data(b"Subject: x\r\n\r\nx\r\n").code == 250
    message = destination.wait_for(1)[0]
    assert f"(unknown [{address}])" in message.received
    plain = address.removeprefix("IPv6:")
    gateway.wait_log("smtpd", f": client=unknown[{plain}]")
    gateway.wait_log("smtpd", f": disconnect from unknown[{plain}]")


def test_a_header_that_comes_in_pieces(gateway):
    header = v2()
    client = SmtpClient(gateway.port, greet=False)
    for at in range(len(header)):
        client.send(header[at:at + 1])
    assert client.read().code == 220
    assert client.ehlo().code == 250
    client.close()


@pytest.mark.parametrize("bytes_sent", [b"EHLO client.test\r\n", b"PROXY TCP4 a b c d\r\n", SIGNATURE + b"\x31\x11\0\0",
                                        SIGNATURE + b"\x21\x11\xff\xff"])
def test_what_is_no_header_gets_421(gateway, bytes_sent):
    with connect(gateway, bytes_sent) as client:
        assert client.banner.text.startswith("421 4.3.0 ")
        assert client.closed()
    gateway.wait_log("smtpd", "PROXY header from 127.0.0.1: ")


def test_a_header_that_does_not_come_is_not_waited_for_long(gateway):
    with SmtpClient(gateway.port, greet=False) as client:
        client.send(b"PROXY TCP4 ")
        assert client.read().code == 421
        assert client.closed()


def test_who_is_not_listed_may_not_name_himself(world, destination):
    gateway = world.gateway(destination, settings={"smtpd": {"proxy_networks": ["192.0.2.0/24"]}})
    with gateway.client() as client:
        assert client.command("PROXY TCP4 192.0.2.10 198.51.100.1 4711 25").code == 500
        assert client.ehlo().code == 250


def test_limits_count_the_client_that_is_named(gateway):
    first, second = connect(gateway, v2()), connect(gateway, v2())
    assert first.banner.code == second.banner.code == 220
    with connect(gateway, v2()) as third:
        assert third.banner.text.startswith("421 4.7.0 ")
    with connect(gateway, v2("192.0.2.11")) as other:
        assert other.banner.code == 220
    gateway.wait_log("smtpd", "NOQUEUE: reject: CONNECT from unknown[192.0.2.10]: 421 4.7.0 ")


def test_who_speaks_behind_the_header_before_the_banner(gateway):
    with connect(gateway, v2() + b"EHLO client.test\r\n") as client:
        assert client.banner.text.startswith("554 5.5.0 ")
        assert client.closed()
    gateway.wait_log("smtpd", "NOQUEUE: reject: CONNECT from unknown[192.0.2.10]: 554 5.5.0 ")


def test_a_balancer_that_only_looks_whether_we_are_there(gateway):
    for _ in range(3):
        SmtpClient(gateway.port, greet=False).close()
        SmtpClient(gateway.port, greet=False).abort()
    with connect(gateway, v2()) as client:
        assert client.quit().code == 221
