"""Behind locked doors (issue 5, item 8): what a daemon has no right to (docs/security.md) it cannot do, even when
somebody has taken it over. The deeds are done inside the running daemons by tests/support/deeds.

The last test does them with `sandbox: false`, where they go well: they are real."""

import errno
import os
import pwd
import socket
import struct

import pytest

from support.certificates import Certificates
from support.deeds import AT_FDCWD, Deeds
from support.waiting import until

DAEMONS = ("alertd", "prober", "qmgr", "deliver", "smtpd")
CONTENT = b"Subject: doors\r\n\r\nx\r\n"


def status(pid):
    with open(f"/proc/{pid}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def landlock():
    """Of this kernel; 0: none."""
    import ctypes
    libc = ctypes.CDLL(None)
    return max(libc.syscall(444, None, 0, 1), 0)


class Doors:
    def __init__(self, world, **settings):
        self.deeds = world.keep(Deeds())
        self.gateway = world.gateway(world.destination(), env=self.deeds.env, settings={
            "smtpd": {"workers": 1}, "deliver": {"workers": 1}, **settings})
        self.gateway.wait_probed()
        if "built with sanitizers" in self.gateway.log("smtpd"):
            pytest.skip("a build with sanitizers closes no doors")

    def pid(self, name):
        return self.gateway.pids(name)[0]

    def do(self, name, call, *arguments):
        return self.deeds.do(self.pid(name), call, *arguments)

    def open(self, name, path, flags=os.O_RDONLY):
        """0 or an errno."""
        done = self.do(name, "openat", AT_FDCWD, path, flags | os.O_CLOEXEC, 0o600)
        if done.result >= 0:
            self.do(name, "close", done.result)
        return done.error


@pytest.fixture
def certificates(world):
    return world.keep(Certificates())


@pytest.fixture
def doors(world):
    return Doors(world)


def test_nobody_but_master_has_privileges(doors):
    for name in DAEMONS:
        facts = status(doors.pid(name))
        assert facts["NoNewPrivs"] == "1" and facts["Seccomp"] == "2", (name, facts)
        for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(facts[kind], 16) == 0, (name, kind, facts[kind])
        if os.geteuid() == 0:
            assert int(facts["CapBnd"], 16) == 0, name
            assert facts["Groups"].split() == [], name


@pytest.mark.skipif(landlock() < 2, reason="this kernel has no Landlock")
def test_folders_of_others_are_closed(doors):
    gateway = doors.gateway
    assert gateway.send("local@example.test", content=CONTENT).code == 250
    spool, state, run = gateway.spool, gateway.folder / "state", gateway.folder / "run"
    write, make = os.O_RDWR, os.O_RDWR | os.O_CREAT
    closed = {
        "smtpd": [(spool / "index/data.mdb", os.O_RDONLY), (spool / "index/data.mdb", write), (spool / "index/lock.mdb", write),
                  (spool / "ballast", write), (spool / "new", make), (state / "directory/data.mdb", write),
                  (state / "token", write), (state / "writer-number", os.O_RDONLY), (run / "running.yaml", write),
                  (run / "new", make)],
        "deliver": [(spool / "index/data.mdb", os.O_RDONLY), (spool / "segments/new", make),
                    (state / "directory/data.mdb", write), (run / "new", make), (run / "running.yaml", write)],
        "alertd": [(spool / "index/data.mdb", write), (spool / "segments", os.O_RDONLY), (state / "directory/data.mdb", write),
                   (state / "token", os.O_RDONLY), (run / "new", make)],
        "prober": [(spool / "index/data.mdb", os.O_RDONLY), (spool / "segments/new", make), (run / "new", make),
                   (run / "locks/deliver.0.lock", write)],
        "qmgr": [(state / "directory/data.mdb", write), (state / "token", os.O_RDONLY), (run / "new", make)],
    }
    for name in DAEMONS:
        everywhere = [(gateway.file, os.O_RDONLY), ("/etc/passwd", write), ("/etc/shadow", os.O_RDONLY), ("/etc/new-file", make),
                      (gateway.folder / "new", make), ("/tmp/new-file", make), ("/root", os.O_RDONLY), ("/proc/1/environ", os.O_RDONLY),
                      (f"/proc/{os.getpid()}/mem", write), ("/dev/mem", os.O_RDONLY), (gateway.folder / "log/master.log", os.O_RDONLY)]
        for path, flags in closed[name] + everywhere:
            assert doors.open(name, path, flags) in (errno.EACCES, errno.EPERM, errno.ENOENT), (name, path, flags)
            if flags == make:
                assert not os.path.exists(path), (name, path)
    # What one folder has cannot be carried into another, nor taken away.
    segment = next((spool / "segments").glob("*"), None)
    assert doors.do("smtpd", "renameat", AT_FDCWD, run / "running.yaml", AT_FDCWD, run / "x").error in (errno.EACCES, errno.EXDEV)
    if segment is not None:
        assert doors.do("deliver", "unlinkat", AT_FDCWD, segment, 0).error == errno.EACCES
    assert doors.do("smtpd", "mkdirat", AT_FDCWD, gateway.folder / "new", 0o700).error == errno.EACCES
    # And what each needs stands open.
    assert doors.open("smtpd", state / "directory/data.mdb") == 0
    assert doors.open("qmgr", spool / "index/data.mdb", write) == 0
    assert doors.open("prober", state / "directory/data.mdb", write) == 0
    assert gateway.send("local@example.test", content=CONTENT).code == 250


@pytest.mark.parametrize("name,call,arguments", [
    ("smtpd", "execve", ("/bin/sh", 0, 0)),
    ("deliver", "execve", ("/bin/sh", 0, 0)),
    ("prober", "ptrace", (16, 1, 0, 0)),
    ("alertd", "execve", ("/bin/true", 0, 0)),
    ("qmgr", "ptrace", (16, 1, 0, 0)),
    ("smtpd", "process_vm_readv", (1, 0, 0, 0, 0, 0)),
    ("smtpd", "clone", (17, 0, 0, 0, 0)),
    ("deliver", "setuid", (0,)),
    ("prober", "mount", ("/tmp", "/mnt", 0, 4096, 0)),
])
def test_what_no_daemon_ever_does_kills_it(doors, name, call, arguments):
    gateway, old = doors.gateway, doors.pid(name)
    assert doors.do(name, call, *arguments).killed
    gateway.wait_log("master", f"(pid {old}) died: signal 31")
    gateway.wait_restarted(name, [old])
    until(lambda: gateway.send("local@example.test", content=CONTENT).code == 250, "mail goes on")


def test_qmgr_has_no_network_and_nobody_takes_another_road(doors):
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, 17):
        assert doors.do("qmgr", "socket", family, socket.SOCK_STREAM, 0).error != 0, family
    for name in ("smtpd", "deliver", "prober"):
        for family in (17, 16 + 24, 31, 38, 2 + 42):  # packet, vsock, bluetooth, alg, xdp
            assert doors.do(name, "socket", family, socket.SOCK_RAW, 0).error != 0, (name, family)
        done = doors.do(name, "socket", socket.AF_INET, socket.SOCK_STREAM, 0)
        assert done.error == 0, name
        there = struct.pack("=H", socket.AF_INET) + struct.pack(">H", 0) + socket.inet_aton("127.0.0.1") + bytes(8)
        if landlock() >= 4:
            assert doors.do(name, "bind", done.result, there, 16).error == errno.EACCES, name
        doors.do(name, "close", done.result)
        assert doors.do(name, "kill", doors.pid("qmgr"), 15).error != 0, name
    assert doors.gateway.send("local@example.test", content=CONTENT).code == 250


