"""Issue 5, "how it is shown": after random bytes, connections and aborted transactions in great numbers smtpd has the
memory and the descriptors it began with. Long: 10,000,000 bytes, 100,000 connections, 10,000 transactions; short: a
hundredth. Of each a part comes by TLS, and a part while the destination is down.

What it began with is measured behind a first round of the same kind: buffers, tables and OpenSSL's own have grown once.
Tried with a fault put in (22 Nov): 2,000 bytes leaked a connection make the short form fail, by 1.5 MiB over its bound.
"""

import concurrent.futures
import os
import random
import ssl

import pytest

from support.certificates import Certificates, client_context
from support.processes import rss_kib
from support.smtp_client import Closed, SmtpClient
from support.waiting import patient, until

LONG = bool(os.environ.get("HOLDFAST_LONG"))
SCALE = 1 if LONG else 100
BYTES, CONNECTIONS, TRANSACTIONS = 10_000_000 // SCALE, 100_000 // SCALE, 10_000 // SCALE
FIRST = 20 if LONG else 1  # how much shorter the first round is
AT_ONCE = 8
# KiB of a worker: what malloc may keep in pieces. Of a connection that is 30 bytes in the long form, 1 KiB in the short one.
GROWTH = 3 << 10 if LONG else 1 << 10
LOST = (Closed, AssertionError, OSError, ssl.SSLError)

WORDS = [b"EHLO c.test\r\n", b"HELO c\r\n", b"MAIL FROM:<a@client.test>\r\n", b"RCPT TO:<local@example.test>\r\n", b"DATA\r\n", b".\r\n",
         b"BDAT 10\r\n", b"BDAT 100000 LAST\r\n", b"RSET\r\n", b"STARTTLS\r\n", b"NOOP\r\n", b"QUIT\r\n", b"\r\n", b"\n", b"\r", b"\0"]
SETTLED = b"EHLO c.test\r\n", b"MAIL FROM:<a@client.test>\r\n", b"RCPT TO:<local@example.test>\r\n", b"DATA\r\n"


@pytest.fixture
def certificates(world):
    return world.keep(Certificates())


@pytest.fixture
def gateway(world, destination, certificates):
    made = world.gateway(destination, settings={
        "tls": certificates.make("mx.example.test"),
        "smtpd": {"workers": 1, "lookup": "off", "trusted_networks": ["127.0.0.0/8"], "message_size_limit": "4MiB"}})
    made.wait_probed()
    return made


class Soak:
    """The clients. Each piece of work has a seed of its own, so that a run can be had again."""

    def __init__(self, port, seed):
        self.port, self.seed, self.context = port, seed, client_context()

    def connect(self, pick):
        source = (f"127.4.{pick.randrange(250)}.{pick.randrange(1, 250)}", 0)
        return SmtpClient(self.port, timeout=patient(30), greet=False, source=source)

    def run(self, work, count):
        """work(pick) so often, with several at a time; the sum of what it says."""
        def some(share):
            return sum(work(random.Random(f"{self.seed} {work.__name__} {number}")) for number in share)
        shares = [range(at, count, AT_ONCE) for at in range(AT_ONCE)]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            return sum(pool.map(some, shares))

    def end(self, client, pick):
        try:
            pick.choice((client.close, client.abort, client.abort, lambda: client.socket.shutdown(1)))()
        except OSError:
            pass
        client.close()

    def settle(self, client, pick, steps):
        """The first steps of a session, in the clear or by TLS."""
        client.read()
        if pick.random() < 0.05:
            client.ehlo()
            client.command("STARTTLS")
            client.start_tls(self.context)
        for step in SETTLED[:steps]:
            client.send(step)
            client.read()

    def noise(self, pick):
        """Random bytes, or words of the language in a random order, at a random step; how many."""
        client, sent = self.connect(pick), 0
        try:
            if pick.random() < 0.8:
                self.settle(client, pick, pick.randrange(5))
            for _ in range(pick.randrange(1, 20)):
                raw = pick.randbytes(pick.randrange(1, 400)) if pick.random() < 0.5 else pick.choice(WORDS)
                client.send(raw)
                sent += len(raw)
        except LOST:
            pass
        self.end(client, pick)
        return sent

    def connection(self, pick):
        """One that comes, says more or less, and goes."""
        client = self.connect(pick)
        try:
            kind = pick.random()
            if kind < 0.5:
                client.read()
            if kind < 0.1:
                self.settle_again(client, pick)
        except LOST:
            pass
        self.end(client, pick)
        return 1

    def settle_again(self, client, pick):
        """EHLO, and often more: the banner is read."""
        client.ehlo()
        if pick.random() < 0.1:
            client.command("STARTTLS")
            client.start_tls(self.context)
            client.ehlo()
        if pick.random() < 0.1:
            client.mail("a@client.test")
            client.rcpt("local@example.test")
        if pick.random() < 0.5:
            client.command("QUIT")

    def transaction(self, pick):
        """Content that is cut off at a random byte, in DATA or in a chunk."""
        client = self.connect(pick)
        size = int(10 ** pick.uniform(0, 6.3 if pick.random() < 0.05 else 4.5))
        try:
            if pick.random() < 0.7:
                self.settle(client, pick, 4)
                client.send(b"Subject: soak\r\n\r\n" + (b"x" * 76 + b"\r\n") * (size // 78 + 1))
            else:
                self.settle(client, pick, 3)
                client.send(b"BDAT %d LAST\r\n" % (size + 1) + b"x" * size)
        except LOST:
            pass
        self.end(client, pick)
        return 1


def measure(gateway):
    """(KiB, descriptors) of each worker, when no client is left; the destination is down, so there is no connection to it."""
    until(lambda: gateway.status()["clients"]["now"] == 0, "all clients have gone", 60)
    return {pid: (rss_kib(pid), len(os.listdir(f"/proc/{pid}/fd"))) for pid in gateway.pids("smtpd")}


def descriptors(measured):
    return {pid: count for pid, (_, count) in measured.items()}


def everything(gateway, destination, soak, share):
    """Half of it while the destination is up, half while it is down; how many random bytes, and what smtpd has then."""
    noise = 0
    for bytes_until in (BYTES // share // 2, BYTES // share):
        while noise < bytes_until:
            noise += soak.run(soak.noise, 40)
        soak.run(soak.connection, CONNECTIONS // share // 2)
        soak.run(soak.transaction, TRANSACTIONS // share // 2)
        if bytes_until < BYTES // share:
            destination.close()
            gateway.wait_state("down")
    assert gateway.send("local@example.test").text.startswith("250 2.0.0 Ok: queued as ")  # a segment is open, each time
    return noise, measure(gateway)


def test_smtpd_has_what_it_began_with(gateway, destination):
    seed = os.environ.get("HOLDFAST_SEED", str(random.randrange(1 << 32)))
    soak = Soak(gateway.port, seed)
    _, before = everything(gateway, destination, soak, FIRST)
    destination.start()
    gateway.wait_state("up")
    gateway.wait_queue(0, 60)
    sent, after = everything(gateway, destination, soak, 1)
    print(f"seed {seed}: {sent} random bytes, {CONNECTIONS} connections, {TRANSACTIONS} transactions; "
          f"a worker's (KiB, descriptors) before {before}, after {after}")
    until(lambda: descriptors(measure(gateway)) == descriptors(before), f"the descriptors it began with: {before}, {after}", 30)
    for pid, (kib, _) in measure(gateway).items():
        assert kib - before[pid][0] <= GROWTH, (before, after)
    destination.start()
    gateway.wait_state("up")
    assert gateway.send("local@example.test").code == 250
