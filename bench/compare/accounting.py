"""What a set of processes costs, as the kernel counts it: everything that was started in a group, and what that started.

A cgroup (v1 or v2) counts exactly, the ended processes too. Where none can be made, /proc is read: what a process
spent that ended and was waited for is in its parent's figures; only what an orphan spent is lost.
"""

import errno
import os
import pathlib
import re
import signal
import time

import places  # noqa: F401  the next two are found by it
from measure import TICK
from support.waiting import until

_ROOT = pathlib.Path("/sys/fs/cgroup")


def _alive(pid):
    """(parent, session, seconds of it and of the children it has waited for), or None."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_bytes().rsplit(b")", 1)[1].split()
    except OSError:
        return None
    return int(fields[1]), int(fields[3]), sum(map(int, fields[11:15])) / TICK


class _Processes:
    """What all kinds of groups have in common. A kind has enter() (called in a child before exec), pids(), cpu()."""

    def __init__(self):
        self.children = []

    def started(self, process):
        """Tells of a subprocess.Popen that has entered, with a session of its own."""
        self.children.append(process)

    def memory_mib(self):
        """Proportional set sizes together: a page that several share counts once."""
        kib = 0
        for pid in self.pids():
            try:
                text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            kib += int(re.search(r"^Pss:\s+(\d+)", text, re.M).group(1))
        return kib / 1024

    def wait_quiet(self, limit=10, window=0.25, share=0.05):
        """Until it uses less than `share` of a processor during a `window` of seconds; gives up after `limit`."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            before = self.cpu()
            time.sleep(window)
            if self.cpu() - before < window * share:
                return

    def end(self, limit=10):
        """SIGTERM to all, SIGKILL to those that stay; returns when none is left."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + limit
            told = set()
            while (pids := self.pids()) and time.monotonic() < deadline:
                for pid in set(pids) - told:
                    told.add(pid)
                    try:
                        os.kill(pid, number)
                    except ProcessLookupError:
                        pass
                self._reap()
                time.sleep(0.02)
        self._reap()
        self.close()

    def _reap(self):
        for process in self.children:
            process.poll()

    def close(self):
        pass


class Cgroup(_Processes):
    """One folder of a cgroup hierarchy; `usage` is the file that counts, `seconds` makes seconds of its text."""

    def __init__(self, folder, usage, seconds):
        super().__init__()
        self.folder, self.usage, self.seconds = folder, folder / usage, seconds
        folder.mkdir()
        try:
            self.cpu(), self.pids()
        except OSError:
            folder.rmdir()
            raise

    @classmethod
    def v1(cls, name):
        return cls(_ROOT / "cpuacct" / name, "cpuacct.usage", lambda text: int(text) / 1e9)

    @classmethod
    def v2(cls, name):
        root = _ROOT if (_ROOT / "cgroup.procs").exists() else _ROOT / "unified"
        return cls(root / name, "cpu.stat", lambda text: int(re.search(r"usage_usec (\d+)", text).group(1)) / 1e6)

    def enter(self):
        (self.folder / "cgroup.procs").write_text("0")

    def pids(self):
        return [int(pid) for pid in (self.folder / "cgroup.procs").read_text().split()]

    def cpu(self):
        return self.seconds(self.usage.read_text())

    def close(self):
        until(self._removed, f"{self.folder} can be removed")

    def _removed(self):
        """Busy while the kernel still clears up after the last process."""
        try:
            self.folder.rmdir()
        except OSError as error:
            if error.errno == errno.EBUSY:
                return False
            raise
        return True


class ProcessTree(_Processes):
    """Descendants of what was started, found by parent and by session; for machines without a cgroup of our own."""

    def __init__(self):
        super().__init__()
        self.known, self.sessions = set(), set()

    def enter(self):
        """Nothing to do: who is begun with start_new_session is found by that."""

    def started(self, process):
        super().started(process)
        self.known.add(process.pid)
        self.sessions.add(process.pid)

    def _look(self):
        found = {int(e): _alive(int(e)) for e in os.listdir("/proc") if e.isdigit()}
        found = {pid: stat for pid, stat in found.items() if stat}
        self.known &= found.keys()
        grown = True
        while grown:
            more = {pid for pid, (parent, session, _) in found.items()
                    if pid not in self.known and (parent in self.known or session in self.sessions)}
            self.known |= more
            self.sessions |= {found[pid][1] for pid in more if found[pid][1] == pid}
            grown = bool(more)
        return {pid: found[pid] for pid in self.known}

    def pids(self):
        return list(self._look())

    def cpu(self):
        return sum(seconds for _, _, seconds in self._look().values())


def group(name):
    """The most exact kind of group that this machine allows."""
    for kind in (Cgroup.v1, Cgroup.v2):
        try:
            return kind(f"{name}-{os.getpid()}")
        except OSError:
            continue
    return ProcessTree()


def kind():
    """How it counts, in words for the report."""
    made = group("holdfast-bench-kind")
    made.close()
    return "cgroup" if isinstance(made, Cgroup) else "/proc"
