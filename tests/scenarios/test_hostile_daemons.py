"""A daemon that somebody has taken over speaks with the others (issue 5, item 8): messages that are well formed and
absurd, and bytes that are none. The others log it, go on, and lose no mail."""

import os
import random
import socket
import struct

import pytest

from support.waiting import holds, until

CONTENT = b"Subject: daemons\r\n\r\nx\r\n"
HELLO, CONTROL, SYNCED, DELIVER_HELLO, OUTCOME, FACT, LEARN, REFUSED, PROBE, DRAIN = 1, 2, 4, 5, 8, 10, 11, 12, 13, 14
MOST = {8: 2 ** 8 - 1, 32: 2 ** 32 - 1, 64: 2 ** 64 - 1}


def u8(n):
    return struct.pack("<B", n)


def u32(n):
    return struct.pack("<I", n)


def u64(n):
    return struct.pack("<Q", n)


def text(value):
    raw = value if isinstance(value, bytes) else value.encode()
    return u32(len(raw)) + raw


def frame(kind, body):
    return u32(len(body) + 2) + struct.pack("<H", kind) + body


def hello(name, worker=0, version=1, protocol="holdfast"):
    return frame(HELLO, text(protocol) + u32(version) + text(name) + u32(worker) + u32(1))


def outcome(queue_id, destination="office", recipients=((0, 0),), status=None):
    rows = b"".join(u32(index) + u8(kind) + text("250 ok") + text("2.0.0") + u8(0) * 3 for index, kind in recipients)
    return (u64(queue_id) + u32(MOST[32]) + u32(1) + text(destination) + text("none") + u8(0) * 2 + u32(0) + u8(0) * 3
            + u32(len(recipients)) + rows)


class Peer:
    """Speaks with one daemon as another. Each use connects anew, for most are cut off."""

    def __init__(self, gateway, to, name, worker=0):
        self.path, self.first = gateway.folder / "run" / f"{to}.sock", hello(name, worker)

    def say(self, *frames, first=None):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.settimeout(10)
            s.connect(str(self.path))
            try:
                s.sendall((self.first if first is None else first) + b"".join(frames))
                s.shutdown(socket.SHUT_WR)
                while s.recv(65536):
                    pass
            except (ConnectionResetError, BrokenPipeError):
                pass


@pytest.fixture
def office(world, destination):
    """One message waits in the queue."""
    gateway = world.gateway(destination, settings={"smtpd": {"workers": 1}, "deliver": {"workers": 1}})
    gateway.wait_probed()
    destination.close()
    gateway.wait_state("down")
    assert gateway.send("local@example.test", content=CONTENT).code == 250
    gateway.wait_queue(1)
    return gateway


def unharmed(gateway, destination, before):
    """The same processes, and the message arrives once."""
    holds(lambda: {name: gateway.pids(name) for name in before} == before, "nobody has died", 0.5)
    destination.start()
    gateway.wait_queue(0)
    assert [m.content for m in destination.messages].count(CONTENT) <= 1
    assert len(destination.messages) == 1


def pids(gateway):
    return {name: gateway.pids(name) for name in ("master", "prober", "qmgr", "deliver", "smtpd")}


def test_absurd_marks_and_outcomes_to_qmgr(office, destination):
    before = pids(office)
    queue_id = int(office.queue()[0]["queue_id"], 16)
    smtpd, deliver = Peer(office, "qmgr", "smtpd", 900), Peer(office, "qmgr", "deliver", 901)
    for writer, segment, upto in ((MOST[32], MOST[32], MOST[64]), (0, 0, 0), (77, 1, MOST[64]), (1 << 24, 5, 1)):
        smtpd.say(frame(SYNCED, u32(writer) + u32(segment) + u64(upto) + u8(1)))
    smtpd.say(*[frame(SYNCED, u32(n) + u32(n) + u64(n) + u8(0)) for n in range(1000, 3000)])
    empty = frame(DELIVER_HELLO, u32(0) + u32(0))
    deliver.say(empty, frame(OUTCOME, outcome(queue_id)), frame(OUTCOME, outcome(queue_id, "nowhere")))
    deliver.say(empty, frame(OUTCOME, outcome(MOST[64], recipients=[(MOST[32], 255)] * 1000)))
    deliver.say(empty, frame(OUTCOME, outcome(queue_id, recipients=[(MOST[32], 1), (0, 200), (0, 2)])))
    deliver.say(frame(DELIVER_HELLO, u32(1) + u64(queue_id + 1) + u32(MOST[32]) + text("nowhere") + u32(0)))
    unharmed(office, destination, before)


