"""Issue 3: limits on what is kept, a domain and in all, of messages and of bytes: 452 at RCPT, and an event."""

import pytest

from support.waiting import until

CONTENT = b"Subject: x\r\n\r\n" + b"x" * 1000 + b"\r\n"


@pytest.fixture
def start(world, destination):
    def start(quotas, settings=None):
        domains = {name: {"destination": "office", "local_recipients": ["local"], **values} for name, values in quotas.items()}
        gateway = world.gateway(destination, domains=domains, settings=settings)
        gateway.wait_probed()
        destination.close()
        gateway.wait_state("down")
        return gateway
    return start


def rcpt(gateway, address, parameters=""):
    with gateway.client() as client:
        client.ehlo()
        client.command(f"MAIL FROM:<a@client.test>{parameters}")
        return client.command(f"RCPT TO:<{address}>")


def fill(gateway, count, domain="a.test"):
    """Each is in the index before the next is sent: the limit is met exactly."""
    for _ in range(count):
        before = len(gateway.queue())
        assert gateway.send(f"local@{domain}", content=CONTENT).code == 250
        gateway.wait_queue(before + 1)


def test_messages_of_a_domain(start, destination):
    gateway = start({"a.test": {"max_messages": 3}, "b.test": {}})
    fill(gateway, 3)
    gateway.wait_log("qmgr", 'event=quota_reached domain="a.test"')
    until(lambda: all(rcpt(gateway, "local@A.test").code == 452 for _ in range(6)), "every smtpd has heard of it")
    assert rcpt(gateway, "local@a.test").lines[0].startswith("4.3.1 ")
    assert gateway.send("local@b.test").code == 250, "another domain has room"
    destination.start()
    gateway.wait_queue(0)
    gateway.wait_log("qmgr", 'event=quota_free domain="a.test"', timeout=30)
    until(lambda: rcpt(gateway, "local@a.test").code == 250, "it is over by itself")


def test_a_burst_goes_over_it_by_little(start):
    """qmgr tells after each commit what is left; what an smtpd takes meanwhile it counts itself."""
    gateway = start({"a.test": {"max_messages": 20}}, {"smtpd": {"workers": 1}})
    codes = [gateway.send("local@a.test", content=CONTENT).code for _ in range(60)]
    assert set(codes) == {250, 452}
    taken = codes.count(250)
    assert taken >= 20
    gateway.wait_queue(taken)
    # One smtpd: what it took while qmgr's last commits were on their way.
    assert taken <= 40, f"{taken} instead of 20"


def test_bytes_of_a_domain(start):
    gateway = start({"a.test": {"max_bytes": 3000}})
    fill(gateway, 1)
    assert rcpt(gateway, "local@a.test", " SIZE=500").code == 250
    until(lambda: all(rcpt(gateway, "local@a.test", " SIZE=2500").code == 452 for _ in range(6)), "it would not fit")
    assert gateway.send("local@a.test", content=CONTENT * 4).code == 452, "it never said how large it is"
    fill(gateway, 1)
    assert gateway.send("local@a.test", content=CONTENT).code == 452, "about 500 bytes are left"


def test_the_whole_queue(start, destination):
    gateway = start({"a.test": {}, "b.test": {}}, {"queue": {"max_messages": 2}})
    fill(gateway, 1, "a.test")
    fill(gateway, 1, "b.test")
    gateway.wait_log("qmgr", 'event=quota_reached domain="all"')
    until(lambda: all(rcpt(gateway, f"local@{d}.test").code == 452 for d in "abab"), "neither domain has room")
    gateway.config["queue"]["max_messages"] = 3
    gateway.reload()
    until(lambda: rcpt(gateway, "local@a.test").code == 250, "a reload raises it")
    destination.start()
    gateway.wait_queue(0)


def test_live_mail_passes(start, destination):
    gateway = start({"a.test": {"max_messages": 1}})
    fill(gateway, 1)
    held = gateway.ctl("queue", "hold", "--all", "--yes")
    assert held.returncode == 0, held.stderr
    until(lambda: rcpt(gateway, "local@a.test").code == 452, "it is full")
    destination.start()
    gateway.wait_state("up")
    assert gateway.send("local@a.test").code == 250
    until(lambda: len(destination.messages) == 1, "what needs no room is handed through")
