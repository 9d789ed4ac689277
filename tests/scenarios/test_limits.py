"""Issue 5, item 3: what a client's network may do, counted by all workers together (decision 11)."""

import contextlib

import pytest

from support.smtp_client import SmtpClient
from support.waiting import until

OTHER = ("127.0.0.2", 0)  # an address of its own


def limited(world, destination, trusted=(), **per_client):
    """A gateway that trusts nobody, in front of `destination`."""
    made = world.gateway(destination, settings={"smtpd": {"trusted_networks": list(trusted), "per_client": per_client}})
    made.wait_probed()
    return made


def test_connections_of_a_network_over_all_workers(world, destination):
    gateway = limited(world, destination, connections=4)
    with contextlib.ExitStack() as open_ones:
        clients = [open_ones.enter_context(gateway.client()) for _ in range(4)]
        assert [client.banner.code for client in clients] == [220] * 4
        with gateway.client() as fifth:
            assert fifth.banner.text == "421 4.7.0 Too many connections from your network, try again later"
            assert fifth.closed()
        with gateway.client(source=OTHER) as other:
            assert other.banner.code == 220
        clients[0].quit()

        def room():
            with gateway.client() as client:
                return client.banner.code == 220
        until(room, "there is room for another")
        assert clients[1].command("NOOP").code == 250
    assert "NOQUEUE: reject: CONNECT from unknown[127.0.0.1]: 421 4.7.0" in gateway.log("smtpd")


def test_a_worker_that_dies_takes_its_clients_with_it(world, destination):
    gateway = limited(world, destination, connections=2)
    clients = [gateway.client() for _ in range(2)]
    assert [client.banner.code for client in clients] == [220] * 2
    gateway.wait_restarted("smtpd", gateway.kill("smtpd"))
    for client in clients:
        client.close()
    with gateway.client() as one, gateway.client() as two:
        assert one.banner.code == two.banner.code == 220


def test_trusted_networks_are_not_counted(world, destination):
    gateway = limited(world, destination, trusted=["127.0.0.1"], connections=1, connection_rate=1, message_rate=1,
                      recipient_rate=1)
    with gateway.client() as one, gateway.client() as two:
        for client in (one, two):
            client.ehlo()
            assert client.mail("a@client.test").code == 250
            assert client.rcpt("local@example.test").code == 250
    with gateway.client(source=OTHER) as first, gateway.client(source=OTHER) as second:
        assert (first.banner.code, second.banner.code) == (220, 421)


def test_the_default_trusts_loopback(world, destination):
    gateway = world.gateway(destination)
    with contextlib.ExitStack() as open_ones:
        assert all(open_ones.enter_context(gateway.client()).banner.code == 220 for _ in range(60))


def test_connection_rate(world, destination):
    gateway = limited(world, destination, connection_rate=5)
    codes = []
    for _ in range(8):
        with gateway.client() as client:
            codes.append(client.banner.code)
    assert codes == [220] * 5 + [421] * 3
    with gateway.client(source=OTHER) as other:
        assert other.banner.code == 220


def test_message_rate(world, destination):
    gateway = limited(world, destination, message_rate=3)
    with gateway.client() as client, gateway.client() as other_connection:
        for each in (client, other_connection):
            each.ehlo()
        codes = []
        for _ in range(4):
            codes.append(client.mail("a@client.test").code)
            client.command("RSET")
        assert codes == [250, 250, 250, 450]
        assert other_connection.mail("a@client.test").text.startswith("450 4.7.1 ")
    gateway.wait_log("smtpd", "NOQUEUE: reject: MAIL from unknown[127.0.0.1]: 450 4.7.1")


def test_recipient_rate(world, destination):
    gateway = limited(world, destination, recipient_rate=3)
    with gateway.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        codes = [client.rcpt(f"user{i}@example.test").code for i in range(5)]
        assert codes == [250, 250, 250, 450, 450]
        assert client.data(b"Subject: x\r\n\r\nx\r\n").code == 250
    assert len(destination.wait_for(1)[0].recipients) == 3
    gateway.wait_log("smtpd", "NOQUEUE: reject: RCPT from unknown[127.0.0.1]: 450 4.7.1 <user3@example.test>")


def test_a_reload_changes_the_limits_at_once(world, destination):
    gateway = limited(world, destination, connections=1)
    with gateway.client():
        with gateway.client() as second:
            assert second.banner.code == 421
        gateway.config["smtpd"]["per_client"]["connections"] = 3
        gateway.reload()

        def room():
            with gateway.client() as client:
                return client.banner.code == 220
        until(room, "the new limit is in force")


@pytest.mark.parametrize("wrong", ["127.0.0.1/8", "10.0.0.0/33", "mx.example.test"])
def test_a_network_that_is_none_is_an_error(world, destination, wrong):
    gateway = world.gateway(destination, start=False, settings={"smtpd": {"proxy_networks": [wrong]}})
    checked = gateway.ctl("config", "check")
    assert checked.returncode == 78
    assert "smtpd.proxy_networks" in checked.stdout + checked.stderr


