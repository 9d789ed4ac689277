"""bench/measure.py counts right."""

import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

import measure  # noqa: E402


def test_percentile_is_one_of_the_values():
    values = [5, 1, 4, 2, 3]
    assert [measure.percentile(values, p) for p in (1, 20, 21, 50, 99, 100)] == [1, 1, 2, 3, 5, 5]
    assert measure.percentile([7], 50) == 7


def test_processor_time_is_of_the_processes_that_were_named():
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        with measure.Spent(busy.pid) as theirs, measure.Spent(os.getpid()) as ours:
            while measure.cpu(busy.pid) < theirs.before + 0.5:
                time.sleep(0.01)
        assert theirs.cpu >= 0.5
        assert ours.cpu < theirs.cpu
    finally:
        busy.kill()
        busy.wait()


def test_memory_is_that_of_the_process():
    held = bytearray(os.urandom(1 << 20) * 32)
    mine = measure.memory(os.getpid())
    assert mine["anonymous"] >= len(held)
    assert measure.pss(os.getpid()) >= len(held)
