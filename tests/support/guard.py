"""Ends what a test run has started if the run itself is killed: gateways, mounts and folders of its own.

    guard.watch("session", sid)     # also "mount" and "folder", with a path
    ...
    guard.over("session", sid)      # it has been ended in the usual way

One process for each run does it, nobody's child, so that it outlives whatever kills the run and its children. It
learns of the run's end by the end of its input.
"""

import atexit
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading

from .processes import in_session

_lock = threading.Lock()
_input = None


def watch(kind, what):
    _tell("watch", kind, what)


def over(kind, what):
    _tell("over", kind, what)


def _tell(word, kind, what):
    global _input
    with _lock:
        if _input is None:
            _input = _start()
            atexit.register(_input.close)
        _input.write(f"{word} {kind} {what}\n")
        _input.flush()


def _start():
    begun = subprocess.Popen([sys.executable, "-m", "support.guard"], cwd=pathlib.Path(__file__).resolve().parents[1],
                             stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
                             start_new_session=True)
    begun.wait()  # it has gone on as a process of init's
    return begun.stdin


def _kill_session(sid):
    while pids := in_session(sid):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


_ENDS = {"session": lambda sid: _kill_session(int(sid)),
         "mount": lambda path: subprocess.run(["fusermount3", "-u", "-z", path]),
         "folder": lambda path: shutil.rmtree(path, ignore_errors=True)}


def _guard():
    watched = {}
    for line in sys.stdin:
        word, kind, what = line.rstrip("\n").split(" ", 2)
        if word == "watch":
            watched[kind, what] = True
        else:
            watched.pop((kind, what), None)
    for kind, end in _ENDS.items():  # in this order: what is open is not unmounted, what is mounted not removed
        for watched_kind, what in watched:
            if watched_kind == kind:
                end(what)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if os.fork() == 0:
        _guard()
