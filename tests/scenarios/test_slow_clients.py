"""Issue 5, item 3: clients that make errors, mean nothing, or take their time; and a gateway that is full of them."""

import contextlib
import time

from support.smtp_client import Closed, SmtpClient
from support.waiting import until


def gateway_with(world, destination, **smtpd):
    made = world.gateway(destination, settings={"smtpd": {"trusted_networks": [], **smtpd}})
    made.wait_probed()
    return made


def test_each_error_is_answered_later_than_the_one_before(world, destination):
    gateway = gateway_with(world, destination, soft_errors=2, max_errors=4)
    with gateway.client() as client:
        client.ehlo()
        waits = []
        for _ in range(4):
            begin = time.monotonic()
            assert client.command("WHAT").code == 500
            waits.append(time.monotonic() - begin)
        assert min(waits[:2]) < 0.9, waits
        assert 0.9 < waits[2] and 1.9 < waits[3], waits
        assert client.command("NOOP").text.startswith("421 4.7.0 ")
        assert client.closed()


def test_who_waits_for_a_late_answer_keeps_nobody_waiting(world, destination):
    gateway = gateway_with(world, destination, workers=1, soft_errors=0, error_delay="10s")
    with gateway.client() as slow:
        slow.send(b"WHAT\r\n" + b"NOOP\r\n" * 1000)
        begin = time.monotonic()
        assert gateway.send("local@example.test").code == 250
        assert time.monotonic() - begin < 5
        # One that goes away meanwhile.
        slow.abort()
    assert gateway.send("local@example.test").code == 250


def test_trusted_clients_are_answered_at_once(world, destination):
    gateway = gateway_with(world, destination, trusted_networks=["127.0.0.0/8"], soft_errors=0, error_delay="10s")
    with gateway.client() as client:
        begin = time.monotonic()
        assert [client.command("WHAT").code for _ in range(3)] == [500] * 3
        assert time.monotonic() - begin < 5


def test_junk_commands(world, destination):
    gateway = gateway_with(world, destination, max_junk=5)
    with gateway.client() as client:
        client.ehlo()
        codes = [client.command(junk).code for junk in ("NOOP", "RSET", "VRFY x", "HELP", "NOOP")]
        assert codes == [250, 250, 252, 214, 250]
        assert client.command("NOOP").text.startswith("421 4.7.0 ")
        assert client.closed()


def test_who_harvests_addresses_during_an_outage_is_sent_away(world, destination):
    """A 451 for an unknown recipient tells something: it counts as an error, though it is temporary. One for a known one does not."""
    gateway = gateway_with(world, destination, max_errors=4, error_delay="off")
    destination.close()
    gateway.wait_state("down")
    with gateway.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        assert [client.rcpt("local@example.test").code for _ in range(6)] == [250] * 6
        assert [client.rcpt(f"guess{n}@example.test").text[:10] for n in range(4)] == ["451 4.4.1 "] * 4
        assert client.rcpt("guess5@example.test").text.startswith("421 4.7.0 ")
        assert client.closed()


def test_a_command_that_trickles_in(world, destination):
    gateway = gateway_with(world, destination, command_timeout="3s")
    with gateway.client() as client:
        begin = time.monotonic()
        client.socket.settimeout(0.4)
        reply = None
        for byte in b"NOOP " + b"x" * 100:
            try:
                client.send(bytes([byte]))
                reply = client.read()
                break
            except TimeoutError:
                continue
        assert reply is not None and reply.code == 421, reply
        assert 2.5 < time.monotonic() - begin < 20
    gateway.wait_log("smtpd", "timeout from unknown[127.0.0.1]")


def begin_content(client):
    client.ehlo()
    client.mail("a@client.test")
    client.rcpt("local@example.test")
    assert client.command("DATA").code == 354


def test_content_that_does_not_end(world, destination):
    gateway = gateway_with(world, destination, content_timeout="3s")
    with gateway.client() as client:
        begin_content(client)
        client.socket.settimeout(0.1)
        begin = time.monotonic()
        reply = None
        while reply is None and time.monotonic() - begin < 20:
            try:
                client.send(b"more\r\n")
                reply = client.read()
            except TimeoutError:
                continue
        assert reply is not None and reply.text.startswith("421 4.4.2 "), reply
    assert gateway.send("local@example.test").code == 250
    assert len(destination.wait_for(1)) == 1, "nothing of the first message was handed over"


def test_stress_ends_the_idle_first_and_is_told_of(world, destination):
    gateway = gateway_with(world, destination, workers=1, max_clients=10, stress_timeout="2s",
                           per_client={"connections": "none"})
    with contextlib.ExitStack() as open_ones:
        idle = [open_ones.enter_context(gateway.client()) for _ in range(7)]
        assert not gateway.status()["clients"]["stress"]
        busy = open_ones.enter_context(gateway.client())
        assert busy.banner.code == 220
        gateway.wait_log("smtpd", 'event=stress state="begins" clients="8" most="10"')
        idle[0].socket.settimeout(0.2)  # who has been idle for longest
        reply = None
        while reply is None:
            assert busy.command("NOOP").code == 250
            try:
                reply = idle[0].read()
            except TimeoutError:
                continue
        assert reply.text.startswith("421 4.4.2 ")
        assert idle[0].closed()
        assert busy.command("NOOP").code == 250
        gateway.wait_log("smtpd", 'event=stress state="ends"')
        until(lambda: not gateway.status()["clients"]["stress"], "the stress is over")
        assert busy.command("NOOP").code == 250
    assert gateway.log("smtpd").count("event=stress") == 2


def test_who_is_not_under_stress_may_idle(world, destination):
    gateway = gateway_with(world, destination, workers=1, max_clients=10, stress_timeout="1s")
    with gateway.client() as client:
        client.socket.settimeout(3)
        try:
            raise AssertionError(f"sent away: {client.read()}")
        except TimeoutError:
            pass
        client.socket.settimeout(20)
        assert client.ehlo().code == 250


def test_pipelining_where_one_has_to_wait(world, destination):
    gateway = gateway_with(world, destination)
    for before, sent in (([], b"EHLO client.test\r\nMAIL FROM:<a@client.test>\r\n"),
                         (["HELO client.test"], b"MAIL FROM:<a@client.test>\r\nRCPT TO:<local@example.test>\r\n"),
                         (["EHLO client.test", "MAIL FROM:<a@client.test>", "RCPT TO:<local@example.test>"],
                          b"DATA\r\nSubject: x\r\n\r\nx\r\n.\r\n")):
        with gateway.client() as client:
            for command in before:
                assert client.command(command).code == 250
            client.send(sent)
            assert client.read().text.startswith("554 5.5.0 "), sent
            assert client.closed()
    with gateway.client() as allowed:
        allowed.ehlo()
        allowed.send(b"MAIL FROM:<a@client.test>\r\nRCPT TO:<local@example.test>\r\nDATA\r\n")
        assert [allowed.read().code for _ in range(3)] == [250, 250, 354]
        assert allowed.content(b"Subject: x\r\n\r\nx\r\n").code == 250
        try:
            allowed.quit()
        except Closed:
            pass
    assert len(destination.wait_for(1)) == 1
    assert gateway.status()["clients"]["early_talkers"] == 3


def test_pipelining_may_be_let_in(world, destination):
    gateway = gateway_with(world, destination, early_talkers="allow")
    with SmtpClient(gateway.port) as client:
        client.send(b"EHLO client.test\r\nMAIL FROM:<a@client.test>\r\n")
        assert [client.read().code for _ in range(2)] == [250, 250]
