"""Ports of one's own, although many tests run at once.

They lie below the kernel's ephemeral range, so that no outgoing connection takes one while a test has it
closed, and each is held by a lock file until its process ends.
"""

import fcntl
import os
import random
import socket
import tempfile

FIRST, LAST = 12000, 31999
_LOCKS = os.path.join(tempfile.gettempdir(), f"holdfast-test-ports-{os.getuid()}")
_held = {}


def _lock(port):
    os.makedirs(_LOCKS, exist_ok=True)
    fd = os.open(os.path.join(_LOCKS, str(port)), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return False
    _held[port] = fd
    return True


def _free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port():
    for _ in range(1000):
        port = random.randint(FIRST, LAST)
        if port not in _held and _lock(port):
            if _free(port):
                return port
            os.close(_held.pop(port))
    raise RuntimeError("no free port")


def refused(port):
    """Whether nothing listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) != 0
