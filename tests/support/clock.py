"""A wall clock that a test sets, for every process of a gateway: what tests/support/faults/clock.cc makes of it.

    clock = world.keep(Clock())
    gateway = world.gateway(destination, env=clock.env)
    clock.set(hours=24)      # from now on a day ahead of the true one
    clock.set()              # true again
"""

import datetime
import os
import struct
import tempfile

from . import gateway as _gateway


class Clock:
    def __init__(self):
        library = _gateway.BIN / "libclock.so"
        assert library.exists(), f"{library} is not built"
        self._file, self._path = tempfile.mkstemp(prefix="hf-clock-")
        self.set()
        self.env = _gateway.preloading(library) | {"HOLDFAST_CLOCK": self._path}

    def set(self, **ahead):
        """The arguments of a timedelta: how far it is ahead of the true clock (negative: behind)."""
        nanoseconds = round(datetime.timedelta(**ahead).total_seconds()) * 10 ** 9
        os.pwrite(self._file, struct.pack("=q", nanoseconds), 0)

    def stop(self):
        os.close(self._file)
        os.unlink(self._path)
