#!/usr/bin/python3
"""What a large queue costs. docs/performance.md has the figures of a run.

    bench/scale.py [--bin build/release/bin] [--counts 1000,10000,100000,1000000] [--only PHASE,…] [--out FILE]

For each count a queue is made by make-queue and a gateway started on it, its destination down. Every figure is
printed as it comes, and as one JSON object a line to --out. Work and spool are under TMPDIR: a million messages
of 4 KiB take 9 GB there.
"""

import argparse
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("--bin", default=str(HERE.parent / "build/release/bin"))
arguments.add_argument("--counts", default="1000,10000,100000,1000000")
arguments.add_argument("--only", default="", help="phases, by comma: " + "index,start,idle,list,recovery,expiry,drain,expiry_of_all")
arguments.add_argument("--out", default="")
arguments.add_argument("--size", default="4096")
options = arguments.parse_args()
os.environ["HOLDFAST_BIN"] = options.bin

from measure import Spent, cpu, folder_bytes, machine, memory, mib, peak_anonymous  # noqa: E402
from support import peers, ports  # noqa: E402
from support.destination import Destination  # noqa: E402
from support.gateway import Gateway  # noqa: E402
from support.waiting import until  # noqa: E402

BRIEF = 1800   # lifetime of mail for the domain brief.test; for example.test it is the default, 4 days
OLDEST = 3600  # seconds
LONG = 3600    # patience


class Count:
    """How often words stand in a log, read on from where the last look ended."""

    def __init__(self, path, words):
        self.path, self.words, self.at, self.count = path, words, 0, 0

    def seen(self):
        with open(self.path, "rb") as log:
            log.seek(self.at)
            text = log.read()
        whole = text.rfind(b"\n") + 1
        self.at += whole
        self.count += text[:whole].count(self.words)
        return self.count


