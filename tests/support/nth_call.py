"""Death at the n-th system call of a daemon, whichever thread makes it: tests/support/faults/nthcall."""

import re
import subprocess
import threading

from . import gateway as _gateway


class NthCall:
    """Kills `pid` as its n-th system call from now on begins; n = 0 only counts. With `child` it is the next
    process that `pid` starts, counted from its first call."""

    def __init__(self, pid, n, child=False):
        self.n, self.count, self.call = n, None, None
        arguments = [_gateway.BIN / "nthcall", *(["--child"] if child else []), str(pid), str(n)]
        self._process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout.readline() == "ready\n", "nthcall could not take hold of the daemon"
        self._over = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        said = self._process.stdout.readline()
        match = re.fullmatch(r"(killed|counted|gone) (\d+)(?: (\d+))?\n", said)
        if match:
            self.count = int(match.group(2))
            self.call = int(match.group(3)) if match.group(1) == "killed" else None
        self._over.set()

    @property
    def killed(self):
        """Whether it has happened."""
        return self._over.is_set() and self.call is not None

    def stop(self):
        """Lets go of the daemon, if it lives; returns whether it was killed."""
        self._process.terminate()
        self._process.wait(10)
        assert self._over.wait(10) and self.count is not None, "nthcall said nothing"
        self._process.stdout.close()
        return self.killed
