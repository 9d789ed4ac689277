"""The fault-injecting preload does to a process what tests think it does."""

import errno
import os
import subprocess
import sys

import pytest

from support.faults import Faults
from support.waiting import until

# Does each call on files in the folder given, and says what came of it.
CALLS = """
import os, sys
folder = sys.argv[1]
def say(name, call):
    try:
        print(name, call(), flush=True)
    except OSError as error:
        print(name, "errno", error.errno, flush=True)
for line in sys.stdin:
    name = line.strip()
    path = os.path.join(folder, "file")
    fd = os.open(path, os.O_RDWR)
    say(name, {
        "write": lambda: os.write(fd, b"x" * 100),
        "pwrite": lambda: os.pwrite(fd, b"x" * 100, 50),
        "writev": lambda: os.writev(fd, [b"x" * 60, b"y" * 60]),
        "pwritev": lambda: os.pwritev(fd, [b"x" * 60, b"y" * 60], 0),
        "fsync": lambda: os.fsync(fd),
        "fdatasync": lambda: os.fdatasync(fd),
        "create": lambda: os.close(os.open(path + "2", os.O_CREAT | os.O_WRONLY)),
        "rename": lambda: os.rename(path + "2", path + "3"),
        "unlink": lambda: os.unlink(path + "3"),
        "truncate": lambda: os.ftruncate(fd, 1000),
        "allocate": lambda: os.posix_fallocate(fd, 0, 5000),
        "mkdir": lambda: os.mkdir(os.path.join(folder, "d")),
        "read": lambda: len(os.read(fd, 10)),
        "statvfs": lambda: os.statvfs(folder).f_bavail,
    }[name])
    os.close(fd)
"""

OPERATION_OF = {"pwrite": "write", "writev": "write", "pwritev": "write"}
FAILING = ["write", "pwrite", "writev", "pwritev", "fsync", "fdatasync", "create", "rename", "unlink", "truncate",
           "allocate", "mkdir", "read"]


class Victim:
    def __init__(self, faults, folder):
        (folder / "file").write_bytes(b"z" * 200)
        self.process = subprocess.Popen([sys.executable, "-c", CALLS, folder], stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE, env={**os.environ, **faults.env})

    def tell(self, name):
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()

    def answer(self):
        return self.process.stdout.readline().strip()

    def do(self, name):
        self.tell(name)
        return self.answer()

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture
def faults(world):
    return world.keep(Faults())


@pytest.fixture
def victim(world, faults, tmp_path):
    return world.keep(Victim(faults, tmp_path))


@pytest.mark.parametrize("call", FAILING)
def test_a_call_fails_while_it_is_told_to(victim, faults, tmp_path, call):
    if call in ("rename", "unlink"):
        victim.do("create")
    if call == "unlink":
        victim.do("rename")
    for code in (errno.ENOSPC, errno.EIO):
        with faults.fail(OPERATION_OF.get(call, call), tmp_path, code) as fault:
            assert victim.do(call) == f"{call} errno {code}"
            assert fault.hits == 1
        assert fault.hits == 1
    with faults.fail(OPERATION_OF.get(call, call), tmp_path / "elsewhere", errno.EIO) as fault:
        assert "errno" not in victim.do(call)
        assert fault.hits == 0


def test_only_some_calls_fail(victim, faults, tmp_path):
    with faults.fail("fsync", tmp_path, errno.EIO, skip=2, times=1) as fault:
        said = [victim.do("fsync") for _ in range(5)]
        assert [("errno" in words) for words in said] == [False, False, True, False, False]
        assert fault.hits == 1
    with faults.fail("fsync", tmp_path, errno.EIO, program="another"):
        assert "errno" not in victim.do("fsync")


@pytest.mark.parametrize("call", ["write", "pwrite", "writev", "pwritev"])
def test_a_write_falls_short(victim, faults, tmp_path, call):
    faults.short(tmp_path, 70)
    assert victim.do(call) == f"{call} 70"
    assert int(victim.do(call).split()[1]) >= 100


def test_a_call_is_held(victim, faults, tmp_path):
    with faults.hold("fdatasync", tmp_path) as fault:
        victim.tell("fdatasync")
        fault.wait_held()
        fault.release()
        assert victim.answer() == "fdatasync None"
    until(lambda: fault.waiting == 0, "nobody waits")


def test_an_unlink_that_is_a_lie(victim, faults, tmp_path):
    victim.do("create")
    victim.do("rename")
    with faults.lie("unlink", tmp_path):
        assert victim.do("unlink") == "unlink None"
        assert (tmp_path / "file3").exists()
    assert victim.do("unlink") == "unlink None"
    assert not (tmp_path / "file3").exists()


def test_free_space_is_what_it_is_told(victim, faults, tmp_path):
    with faults.free(tmp_path, 123 * os.statvfs(tmp_path).f_frsize):
        assert victim.do("statvfs") == "statvfs 123"
    assert victim.do("statvfs") != "statvfs 123"
