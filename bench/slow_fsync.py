#!/usr/bin/python3
"""Spooling on a disk whose fsync takes long: how far one sync serves many messages.

    bench/slow_fsync.py [--bin build/release/bin] [--sync-ms 10] [--clients 200,20,1] [--out FILE]

The spool lies in the tests' own file system (lossyfs, FUSE), which adds the time. "times one fsync a message" is against
the rate that would be left if each message had a sync to itself: 1000 / sync_ms a second. "messages a sync" is counted
in the file system's log, and does not depend on the machine.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("--bin", default=str(HERE.parent / "build/release/bin"))
arguments.add_argument("--sync-ms", type=int, default=10)
arguments.add_argument("--clients", default="200,20,1")
arguments.add_argument("--workers", type=int, default=2)
arguments.add_argument("--rounds", type=int, default=3)
arguments.add_argument("--seconds", type=float, default=5, help="of load in a round")
arguments.add_argument("--out", default="")
options = arguments.parse_args()
os.environ["HOLDFAST_BIN"] = options.bin

from measure import Report, machine  # noqa: E402
from support.gateway import Gateway  # noqa: E402
from support.power_cut import CREATE, DURABLE_WRITE, MAKE_FOLDER, SYNC, ChangeLog, LossyDisk  # noqa: E402


def spool(port, clients):
    done = subprocess.run([pathlib.Path(options.bin) / "smtp-load", "--port", str(port), "--clients", str(clients), "--seconds",
                           str(options.seconds), "--to", "local@example.test"], stdout=subprocess.PIPE, text=True, timeout=600)
    figures = json.loads(done.stdout)
    assert figures["failed"] == 0, figures
    return figures


class Run:
    def __init__(self, clients, rounds):
        self.clients, self.sent = clients, sum(r["sent"] for r in rounds)
        self.rate, self.p50, self.p99 = (statistics.median(r[name] for r in rounds) for name in ("rate", "p50_ms", "p99_ms"))

    def say(self, report, log):
        report.say(self.clients, f"spool, fsync of {options.sync_ms} ms", f"{self.rate:.0f}", "messages/s",
                   times_one_fsync_a_message=f"{self.rate * options.sync_ms / 1000:.1f}",
                   messages_a_sync=f"{self.sent / segment_syncs(log, self.clients):.1f}",
                   p50=f"{self.p50:.1f}ms", p99=f"{self.p99:.1f}ms", **({"goal": "20 times"} if self.clients >= 200 else {}))


def measure(gateway, disk):
    runs = []
    for clients in map(int, options.clients.split(",")):
        disk.mark(f"begin {clients}")
        runs.append(Run(clients, [spool(gateway.port, clients) for _ in range(options.rounds)]))
        disk.mark(f"end {clients}")
    return runs


def segment_syncs(log, clients):
    """How often a segment's file was synced meanwhile."""
    folder = next(c.node for c in log.changes if c.kind == MAKE_FOLDER and c.name == "segments")
    segments = {c.node for c in log.changes if c.kind == CREATE and c.folder == folder}
    between = log.changes[log.position(f"begin {clients}"):log.position(f"end {clients}")]
    return sum(c.kind in (SYNC, DURABLE_WRITE) and c.node in segments for c in between)


def main():
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory(prefix="hf-slow-", dir="/dev/shm") as folder:
        with LossyDisk(folder, options.sync_ms) as disk:
            gateway = Gateway(destinations={"office": {"servers": ["127.0.0.1:9"], "probe": {"down_after": 1}}},
                              settings={"paths": {"spool": str(disk.mount / "spool")}, "spool": {"reserve": "0%"},
                                        "smtpd": {"workers": options.workers}})
            try:
                gateway.start()
                gateway.wait_state("down")
                runs = measure(gateway, disk)
            finally:
                gateway.dispose()
        log, report = ChangeLog(disk.log), Report(options.out)
        for run in runs:
            run.say(report, log)


if __name__ == "__main__":
    main()
