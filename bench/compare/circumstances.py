"""What a run's figures depend on: the machine, the disk, the versions."""

import datetime
import os
import statistics
import subprocess
import sys
import tempfile
import time

import accounting
import peers
from measure import machine
from places import BIN


def _told(*words):
    return subprocess.run(words, capture_output=True, text=True).stdout.strip()


def _fdatasync_ms(times=50):
    """Of 4 KiB appended, where the peers' folders lie: the median."""
    took = []
    with tempfile.TemporaryFile() as file:
        for _ in range(times):
            begun = time.monotonic()
            os.pwrite(file.fileno(), bytes(4096), os.fstat(file.fileno()).st_size)
            os.fdatasync(file.fileno())
            took.append((time.monotonic() - begun) * 1000)
    return round(statistics.median(took), 2)


def circumstances(names, skipped):
    """`names` of the peers that run; {name: why not} of the others."""
    folder = tempfile.gettempdir()
    kind = _told("stat", "-f", "-c", "%T", folder)
    if kind in ("tmpfs", "ramfs"):
        print(f"bench: {folder} is no disk: figures of spool and drain say nothing; set TMPDIR", file=sys.stderr)
    return {"at": datetime.datetime.now().isoformat(timespec="minutes"), "machine": machine(), "kernel": _told("uname", "-sr"),
            "disk": f"{kind}, {_fdatasync_ms()} ms for an fdatasync of 4 KiB",
            "commit": _told("git", "-C", str(BIN), "describe", "--always", "--dirty") or "unknown",
            "command": " ".join(["bench/compare", *sys.argv[1:]]), "processor_time": accounting.kind(),
            "versions": {name: peers.ALL[name].version() for name in names}, "skipped": skipped}
