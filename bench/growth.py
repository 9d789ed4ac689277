#!/usr/bin/python3
"""What grows with workers and with destinations, and what a bad destination costs the others.

    bench/growth.py workers [--workers 1,2,4]
    bench/growth.py destinations [--counts 1,10,100,1000]      start, memory, idle processor time
    bench/growth.py bad [--counts 10,100,1000] [--modes …]     mail passes to all, one of them is bad
    bench/growth.py drain [--counts 10,100,1000] [--modes …]   kept mail goes to all, one of them is bad
    bench/growth.py rescan                                     kept mail is put through a filter before it goes

`bad` and `drain` alternate runs at a gateway that is well and at one that has a bad destination and mail for it; every
figure is a median, and so is a ratio, of two runs beside each other. Modes: dead (nothing listens), hang at connect, ehlo, mail, rcpt, data or dot
(what came before is answered), slow (every answer takes 5 s). The good ones are names for one smtp-hole, since
Postfix's smtp-sink walks a list of all its connections for each command.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("what", choices=["workers", "destinations", "bad", "drain", "rescan"])
arguments.add_argument("--bin", default=str(HERE.parent / "build/release/bin"))
arguments.add_argument("--workers", default="1,2,4")
arguments.add_argument("--counts", default="")
arguments.add_argument("--modes", default="dead,connect,ehlo,mail,rcpt,data,dot,slow")
arguments.add_argument("--rounds", type=int, default=3)
arguments.add_argument("--seconds", type=float, default=5, help="of load in a run")
arguments.add_argument("--messages", type=int, default=10000, help="of a drain")
arguments.add_argument("--bad-rate", type=float, default=5, help="messages a second for the bad destination")
arguments.add_argument("--idle", type=float, default=60, help="seconds of idleness")
arguments.add_argument("--out", default="")
options = arguments.parse_args()
os.environ["HOLDFAST_BIN"] = options.bin

from measure import Report, Spent, cpu, machine, memory, mib, pss  # noqa: E402
from support import ports  # noqa: E402
from support.gateway import Gateway  # noqa: E402
from support.waiting import until  # noqa: E402

BIN = pathlib.Path(options.bin)
LONG = 300
SETTLE = 25  # longer than a client waits for the answer to RCPT
report = Report(options.out)


def load(port, recipients, *words):
    """A running smtp-load."""
    return subprocess.Popen([BIN / "smtp-load", "--port", str(port), *map(str, words), "--to", *recipients],
                            stdout=subprocess.PIPE, text=True)


def figures(process):
    text, _ = process.communicate(timeout=LONG)
    return json.loads(text)


def median(values):
    return statistics.median(values)


class Hole:
    """A server that takes all mail: smtp-hole. It may be made bad."""

    def __init__(self):
        self.port, self.process = ports.free_port(), None
        self.server = f"127.0.0.1:{self.port}"
        self.start()

    def start(self, mode="well"):
        self.stop()
        if mode == "dead":
            return
        words = {"well": [], "slow": ["--delay", "5"]}.get(mode, ["--silent-at", mode])
        self.process = subprocess.Popen([BIN / "smtp-hole", "--port", str(self.port), *words])
        until(lambda: not ports.refused(self.port), "smtp-hole listens")

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.process = None


class World:
    """A gateway with `count` destinations, all names of one server but the first, which may be bad."""

    def __init__(self, count, probe="10s", workers=2, **settings):
        self.sink, self.bad = Hole(), Hole()
        self.names = [f"d{i}" for i in range(count)]
        servers = {name: self.sink.server for name in self.names}
        if count > 1:
            servers["d0"] = self.bad.server
        self.gateway = Gateway(
            destinations={name: {"servers": [server], "probe": {"interval": probe}} for name, server in servers.items()},
            domains={f"{name}.test": {"destination": name, "local_recipients": ["local"]} for name in self.names},
            settings={"smtpd": {"workers": workers}, "deliver": {"workers": workers}, **settings})
        self.good = self.names[1:] or self.names
        self.bad_load = None

    def start(self):
        self.gateway.start()
        self.wait_good("up")
        return self

    def destinations(self, names):
        wanted = set(names)
        return [d for d in self.gateway.json("dest", "list") if d["name"] in wanted]

    def wait_good(self, *states):
        until(lambda: all(d["state"] in states and d["last_probe"] for d in self.destinations(self.good)),
              f"all good ones are {states}", LONG, every=0.2)

    def queued(self):
        """Messages for the good ones."""
        return sum(d["queued"] for d in self.destinations(self.good))

    def recipients(self):
        return [f"local@{name}.test" for name in self.good]

    def load(self, *words):
        """Mail for the good ones, to its end: messages a second, processor microseconds of ours a message."""
        with Spent(*self.gateway.session()) as spent:
            done = figures(load(self.gateway.port, self.recipients(), *words))
        assert done["failed"] == 0, done
        return done["rate"], spent.cpu / done["sent"] * 1e6

    def plague(self, mode):
        """From now on d0 is bad, and gets mail all the time."""
        self.bad.start(mode)
        self.bad_load = load(self.gateway.port, ["local@d0.test"], "--rate", options.bad_rate, "--seconds", 3600,
                             "--clients", 2000)

    def end_bad_load(self):
        if self.bad_load is not None:
            self.bad_load.kill()
            self.bad_load.communicate()
        self.bad_load = None

    def close(self):
        self.end_bad_load()
        self.gateway.dispose()
        self.bad.stop()
        self.sink.stop()


class Row:
    """Gateways alike, in turns: one that is well, and for each mode one with a bad destination and mail for it."""

    def __init__(self, count, probe="10s"):
        self.count, self.calm, self.plagued = count, World(count, probe).start(), {}
        for mode in options.modes.split(","):
            self.plagued[mode] = World(count, probe).start()

    def plague(self):
        for mode, world in self.plagued.items():
            world.plague(mode)

    def alternate(self, what, measure):
        """Each run with a bad destination has a run without one right before it."""
        rounds = {mode: [] for mode in self.plagued}
        for _ in range(options.rounds):
            for mode, world in self.plagued.items():
                rounds[mode].append((measure(self.calm), measure(world)))
        for mode, pairs in rounds.items():
            say_load(self.count, f"{what}, {mode}: without it", [c for c, _ in pairs])
            say_load(self.count, f"{what}, {mode}: with it", [p for _, p in pairs],
                     rate_ratio=f"{median(p[0] / c[0] for c, p in pairs):.3f}",
                     cpu_ratio=f"{median(p[1] / c[1] for c, p in pairs):.3f}")

    def close(self):
        for world in (self.calm, *self.plagued.values()):
            world.close()


def counts(default):
    return [int(count) for count in (options.counts or default).split(",")]


def workers():
    """Relay and spool with more and fewer smtpd and deliver."""
    for number in [int(n) for n in options.workers.split(",")]:
        world = World(1, probe="1s", workers=number).start()
        try:
            words = "--seconds", options.seconds, "--clients", 20
            world.load(*words)  # warm
            relayed = [world.load(*words) for _ in range(options.rounds)]
            say_load(number, "relay", relayed)
            report.say(number, "memory (PSS) of all after relaying", mib(pss(*world.gateway.session())))
            world.sink.stop()
            world.wait_good("down")
            spooled = [world.load(*words) for _ in range(options.rounds)]
            say_load(number, "spool", spooled)
            report.say(number, "memory (PSS) of all after spooling", mib(pss(*world.gateway.session())))
        finally:
            world.close()


def say_load(count, name, rounds, **more):
    report.say(count, name, f"{median(r for r, _ in rounds):.0f}", "messages/s",
               cpu_us_a_message=f"{median(c for _, c in rounds):.0f}", **more)


def destinations():
    """What many destinations cost that are all well."""
    for count in counts("1,10,100,1000"):
        world = World(count, probe="120s")
        try:
            begun = time.monotonic()
            world.gateway.start()
            report.say(count, "start to ready", f"{time.monotonic() - begun:.2f}", "s")
            world.wait_good("up")
            report.say(count, "start to all probed", f"{time.monotonic() - begun:.2f}", "s")
            time.sleep(5)
            with Spent(*world.gateway.session()) as spent:
                time.sleep(options.idle)
            report.say(count, f"idle, a probe in 120 s each: {options.idle:.0f} s", f"{spent.cpu:.2f}", "s CPU")
            for name in ("master", "smtpd", "qmgr", "deliver", "prober"):
                most = max(memory(pid)["anonymous"] for pid in world.gateway.pids(name))
                report.say(count, f"anonymous memory of a {name}", mib(most))
            say_load(count, "relay to all in turns", [world.load("--seconds", options.seconds) for _ in range(options.rounds)])
        finally:
            world.close()


def relayed(world):
    return world.load("--seconds", options.seconds, "--clients", 20)


def say_own_cost(row):
    before = {mode: cpu(*world.gateway.session()) for mode, world in row.plagued.items()}
    begun = time.monotonic()
    time.sleep(8)
    for mode, world in row.plagued.items():
        share = (cpu(*world.gateway.session()) - before[mode]) / (time.monotonic() - begun)
        report.say(row.count, f"{mode}: the bad one's mail alone", f"{share * 100:.1f}", "% of a processor")


def bad():
    for count in counts("10,100,1000"):
        row = Row(count)
        try:
            for world in (row.calm, *row.plagued.values()):
                relayed(world)  # connections are made
            row.plague()
            time.sleep(SETTLE)
            say_own_cost(row)
            row.alternate("relay", relayed)
        finally:
            row.close()


def drained(world):
    """Keeps mail for the good ones, and hands it over; (messages a second, processor us a message)."""
    world.sink.stop()
    world.wait_good("down")
    world.load("--messages", options.messages, "--clients", 50)
    until(lambda: world.queued() == options.messages, "all are indexed", LONG)
    world.sink.start()
    with Spent(*world.gateway.session()) as spent:
        until(lambda: world.queued() == 0, "all are handed over", LONG, every=0.1)
    world.wait_good("up")
    return options.messages / spent.wall, spent.cpu / options.messages * 1e6


def drain():
    for count in counts("10,100,1000"):
        row = Row(count, probe="3s")
        try:
            row.plague()
            row.alternate("drain", drained)
        finally:
            row.close()


def rescan():
    """Mail that skipped a filter while its destination was down, beside mail that has none. The filter accepts all."""
    port = ports.free_port()
    judge = subprocess.Popen([BIN / "accept-filter", str(port)])
    plain = World(1, probe="1s").start()
    asked = World(1, probe="1s", filters=[{"name": "accept", "milter": f"inet:127.0.0.1:{port}"}]).start()
    try:
        pairs = [(drained(plain), drained(asked)) for _ in range(options.rounds)]
        say_load(1, "drain: without a filter", [p for p, _ in pairs])
        say_load(1, "drain: each message rescanned", [a for _, a in pairs],
                 rate_ratio=f"{median(a[0] / p[0] for p, a in pairs):.3f}", cpu_ratio=f"{median(a[1] / p[1] for p, a in pairs):.3f}")
        log = asked.gateway.log("deliver")
        assert "rescan" in log, "nothing was rescanned"
    finally:
        plain.close()
        asked.close()
        judge.kill()
        judge.wait()


if __name__ == "__main__":
    print(machine(), flush=True)
    {"workers": workers, "destinations": destinations, "bad": bad, "drain": drain, "rescan": rescan}[options.what]()
