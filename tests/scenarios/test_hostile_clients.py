"""What clients that mean harm cost: little memory, and the others are served meanwhile. Their answers: test_hostile.py."""

import select
import socket
import struct
import time

from support.certificates import Certificates
from support.key_updates import pour as pour_key_updates
from support.waiting import sanitized

MIB = 1 << 20
QUARANTINE = 512 * MIB if sanitized() else 0


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
    assert memory(gateway) - before < 20 * MIB + QUARANTINE
    assert served(gateway)
    for client in clients:
        client.close()


def test_a_line_without_end(gateway):
    before = memory(gateway)
    with gateway.client() as client:
        assert pour(client, b"x" * 65536, 30 * MIB) >= 30 * MIB
        client.send(b"\r\n")
        assert client.read().text == "500 5.5.2 Line too long"
    assert memory(gateway) - before < 4 * MIB + QUARANTINE
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
    assert memory(gateway) - before < 8 * MIB + QUARANTINE
    assert destination.messages == [] and gateway.queue() == []


def test_new_tls_keys_again_and_again_whose_answers_nobody_reads(world, destination):
    """Each request is answered by OpenSSL itself. That net::Stream sends such a peer away is shown without TCP (unit_net,
    TlsFlood): here the kernel may drop what the full client is sent, and the requests get stuck before."""
    certificates = world.keep(Certificates())
    gateway = world.gateway(destination, settings={"tls": certificates.make("mx.example.test")})
    gateway.wait_probed()
    before = memory(gateway)
    with gateway.client() as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.ehlo()
        assert client.command("STARTTLS").code == 220
        client.socket.settimeout(None)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 5, 0))
        asked = pour_key_updates(client.socket.fileno(), 1_000_000)
    assert 1_000 < asked < 1_000_000, "it was sent away, or is stuck"
    assert memory(gateway) - before < 8 * MIB + QUARANTINE
    assert served(gateway)
