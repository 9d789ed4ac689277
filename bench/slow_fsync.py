#!/usr/bin/python3
"""Spooling on a disk whose fsync takes long: how far one sync serves many messages.

    bench/slow_fsync.py [--bin build/release/bin] [--sync-ms 10] [--clients 200,20,1] [--out FILE]

The spool lies in the tests' own file system (lossyfs, FUSE), which adds the time. "times one fsync a message" is against
the rate that would be left if each message had a sync to itself: 1000 / sync_ms a second.
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
from support.power_cut import LossyDisk  # noqa: E402


def spool(port, clients):
    done = subprocess.run([pathlib.Path(options.bin) / "smtp-load", "--port", str(port), "--clients", str(clients), "--seconds",
                           str(options.seconds), "--to", "local@example.test"], stdout=subprocess.PIPE, text=True, timeout=600)
    figures = json.loads(done.stdout)
    assert figures["failed"] == 0, figures
    return figures


def measure(gateway, report):
    one_each = 1000 / options.sync_ms
    for clients in map(int, options.clients.split(",")):
        rounds = [spool(gateway.port, clients) for _ in range(options.rounds)]
        rate = statistics.median(r["rate"] for r in rounds)
        report.say(clients, f"spool, fsync of {options.sync_ms} ms, clients: {clients}", f"{rate:.0f}", "messages/s",
                   times_one_fsync_a_message=f"{rate / one_each:.1f}",
                   p50=f"{statistics.median(r['p50_ms'] for r in rounds):.1f}ms",
                   p99=f"{statistics.median(r['p99_ms'] for r in rounds):.1f}ms",
                   **({"goal": "20 times"} if clients >= 200 else {}))


def main():
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory(prefix="hf-slow-", dir="/dev/shm") as folder, LossyDisk(folder, options.sync_ms) as disk:
        gateway = Gateway(destinations={"office": {"servers": ["127.0.0.1:9"], "probe": {"down_after": 1}}},
                          settings={"paths": {"spool": str(disk.mount / "spool")}, "spool": {"reserve": "0%"},
                                    "smtpd": {"workers": options.workers}})
        try:
            gateway.start()
            gateway.wait_state("down")
            measure(gateway, Report(options.out))
        finally:
            gateway.dispose()


if __name__ == "__main__":
    main()
