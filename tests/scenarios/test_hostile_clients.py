"""Clients that mean harm, or mean nothing: each costs little, and the others are served meanwhile."""

import select
import time

import pytest

from support.smtp_client import Closed
from support.waiting import until

MIB = 1 << 20


def memory(gateway):
    """The most that any smtpd has ever held, in bytes."""
    def peak(pid):
        with open(f"/proc/{pid}/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
    return max(peak(pid) for pid in gateway.pids("smtpd"))


def pour(client, blob, most, patience=1.0):
    """Sends as much as is taken, up to `most` bytes; ends early when nothing is taken for a while."""
    client.socket.setblocking(False)
    sent = 0
    while sent < most:
        if not select.select([], [client.socket], [], patience)[1]:
            break
        try:
            sent += client.socket.send(blob)
        except (BrokenPipeError, ConnectionResetError):
            break
    client.socket.setblocking(True)
    client.socket.settimeout(20)
    return sent


def served(gateway):
    start = time.monotonic()
    assert gateway.send("local@example.test").code == 250
    return time.monotonic() - start < 5


def test_commands_whose_answers_nobody_reads(gateway):
    before = memory(gateway)
    clients = [gateway.client() for _ in range(4)]
    for client in clients:
        pour(client, b"HELP\r\n" * 20_000, 30 * MIB)
    assert memory(gateway) - before < 20 * MIB
    assert served(gateway)
    for client in clients:
        client.close()


def test_a_line_without_end(gateway):
    before = memory(gateway)
    with gateway.client() as client:
        assert pour(client, b"x" * 65536, 30 * MIB) >= 30 * MIB
        client.send(b"\r\n")
        assert client.read().text == "500 5.5.2 Line too long"
    assert memory(gateway) - before < 4 * MIB
    assert served(gateway)


def test_a_message_over_the_limit_is_read_to_its_end_and_costs_nothing(world, destination):
    gateway = world.gateway(destination, settings={"smtpd": {"message_size_limit": "2MiB"}})
    gateway.wait_probed()
    before = memory(gateway)
    with gateway.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        client.rcpt("local@example.test")
        assert client.command("DATA").code == 354
        line = b"x" * 998 + b"\r\n"
        assert pour(client, line * 64, 40 * MIB, patience=10) >= 40 * MIB
        # The last send may have been cut anywhere.
        client.send(b"\r\n.\r\n")
        assert client.read().text.startswith("552 5.3.4 ")
        assert client.mail("a@client.test").code == 250
    assert memory(gateway) - before < 8 * MIB
    assert destination.messages == [] and gateway.queue() == []


def test_smuggled_commands_are_never_read_as_commands(gateway, destination):
    """SMTP smuggling: the ends of content that some servers take for CRLF.CRLF."""
    for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n"):
        with gateway.client() as client:
            client.ehlo()
            client.mail("a@client.test")
            client.rcpt("local@example.test")
            client.command("DATA")
            client.send(b"Subject: one\r\n\r\nx" + end + b"MAIL FROM:<evil@client.test>\r\nRCPT TO:<local@example.test>\r\n"
                        b"DATA\r\nSubject: two\r\n\r\ny\r\n.\r\n")
            assert client.read().text.startswith("550 5.6.11 "), end
            assert client.command("NOOP").code == 250
    assert destination.messages == []


def test_another_protocol_is_sent_away(gateway):
    with gateway.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: mx\r\n\r\nEHLO x\r\nMAIL FROM:<a@b.test>\r\n")
        assert client.read().code == 421
        assert client.closed()


def test_a_client_of_errors_is_sent_away(gateway):
    with gateway.client() as client:
        codes = []
        with pytest.raises((Closed, ConnectionError)):
            for _ in range(100):
                codes.append(client.command("FOO").code)
        assert codes[:-1] == [500] * (len(codes) - 1) and codes[-1] == 421
        assert 5 < len(codes) <= 50


def test_a_client_may_vanish_at_any_moment(gateway, destination):
    steps = [b"EHLO c.test\r\n", b"MAIL FROM:<a@client.test>\r\n", b"RCPT TO:<local@example.test>\r\n", b"DATA\r\n",
             b"Subject: x\r\n\r\nx\r\n"]
    for last in range(len(steps) + 1):
        for way in ("close", "abort"):
            client = gateway.client()
            for step in steps[:last]:
                client.send(step)
                if step != steps[-1]:
                    client.read()
            getattr(client, way)()
    assert served(gateway)
    assert len(destination.messages) == 1
    assert gateway.queue() == []
    assert destination.saw("RCPT TO:<local@example.test>")
    until(lambda: all(session.sender is None for session in list(destination._sessions)),
          "no transaction of theirs lives on at the destination", 10)


def test_bytes_one_by_one(gateway, destination):
    with gateway.client() as client:
        for group, codes in ((b"EHLO c.test\r\n", [250]),
                             (b"MAIL FROM:<a@client.test>\r\nRCPT TO:<local@example.test>\r\nDATA\r\n", [250, 250, 354]),
                             (b"Subject: x\r\n\r\n..\r\nx\r\n.\r\nQUIT\r\n", [250, 221])):
            for byte in group:
                client.send(bytes([byte]))
            assert [client.read().code for _ in codes] == codes
    assert destination.messages[0].body == b"Subject: x\r\n\r\n.\r\nx\r\n"