def test_absurd_facts_to_the_prober(office, destination):
    before = pids(office)
    peer = Peer(office, "prober", "smtpd", 900)
    for name in ("office", "nowhere", "", "x" * 100_000, b"\xff\0\n\r"):
        for stage in (0, 255):
            peer.say(frame(FACT, text(name) + text("9.9.9.9:1") + text("nonsense") + u8(0) + u8(stage) + u32(MOST[32])
                           + text(b"\0\r\n" * 1000) + u8(0)))
        peer.say(frame(LEARN, u32(1) + text(b"\0@" + b"y" * 5000) + text(name) + u8(1) + u32(MOST[32])))
        peer.say(frame(LEARN, u32(1) + text("@") + text(name) + u8(1) + u32(0)))
        peer.say(frame(REFUSED, text(name) + text("a@example.test") + text(b"\r\n") + text(b"\xff" * 9999)))
        peer.say(frame(PROBE, text(name)))
        peer.say(frame(DRAIN, text(name) + u64(MOST[64]) + u8(3) + text("x")))
        peer.say(frame(DRAIN, text(name) + u64(0) + u8(255) + text("x")))
    unharmed(office, destination, before)


def test_what_is_no_message_ends_the_connection_alone(office, destination):
    before = pids(office)
    rng = random.Random(5)
    for to in ("master", "qmgr", "prober"):
        peer = Peer(office, to, "smtpd", 900)
        for first in (b"", b"GET / HTTP/1.0\r\n\r\n", hello("smtpd", version=2), hello("smtpd", protocol="other"),
                      hello("smtpd", worker=MOST[32]), hello("x" * 70_000), frame(SYNCED, b""), u32(0), u32(1), u32(MOST[32]) + b"x"):
            peer.say(first=first)
        for kind in [*range(0, 20), 65535]:
            for size in (0, 1, 3, 40, 5000):
                peer.say(frame(kind, rng.randbytes(size)))
                peer.say(frame(kind, u32(MOST[32]) * (size // 4)))
    unharmed(office, destination, before)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_the_kernel_says_who_speaks(world, destination):
    """Daemons that run as an account take commands from root alone: who has taken over one has not got the admin's
    hand. Others are not heard at all."""
    gateway = world.gateway(destination, settings={"user": "nobody", "smtpd": {"workers": 1}})
    gateway.wait_probed()

    def ask_as(uid, to, command):
        """What comes back within a moment, as bytes."""
        ours, theirs = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                os.chmod(gateway.folder / "run" / f"{to}.sock", 0o666)
                os.chdir(gateway.folder / "run")
                os.setgroups([])
                os.setresgid(65534, 65534, 65534)  # the folder is open to the account's group
                os.setresuid(uid, uid, uid)
                s.settimeout(10)
                s.connect(f"{to}.sock")
                s.sendall(hello("gatewayctl") + frame(CONTROL, text(command) + u32(0) + text("root")))
                s.shutdown(socket.SHUT_WR)
                got = b""
                while more := s.recv(65536):
                    got += more
                os.write(theirs, got[:60_000])
            except OSError:
                pass
            finally:
                os._exit(0)
        os.close(theirs)
        os.waitpid(pid, 0)
        with os.fdopen(ours, "rb") as pipe:
            return pipe.read()

    nobody = 65534
    for to, command in (("qmgr", "qmgr.status"), ("prober", "dest.list")):
        assert b"only root may give commands" in ask_as(nobody, to, command), to
        assert b"only root" not in ask_as(0, to, command) and ask_as(0, to, command), to
        assert ask_as(1, to, command) == b"", "a stranger is not heard"
        gateway.wait_log(to, "a connection of uid 1 is refused")
    assert ask_as(nobody, "master", "master.restart") == b"", "master hears root alone"
    gateway.wait_log("master", f"a connection of uid {nobody} is refused")
    assert gateway.ctl("status").returncode == 0
    until(lambda: gateway.send("local@example.test", content=CONTENT).code == 250, "mail goes on")
