"""Faults of the disk, switched on and off at run time: what the preload library tests/support/faults makes of them.

    faults = Faults()                                     # world.keep(faults): it has a stop()
    gateway = world.gateway(destination, env=faults.env)  # master hands its environment to every daemon
    full = faults.fail("write", gateway.spool / "segments", errno.ENOSPC)
    ...
    full.off()                                            # counts from the next call on
    assert full.hits > 0                                  # a fault nobody met proves nothing

Rules are looked at in the order in which they were made; the first that matches acts. A rule matches a path
that begins with its own, in all programs or the one named.
"""

import ctypes
import mmap
import os
import tempfile

from . import gateway as _gateway
from .waiting import until

OPERATIONS = {name: 1 << bit for bit, name in enumerate((
    "write", "fsync", "fdatasync", "create", "open", "rename", "unlink", "truncate", "allocate", "msync", "mkdir",
    "read", "statvfs"))}
_FOREVER = 2 ** 64 - 1
_RULES = 16


class _Rule(ctypes.LittleEndianStructure):  # struct Rule of faults/rules.h
    _fields_ = [("active", ctypes.c_uint32), ("operations", ctypes.c_uint32), ("error", ctypes.c_int32),
                ("hold", ctypes.c_uint32), *[(name, ctypes.c_uint64) for name in (
                    "delay_us", "part", "skip", "times", "hits", "waiting", "value", "inodes")],
                ("program", ctypes.c_char * 32), ("path", ctypes.c_char * 400)]


class Fault:
    """One rule that is on."""

    def __init__(self, rule):
        self._rule, self._last = rule, None

    @property
    def hits(self):
        """The calls it has met so far."""
        return self._rule.hits if self._last is None else self._last

    @property
    def waiting(self):
        """The calls it holds now."""
        return self._rule.waiting

    def wait_hit(self, count=1, timeout=20):
        until(lambda: self.hits >= count, f"the fault is met {count} times", timeout, every=0.001)
        return self

    def wait_held(self, timeout=20):
        until(lambda: self.waiting > 0, "a call is held", timeout, every=0.001)
        return self

    def release(self):
        """Lets go what is held; the rule stays on, without holding."""
        self._rule.hold = 0

    def off(self):
        if self._last is None:
            self._rule.active = 0
            self._rule.hold = 0
            self._last = self._rule.hits  # the rule may be another fault's from now on

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.off()


class Faults:
    def __init__(self):
        library = _gateway.BIN / "libfaults.so"
        assert library.exists(), f"{library} is not built"
        handle, self.file = tempfile.mkstemp(prefix="hf-faults-")
        os.ftruncate(handle, _RULES * ctypes.sizeof(_Rule))
        self._map = mmap.mmap(handle, 0)
        os.close(handle)
        self._rules = [_Rule.from_buffer(self._map, n * ctypes.sizeof(_Rule)) for n in range(_RULES)]
        self.env = _gateway.preloading(library) | {"HOLDFAST_FAULTS": self.file}

    def fail(self, operations, path, error, **options):
        """`operations` (a name, or several with spaces between) on `path` and below fail with an errno.
        times: so many calls, then no more; skip: the first so many pass; program: only in this one."""
        return self._add(operations, path, error=error, **options)

    def lie(self, operations, path, **options):
        """fsync, fdatasync or unlink say that they have done it, and have not."""
        return self._add(operations, path, error=-1, **options)

    def short(self, path, part, times=1, **options):
        """Writes end after `part` bytes, and say so."""
        return self._add("write", path, part=part, times=times, **options)

    def hold(self, operations, path, error=0, **options):
        """The call does not begin until release() or off()."""
        return self._add(operations, path, hold=1, error=error, **options)

    def slow(self, operations, path, seconds, **options):
        return self._add(operations, path, delay_us=int(seconds * 1e6), **options)

    def free(self, path, free_bytes, inodes=2 ** 31, **options):
        """What statvfs says is free."""
        return self._add("statvfs", path, value=free_bytes, inodes=inodes, **options)

    def _add(self, operations, path, times=None, skip=0, program="", **fields):
        rule = next((r for r in self._rules if not r.active), None)
        assert rule is not None, f"more than {_RULES} faults at once"
        mask = 0
        for name in operations.split():
            mask |= OPERATIONS[name]
        values = {"error": 0, "hold": 0, "delay_us": 0, "part": 0, "value": 0, "inodes": 0, "hits": 0, "waiting": 0,
                  "operations": mask, "skip": skip, "times": _FOREVER if times is None else times,
                  "program": program.encode(), "path": os.fspath(path).encode(), **fields}
        for name, value in values.items():
            setattr(rule, name, value)
        rule.active = 1
        return Fault(rule)

    def clear(self):
        for rule in self._rules:
            rule.active = rule.hold = 0

    def stop(self):
        self.clear()
        os.unlink(self.file)