def test_early_talkers(world, destination):
    gateway = world.gateway(destination, settings={"smtpd": {"banner_delay": "1s", "trusted_networks": ["127.0.0.2"]}})
    gateway.wait_probed()
    with SmtpClient(gateway.port, greet=False) as eager:
        eager.send(b"EHLO client.test\r\n")
        assert eager.read().text.startswith("554 5.5.0 ")
        assert eager.closed()
    with gateway.client() as patient:
        assert patient.banner.code == 220
        assert patient.ehlo().code == 250
    gateway.wait_log("smtpd", "NOQUEUE: reject: CONNECT from unknown[127.0.0.1]: 554 5.5.0")
    with SmtpClient(gateway.port, greet=False, source=("127.0.0.2", 0)) as trusted:
        trusted.send(b"EHLO client.test\r\nNOOP\r\n")
        assert [trusted.read().code for _ in range(3)] == [220, 250, 250]


def test_a_load_balancer_may_ask_early_whether_we_live(world, destination):
    settings = {"trusted_networks": [], "proxy_networks": ["127.0.0.0/8"]}
    gateway = world.gateway(destination, settings={"smtpd": settings})
    for header, code in ((b"PROXY UNKNOWN\r\n", 220), (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n", 554)):
        with SmtpClient(gateway.port, greet=False) as balancer:
            balancer.send(header + b"QUIT\r\n")
            assert balancer.read().code == code


def test_early_talkers_may_be_let_in(world, destination):
    gateway = world.gateway(destination, settings={"smtpd": {"banner_delay": "1s", "early_talkers": "allow"}})
    with SmtpClient(gateway.port, greet=False) as flood:
        sent = 0
        flood.socket.settimeout(0.3)
        try:
            while sent < 64 << 20:
                sent += flood.socket.send(b"NOOP\r\n" * 10000)
        except (TimeoutError, OSError):
            pass
        assert sent < 32 << 20, "what is sent before the banner is not hoarded"
    with SmtpClient(gateway.port, greet=False) as eager:
        eager.send(b"EHLO client.test\r\n")
        assert eager.read().code == 220
        assert eager.read().code == 250


def test_a_full_worker_leaves_clients_to_another(world, destination):
    """Nobody is told 421 while any worker has room; when none has, it is said."""
    gateway = world.gateway(destination, settings={"smtpd": {"workers": 2, "max_clients": 5}})
    gateway.wait_probed()
    clients = [gateway.client() for _ in range(10)]
    assert [client.banner.code for client in clients] == [220] * 10
    with gateway.client() as one_more:
        assert one_more.banner.text.startswith("421 4.3.2 ")
    clients.pop().close()
    until(lambda: gateway.status()["clients"]["now"] == 9, "one has gone")
    clients.append(gateway.client())
    assert clients[-1].banner.code == 220
    for client in clients:
        client.close()


def test_status_tells(world, destination):
    gateway = limited(world, destination, connections=1, recipient_rate=1)
    with gateway.client() as client:
        with gateway.client() as second:
            assert second.banner.code == 421
        client.ehlo()
        client.mail("a@client.test")
        client.rcpt("local@example.test")
        assert client.rcpt("local@example.test").code == 450
        told = until(lambda: (c := gateway.status()["clients"])["now"] == 1 and c, "one client is there")
    assert (told["refused_connections"], told["refused_recipients"], told["stress"]) == (1, 1, False)
    assert "refused by a limit: 1 connection and 1 recipient" in gateway.ctl("status").stdout


# what is kept while the destination is down

def kept(gateway, recipients, source=None):
    with gateway.client(source=source) as client:
        client.ehlo()
        client.mail("a@client.test")
        replies = [client.rcpt(recipient) for recipient in recipients]
        if any(reply.code == 250 for reply in replies):
            assert client.data(b"Subject: x\r\n\r\nx\r\n").code == 250
        return replies


def test_what_is_kept_of_a_client_and_for_a_recipient(world, destination):
    gateway = world.gateway(destination, local=("one", "two", "three"), settings={
        "smtpd": {"trusted_networks": []}, "while_down": {"max_per_client": 2, "max_per_recipient": 3}})
    gateway.wait_probed()
    destination.close()
    gateway.wait_state("down")
    assert [r.code for r in kept(gateway, ["one@example.test", "two@example.test"])] == [250, 250]
    assert [r.code for r in kept(gateway, ["one@example.test"])] == [250]
    assert kept(gateway, ["three@example.test"])[0].text.startswith("451 4.7.1 ")
    assert [r.code for r in kept(gateway, ["one@example.test"], OTHER)] == [250]
    replies = kept(gateway, ["one@example.test", "three@example.test"], OTHER)
    assert replies[0].text.startswith("452 4.3.1 ")
    assert replies[1].code == 250
    assert len(gateway.wait_queue(4)) == 4
    assert gateway.status()["clients"]["refused_kept"] == 2
