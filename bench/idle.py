#!/usr/bin/python3
"""What idle clients cost: memory a connection, processor time, and what a new client feels of them.

    bench/idle.py [--bin build/release/bin] [--clients 10000] [--workers 2] [--out FILE]

Clients connect, say EHLO, and are silent; then each sends a message and is silent again, since buffers that a
message filled may stay. Both times memory is what all our processes have allocated (smaps_rollup, Anonymous), without
the kernel's sockets. Latency and processor time are of messages one after the other, each on a connection of its own,
from connecting to the answer to the dot: in turns at this gateway and at a second one that has no idle clients, so that
what else this machine does disturbs both. The hard limit of descriptors must be twice the number of clients (ulimit
-Hn): a worker keeps room for a second one a client.
"""

import argparse
import os
import pathlib
import resource
import socket
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("--bin", default=str(HERE.parent / "build/release/bin"))
arguments.add_argument("--clients", type=int, default=10000)
arguments.add_argument("--workers", type=int, default=2)
arguments.add_argument("--messages", type=int, default=1000, help="for each figure of latency")
arguments.add_argument("--out", default="")
options = arguments.parse_args()
os.environ["HOLDFAST_BIN"] = options.bin

from measure import Report, Spent, machine, memory, percentile  # noqa: E402
from support.gateway import Gateway  # noqa: E402
from support.peers import SmtpSink  # noqa: E402

ROUND = 100  # messages at one gateway before it is the other's turn
CONTENT = b"Subject: x\r\n\r\n" + b"x" * 76 + b"\r\n.\r\n"


class Talk:
    """A client's half of a session, as little as can be: bytes out, one reply in."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def reply(self, code):
        text = b""
        while not text.endswith(b"\r\n") or text[text.rfind(b"\n", 0, -2) + 4:][:1] == b"-":
            more = self.socket.recv(4096)
            assert more, f"closed after {text!r}"
            text += more
        assert text.startswith(code), text

    def say(self, words, code=b"250"):
        self.socket.sendall(words)
        self.reply(code)

    def greet(self):
        self.reply(b"220")
        self.say(b"EHLO client.test\r\n")

    def message(self):
        self.say(b"MAIL FROM:<idle@client.test>\r\n")
        self.say(b"RCPT TO:<local@example.test>\r\n")
        self.say(b"DATA\r\n", b"354")
        self.say(CONTENT)

    def close(self):
        self.socket.close()


def gateway_of(sink):
    return Gateway([sink], settings={"smtpd": {
        "workers": options.workers, "max_clients": max(5000, options.clients), "command_timeout": "1h"}})


class Newcomers:
    """Messages of clients that come one after the other, at one gateway."""

    def __init__(self, gateway):
        self.gateway, self.seconds, self.cpu = gateway, [], 0.0

    def send(self, count):
        with Spent(*self.gateway.session()) as spent:
            for _ in range(count):
                begun = time.perf_counter()
                client = Talk(self.gateway.port)
                client.greet()
                client.message()
                self.seconds.append(time.perf_counter() - begun)
                client.close()
        self.cpu += spent.cpu

    def figures(self):
        return (f"p50 {percentile(self.seconds, 50) * 1e3:.2f} ms, p99 {percentile(self.seconds, 99) * 1e3:.2f} ms, "
                f"{self.cpu / len(self.seconds) * 1e6:.0f} us CPU")


class Run:
    def __init__(self):
        self.report = Report(options.out)
        self.sink = SmtpSink("-m", "20000").start()
        self.crowded, self.calm = gateway_of(self.sink), gateway_of(self.sink)
        self.clients = []

    def anonymous(self):
        return sum(memory(pid)["anonymous"] for pid in self.crowded.session())

    def say(self, name, value, **more):
        self.report.say(options.clients, name, value, **more)

    def connect(self):
        for _ in range(options.clients):
            client = Talk(self.crowded.port)
            client.greet()
            self.clients.append(client)

    def compare(self, name):
        crowded, calm = Newcomers(self.crowded), Newcomers(self.calm)
        for _ in range(options.messages // ROUND):
            calm.send(ROUND)
            crowded.send(ROUND)
        self.say(f"{name}: a new client's message", crowded.figures())
        self.say(f"{name}: the same at the gateway without them", calm.figures())

    def measure(self, name, before):
        each = (self.anonymous() - before) / options.clients / 1024
        self.say(f"{name}: memory a client, all our processes", f"{each:.2f} KiB", goal="10 KiB")
        with Spent(*self.crowded.session()) as spent:
            time.sleep(10)
        self.say(f"{name}: processor time of all in 10 s", f"{spent.cpu:.2f} s")
        self.compare(name)

    def run(self):
        for gateway in (self.crowded, self.calm):
            gateway.start()
            gateway.wait_probed()
        self.compare("nobody idle")  # also makes what a first message makes once
        before = self.anonymous()
        self.connect()
        self.measure("idle after EHLO", before)
        for client in self.clients:
            client.message()
        self.measure("idle after a message", before)
        for client in self.clients:
            client.close()

    def close(self):
        self.crowded.dispose()
        self.calm.dispose()
        self.sink.stop()


def main():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    assert hard >= 2 * options.clients, f"{hard} descriptors are not enough"
    print(machine(), flush=True)
    run = Run()
    try:
        run.run()
    finally:
        run.close()


if __name__ == "__main__":
    main()