class Run:
    """One queue of `count` messages."""

    def __init__(self, count):
        self.count = count
        self.sink_port = ports.free_port()
        office = {"servers": [f"127.0.0.1:{self.sink_port}"], "probe": {"interval": "1s", "down_after": 1}}
        brief = {**office, "retry": [{"until": f"{BRIEF}s", "every": "5m"}]}
        domains = {"example.test": {"destination": "office", "local_recipients": ["local"]}, "brief.test": {"destination": "brief"}}
        self.relay_port = ports.free_port()
        self.gateway = Gateway(destinations={"office": office, "brief": brief}, domains=domains,
                               settings={"bounces": {"relay": f"127.0.0.1:{self.relay_port}"}})
        self.sink = None

    def say(self, name, value, unit="", **more):
        print(f"{self.count:>8}  {name:<44} {value:>12} {unit}  {' '.join(f'{k}={v}' for k, v in more.items())}", flush=True)
        if options.out:
            with open(options.out, "a") as out:
                out.write(json.dumps({"count": self.count, "name": name, "value": value, "unit": unit, **more}) + "\n")

    # tools

    def make(self, count, *words):
        done = subprocess.run([pathlib.Path(options.bin) / "make-queue", "--config", self.gateway.file, "--count", str(count),
                               "--size", options.size, "--senders", str(max(10, self.count // 10)), *words],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def qmgr(self):
        return self.gateway.pids("qmgr")[0]

    def queued(self):
        return self.gateway.status()["queue"]["messages"]

    def wait_indexed(self, count):
        until(lambda: self.queued() >= count, f"{count} messages are indexed", LONG, every=0.2)

    def sink_up(self):
        user = ["-u", "root"] if os.getuid() == 0 else []
        self.sink = subprocess.Popen([peers.PEERS / "usr/sbin/smtp-sink", *user, f"127.0.0.1:{self.sink_port}", "1000"],
                                     env=peers.environment(), stderr=subprocess.DEVNULL)

    def sink_down(self):
        if self.sink is not None:
            self.sink.kill()
            self.sink.wait()
        self.sink = None

    # phases

    def index(self):
        """A queue whose index is new: all must be read from the segments."""
        made = self.make(self.count, "--domain", "example.test", "--age", str(OLDEST))
        self.say("make-queue", made)
        self.say("segments on disk", mib(folder_bytes(self.gateway.spool / "segments")))
        begun = time.monotonic()
        self.accepting(begun, "start on a lost index")
        qmgr = self.qmgr()
        peak = peak_anonymous(qmgr, lambda: self.queued() >= self.count, every=0.2)
        took = time.monotonic() - begun
        self.say("indexing", f"{self.count / took:.0f}", "messages/s", wall=f"{took:.1f}s",
                 cpu_us_a_message=f"{cpu(qmgr) / self.count * 1e6:.0f}")
        self.say("qmgr anonymous, peak while indexing", mib(peak))
        self.say("index on disk", mib(folder_bytes(self.gateway.spool / "index")))
        self.gateway.stop(60)

    def accepting(self, begun, what):
        """Starts the whole; from then to the first 250 after a dot, and to all daemons ready."""
        self.gateway.start(wait=False)

        def banner():
            try:
                return socket.create_connection(("127.0.0.1", self.gateway.port), 0.5)
            except OSError:
                return None
        until(banner, "something listens", 60, every=0.005).close()
        until(lambda: self.gateway.send("local@example.test").code == 250, "mail is accepted", 60, every=0.01)
        accepted = time.monotonic() - begun
        self.gateway.wait_ready()
        self.gateway.wait_running(60)
        self.say(f"{what}: to a 250 after the dot", f"{accepted:.2f}", "s", goal="1 s")
        self.say(f"{what}: to all daemons ready", f"{time.monotonic() - begun:.2f}", "s")

    def start(self):
        self.accepting(time.monotonic(), "start")
        self.gateway.wait_state("down", timeout=60)
        m = memory(self.qmgr())
        self.say("qmgr anonymous, destination down", mib(m["anonymous"]), goal="100 MiB", private=mib(m["private"]),
                 resident=mib(m["mapped"]))

    def idle(self):
        """When what a new index leaves to do (the replanner looks at every message once) is done."""
        pids = self.gateway.session()

        def quiet():
            with Spent(self.qmgr()) as s:
                time.sleep(3)
            return s.cpu == 0
        before = cpu(self.qmgr())
        until(quiet, "qmgr has nothing to do", LONG)
        self.say("qmgr, until it has nothing to do", f"{cpu(self.qmgr()) - before:.2f}", "s CPU")
        with Spent(self.qmgr()) as own, Spent(*self.gateway.pids("alertd")) as watcher, Spent(*pids) as all_of_them:
            time.sleep(30)
        self.say("qmgr, 30 s with all queued and the server down", f"{own.cpu:.2f}", "s CPU", all=f"{all_of_them.cpu:.2f}s",
                 alertd=f"{watcher.cpu:.2f}s")

    def timed(self, name, *words, repeat=5, goal=""):
        """The quickest of some, since others use this machine; gatewayctl's start is in it."""
        best, lines = None, 0
        for _ in range(repeat):
            with Spent() as s:
                done = self.gateway.ctl(*words)
            assert done.returncode == 0, done.stderr
            lines, best = done.stdout.count("\n"), min(s.wall, best or s.wall)
            if s.wall > 5:
                break
        self.say(name, f"{best * 1000:.0f}", "ms", lines=lines, **({"goal": goal} if goal else {}))

    def list(self):
        self.timed("config check, for comparison", "config", "check")
        self.timed("status", "status", "--json")
        self.timed("queue list, first page of 50", "queue", "list", "--limit", "50", "--json", goal="100 ms")
        for part, place in ("middle", self.count // 2), ("end", self.count - 100):
            after = f"{(1 << 40) + place:X}"  # ids of the first writer: they came in this order
            self.timed(f"queue list, a page of 50 from the {part}", "queue", "list", "--limit", "50", "--after", after, "--json", goal="100 ms")
        self.timed("queue list, one sender of 10 messages", "queue", "list", "--sender", "sender3@senders.test", "--json")
        self.timed("queue list, a sender of none", "queue", "list", "--sender", "nobody@senders.test", "--json")
        self.timed("queue list, one recipient", "queue", "list", "--recipient", "user7@example.test", "--json")
        self.timed("queue list, all", "queue", "list", "--json", repeat=1)
        self.timed("queue retry of a sender", "queue", "retry", "--sender", "sender3@senders.test", repeat=1)
        m = memory(self.qmgr())
        self.say("qmgr anonymous after the listings", mib(m["anonymous"]), private=mib(m["private"]))

    def recovery(self):
        """Down to up: the first message behind the probe that saw it, then a tenth of the queue."""
        qmgr, delivers = self.qmgr(), self.gateway.pids("deliver")
        before = self.queued()
        destination = Destination(port=self.sink_port).start()
        first = destination.wait_for(1, 60)[0]
        probe = next(c for c in destination.commands if c.text.upper().startswith("RCPT TO:<POSTMASTER@"))
        self.say("first delivery behind the probe", f"{first.at - probe.at:.3f}", "s", goal="2 s")
        destination.stop()
        self.gateway.wait_state("down", timeout=60)
        self.sink_up()
        part = max(self.count // 10, min(self.count, 500))
        before = self.queued()
        until(lambda: self.queued() < before, "the drain has begun", 60, every=0.05)
        start = self.queued()
        with Spent(qmgr) as own, Spent(*delivers) as theirs:
            until(lambda: self.queued() <= max(0, before - part), "a tenth is handed over", LONG, every=0.1)
            end = self.queued()
        done = max(1, start - end)
        self.say("drain", f"{done / own.wall:.0f}", "messages/s", of=done, qmgr_us=f"{own.cpu / done * 1e6:.0f}",
                 deliver_us=f"{theirs.cpu / done * 1e6:.0f}")
        m = memory(qmgr)
        self.say("qmgr anonymous while draining", mib(m["anonymous"]), goal="100 MiB", private=mib(m["private"]))
        self.sink_down()
        self.gateway.wait_state("down", timeout=60)

    def drain(self):
        """The rest of it, to the last segment's file."""
        before, qmgr = self.queued(), self.qmgr()
        self.sink_up()
        with Spent(qmgr) as own:
            until(lambda: self.queued() == 0, "the queue is empty", LONG, every=0.2)
        self.say("drain to the end", f"{before / own.wall:.0f}", "messages/s", of=before, qmgr_us=f"{own.cpu / max(1, before) * 1e6:.0f}")
        begun = time.monotonic()
        # Two smtpd and qmgr: the segment that a living writer writes to stays.
        until(lambda: len(list((self.gateway.spool / "segments").iterdir())) <= 3, "segments are reclaimed", 120, every=0.2)
        self.say("reclaimed after the last message", f"{time.monotonic() - begun:.1f}", "s")
        m = memory(qmgr)
        self.say("qmgr anonymous, empty again", mib(m["anonymous"]), private=mib(m["private"]))
        self.say("index on disk, empty again", mib(folder_bytes(self.gateway.spool / "index")))
        self.sink_down()

    def expiry(self):
        """1,000 that are due among all others, in a while: down, and no bounce can go out."""
        self.gateway.stop(60)
        due, wait = min(1000, self.count), 20
        self.make(due, "--domain", "brief.test", "--age", str(BRIEF - wait), "--newest", str(BRIEF - wait), "--seed", "7")
        self.gateway.start()
        until(lambda: (self.gateway.status()["queue"]["messages"] or 0) > 0, "it answers", 60)
        before = self.queued()
        qmgr, expired = self.qmgr(), Count(self.gateway.folder / "log/qmgr.log", b"status=expired")
        with Spent(qmgr) as waiting:
            until(lambda: expired.seen() > 0, "expiry has begun", 180, every=0.05)
        with Spent(qmgr) as own:
            until(lambda: expired.seen() >= due, "all that is due has expired", LONG, every=0.05)
        self.say(f"expiry of {due}", f"{own.wall:.2f}", "s", cpu=f"{own.cpu:.2f}s", before_it=f"{waiting.cpu:.2f}s", queued=before)
        bounces = lambda: self.gateway.status()["queue"]["frozen"]  # noqa: E731
        until(lambda: bounces() == due, "all bounces are frozen", 120, every=0.2)
        done = self.gateway.ctl("queue", "delete", "--state", "frozen", "--yes")
        assert done.returncode == 0 and bounces() == 0, done.stderr

    def expiry_of_all(self):
        """All is too old at once: each gets a bounce, which has no road and is frozen."""
        self.gateway.stop(60)
        shutil.rmtree(self.gateway.spool)
        wait = 20 + self.count // 10000  # until all are indexed
        self.make(self.count, "--domain", "brief.test", "--age", str(BRIEF - wait), "--newest", str(BRIEF - wait))
        log = self.gateway.folder / "log/qmgr.log"
        log.unlink()
        self.gateway.start()
        qmgr, expired, bounced = self.qmgr(), Count(log, b"status=expired"), Count(log, b"non-delivery notification")
        until(lambda: expired.seen() > 0, "expiry has begun", LONG, every=0.05)
        with Spent(qmgr) as own:
            until(lambda: bounced.seen() >= self.count, "all have a bounce", LONG, every=0.1)
        self.say("expiry of all, a bounce each", f"{self.count / own.wall:.0f}", "messages/s", wall=f"{own.wall:.1f}s",
                 cpu_us_a_message=f"{own.cpu / self.count * 1e6:.0f}")
        m = memory(qmgr)
        self.say("qmgr anonymous after such an expiry", mib(m["anonymous"]), private=mib(m["private"]))

    def close(self):
        self.sink_down()
        self.gateway.dispose()


PHASES = ["index", "start", "idle", "list", "recovery", "expiry", "drain", "expiry_of_all"]


def main():
    print(machine(), flush=True)
    chosen = [p for p in options.only.split(",") if p] or PHASES
    for count in map(int, options.counts.split(",")):
        run = Run(count)
        try:
            for phase in PHASES:
                if phase in chosen or phase in ("index", "start"):
                    getattr(run, phase)()
            if run.gateway.process is not None:
                run.gateway.stop(60)
        finally:
            run.close()


if __name__ == "__main__":
    main()
