"""Issue 5, item 3: a minimum rate for slow clients (smtpd.min_rate, of bytes a second over a minute)."""

import time

from support.smtp_client import SmtpClient

RATE = 1000


def begin(gateway):
    client = SmtpClient(gateway.port)
    client.ehlo()
    client.mail("a@client.test")
    client.rcpt("local@example.test")
    assert client.command("DATA").code == 354
    client.socket.settimeout(1)
    return client


def spoken(client):
    """What it says within a second, if anything."""
    try:
        return client.read()
    except TimeoutError:
        return None


def test_content_that_comes_drop_by_drop(world, destination):
    gateway = world.gateway(destination, settings={"smtpd": {"trusted_networks": [], "min_rate": RATE, "lookup": "off"}})
    gateway.wait_probed()
    begun = time.monotonic()
    with begin(gateway) as slow, begin(gateway) as quick:
        reply = None
        while reply is None and time.monotonic() - begun < 180:
            slow.send(b"x" * (RATE // 5) + b"\r\n")
            quick.send(b"x" * 900 + b"\r\n" + b"y" * RATE * 3 + b"\r\n")
            reply = spoken(slow)
        assert reply is not None and reply.text == "421 4.4.2 The message comes too slowly", reply
        assert 55 < time.monotonic() - begun < 150
        assert slow.closed()
        quick.socket.settimeout(20)
        quick.send(b".\r\n")
        assert quick.read().code == 250, "it was quick enough"
    gateway.wait_log("smtpd", "timeout from unknown[127.0.0.1]: The message comes too slowly")
    assert len(destination.messages) == 1