def test_a_call_that_nobody_knows_is_refused_and_costs_nothing(doors):
    for name in DAEMONS:
        before = doors.pid(name)
        assert doors.do(name, 4000).error == errno.ENOSYS
        assert doors.pid(name) == before
    assert doors.gateway.send("local@example.test", content=CONTENT).code == 250


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start others as somebody else")
def test_as_somebody_else_over_an_installation_of_roots(world, certificates):
    """First as root, with mail in the queue; then as the account; and root's gatewayctl goes on working. The key is
    root's alone, as Let's Encrypt leaves it."""
    deeds, destination = world.keep(Deeds()), world.destination()
    pair = certificates.make("mx.example.test")
    for file in pair.values():
        os.chmod(file, 0o600)
    gateway = world.gateway(destination, env=deeds.env, settings={
        "smtpd": {"workers": 1}, "deliver": {"workers": 1}, "tls": pair})
    gateway.wait_probed()
    destination.close()
    gateway.wait_state("down")
    assert gateway.send("local@example.test", content=CONTENT).code == 250
    gateway.wait_queue(1)
    gateway.stop()

    nobody = pwd.getpwnam("nobody")
    gateway.config["user"] = "nobody"
    gateway.write_config()
    gateway.start()
    for name in DAEMONS:
        facts = status(gateway.pids(name)[0])
        assert set(facts["Uid"].split()) == {str(nobody.pw_uid)} and set(facts["Gid"].split()) == {str(nobody.pw_gid)}, name
        assert int(facts["CapPrm"], 16) == int(facts["CapBnd"], 16) == 0 and facts["Groups"].split() == [], name
    assert gateway.send("local@example.test", content=CONTENT).code == 250
    gateway.wait_queue(2)
    assert gateway.ctl("queue", "hold", "--all", "--yes").returncode == 0
    assert gateway.ctl("queue", "release", "--all", "--yes").returncode == 0
    gateway.reload()
    gateway.wait_log("smtpd", "configuration reloaded")
    with gateway.client() as client:
        assert client.ehlo().code == 250 and client.command("STARTTLS").code == 220, "the key is there after a reload, too"
    smtpd = gateway.pids("smtpd")[0]
    if landlock() >= 2 and "built with sanitizers" not in gateway.log("smtpd"):
        for path in (pair["key"], gateway.spool / "index/data.mdb", "/etc/shadow"):
            assert deeds.do(smtpd, "openat", AT_FDCWD, path, os.O_RDONLY).error == errno.EACCES, path
    for name in DAEMONS:  # these come back by themselves, too
        gateway.wait_restarted(name, gateway.kill(name))
    # What root's gatewayctl writes into the spool the others can read.
    destination.start()
    gateway.wait_state("up", "draining")
    test = gateway.ctl("selftest", "--to", "local@example.test")
    assert test.returncode == 0, test.stdout + test.stderr
    gateway.wait_queue(0)
    destination.wait_for(2)
    gateway.stop()
    for path in gateway.spool.rglob("*"):
        assert path.stat().st_uid == nobody.pw_uid, path
    assert (gateway.folder / "state").stat().st_uid == 0

    del gateway.config["user"]  # and back: there is no such account here, or it is another
    gateway.write_config()
    gateway.start()
    assert gateway.send("local@example.test", content=CONTENT).code == 250


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start others as somebody else")
def test_an_account_that_is_missing(world):
    gateway = world.gateway(world.destination(), start=False, settings={"user": "no-such-account"})
    check = gateway.ctl("config", "check")
    assert check.returncode == 78 and "user: there is no account 'no-such-account'" in check.stderr, check.stderr


def test_without_the_sandbox_the_deeds_are_done(world):
    doors = Doors(world, sandbox=False)
    gateway = doors.gateway
    for name in DAEMONS:
        assert status(doors.pid(name))["Seccomp"] == "0"
        assert doors.open(name, gateway.file) == 0
    assert doors.open("smtpd", gateway.spool / "index/data.mdb", os.O_RDWR) == 0
    assert doors.do("qmgr", "socket", socket.AF_INET, socket.SOCK_STREAM, 0).error == 0
    old = doors.pid("smtpd")
    assert doors.do("smtpd", "execve", "/nonexistent", 0, 0).error == errno.ENOENT
    assert doors.pid("smtpd") == old
    # No capability is left to them in any case.
    if os.geteuid() == 0:
        assert doors.do("deliver", "mount", "/tmp", "/mnt", 0, 4096, 0).error in (errno.EPERM, errno.EACCES)
