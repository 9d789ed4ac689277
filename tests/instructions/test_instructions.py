"""The hot paths do not grow dearer unnoticed: instructions a message, counted by callgrind (issue 4).

hot_paths does what smtpd does with the bytes of a message (its head says what), without socket, disk or clock, so the count
hardly changes from run to run, and not at all with the machine's speed. Each is counted with a few messages and with many: the
difference is what a message costs, without the program's start. instructions.json holds what was measured when it was last
renewed; more than 10 % above it fails. After a change that is worth its cost, or with another compiler, renew it, and commit it:

    HOLDFAST_RENEW=1 HOLDFAST_BIN=build/release/bin /usr/bin/python3 -m pytest -s tests/instructions

What a function costs: the file callgrind.out.* of `valgrind --tool=callgrind build/release/bin/hot_paths relay 1000`, shown by
callgrind_annotate.

Tried: with a second checksum over each record's content the spool's count was over its limit.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

BIN = pathlib.Path(os.environ["HOLDFAST_BIN"]).absolute()
FIGURES = pathlib.Path(__file__).parent / "instructions.json"
FEW, MANY = 50, 550
ALLOWED = 1.10


def instructions(path, count, folder):
    done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", BIN / "hot_paths", path,
                           str(count)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1))


@pytest.mark.parametrize("path", ["relay", "spool"])
def test_no_dearer_than_it_was(path, tmp_path):
    assert shutil.which("valgrind"), "valgrind is missing: tools/install-deps all"
    count = (instructions(path, MANY, tmp_path) - instructions(path, FEW, tmp_path)) // (MANY - FEW)
    known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    print(f"{path}: {count} instructions a message; {known.get(path)} when it was last renewed")
    if os.environ.get("HOLDFAST_RENEW"):
        FIGURES.write_text(json.dumps({**known, path: count}, indent=1, sort_keys=True) + "\n")
    else:
        assert count <= known[path] * ALLOWED, f"{path}: {count} instructions a message, {known[path]} when it was last renewed"
