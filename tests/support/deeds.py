"""What a daemon does when somebody has taken it over: one system call at a time, told from outside. The preload
library tests/support/faults/deeds.cc makes it.

    deeds = world.keep(Deeds())
    gateway = world.gateway(destination, env=deeds.env)
    deeds.do(smtpd_pid, "openat", AT_FDCWD, "/etc/shadow", os.O_RDONLY)   # Done(result=-1, error=errno.EACCES)
"""

import collections
import ctypes
import mmap
import os
import signal
import tempfile

from . import gateway as _gateway
from .processes import stat
from .waiting import until

CALLS = ("openat", "execve", "ptrace", "socket", "connect", "bind", "kill", "unlinkat", "mkdirat", "setuid", "mount",
         "renameat", "clone", "tgkill", "close", "process_vm_readv")  # as in deeds.cc
AT_FDCWD = -100

# `killed`: the process did not survive it.
Done = collections.namedtuple("Done", "result error killed", defaults=(False,))


class _Deed(ctypes.Structure):  # struct Deed of deeds.cc
    _fields_ = [("number", ctypes.c_int64), ("arguments", ctypes.c_int64 * 6), ("result", ctypes.c_int64),
                ("error", ctypes.c_int32), ("done", ctypes.c_uint32), ("is_text", ctypes.c_uint32),
                ("texts", (ctypes.c_char * 512) * 2)]


class Deeds:
    def __init__(self):
        library = _gateway.BIN / "libdeeds.so"
        assert library.exists(), f"{library} is not built"
        handle, self.file = tempfile.mkstemp(prefix="hf-deeds-")
        os.fchmod(handle, 0o666)  # of daemons that run as somebody else, too
        os.ftruncate(handle, ctypes.sizeof(_Deed))
        self._map = mmap.mmap(handle, 0)
        os.close(handle)
        self._deed = _Deed.from_buffer(self._map)
        self.env = _gateway.preloading(library) | {"HOLDFAST_DEEDS": self.file}

    def do(self, pid, call, *arguments):
        """`call` by its name in CALLS, or by number; texts and bytes are passed by address."""
        deed = self._deed
        deed.number = CALLS.index(call) if isinstance(call, str) else call
        deed.is_text = deed.done = 0
        texts = 0
        for n, value in enumerate([*arguments, *[0] * (6 - len(arguments))]):
            if isinstance(value, (str, bytes, os.PathLike)):
                raw = value if isinstance(value, bytes) else os.fsencode(value)
                ctypes.memmove(ctypes.addressof(deed.texts[texts]), raw + b"\0", len(raw) + 1)
                deed.is_text |= 1 << n
                value, texts = texts, texts + 1
            deed.arguments[n] = value
        os.kill(pid, signal.SIGUSR2)

        def gone():
            now = stat(pid)
            return now is None or now["state"] in "ZX"
        until(lambda: deed.done or gone(), f"{call} in {pid} is done", every=0.005)
        return Done(deed.result, deed.error) if deed.done else Done(-1, 0, killed=True)

    def stop(self):
        os.unlink(self.file)
