"""Where programs lie, and how unpacked ones are run."""

import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("HOLDFAST_BIN", ROOT / "build/release/bin"))
PEERS = pathlib.Path(os.environ.get("HOLDFAST_PEERS", ROOT / "build/peers"))
BENCH_PEERS = PEERS / "bench"
OUT = ROOT / "build/bench"

# What benchmarks share, and the tests' own tools.
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests")]

LIBRARIES = ":".join(str(path) for path in (
    PEERS / "usr/lib/postfix", PEERS / "usr/lib/x86_64-linux-gnu", PEERS / "lib/x86_64-linux-gnu",
    BENCH_PEERS / "usr/lib/x86_64-linux-gnu", BENCH_PEERS / "lib/x86_64-linux-gnu"))


def environment(**more):
    return {**os.environ, "LD_LIBRARY_PATH": LIBRARIES, **more}
