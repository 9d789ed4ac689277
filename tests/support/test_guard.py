"""A run that is killed leaves no process and no folder behind."""

import pathlib
import subprocess
import sys

import pytest

from .processes import in_session
from .waiting import until

# A run that starts a process with a child and makes two folders; it has ended with one of them itself.
RUN = """
import os, pathlib, subprocess, sys
sys.path.insert(0, sys.argv[1])
from support import guard
process = subprocess.Popen(["/bin/sh", "-c", "sleep 1000 & wait"], start_new_session=True, stdout=subprocess.DEVNULL)
guard.watch("session", process.pid)
for name in ("left", "ended"):
    folder = pathlib.Path(sys.argv[2], name)
    (folder / "inside").mkdir(parents=True)
    guard.watch("folder", folder)
guard.over("folder", folder)
print(process.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_what_a_killed_run_leaves(tmp_path, how):
    run = subprocess.Popen([sys.executable, "-c", RUN, pathlib.Path(__file__).resolve().parents[1], tmp_path],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    sid = int(run.stdout.readline())
    until(lambda: len(in_session(sid)) == 2, "both processes run")
    getattr(run, how)()
    run.wait(10)
    until(lambda: not in_session(sid), "they have been ended")
    until(lambda: not (tmp_path / "left").exists(), "its folder is gone")
    assert (tmp_path / "ended").exists(), "what it had ended with itself is let be"
    for pipe in (run.stdin, run.stdout):
        pipe.close()
