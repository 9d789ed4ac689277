"""OpenSMTPD as a relay. Its users, queue and socket are compiled in, hence the room."""

import re
import shutil
import subprocess

from load import LoadFailed
from places import BENCH_PEERS, environment

from . import room
from .peer import Peer, absent, not_root, told

PROGRAM = BENCH_PEERS / "usr/sbin/smtpd"
CONTROL = BENCH_PEERS / "usr/sbin/smtpctl"


class OpenSMTPD(Peer):
    name = "opensmtpd"
    only = ("base",)
    rounds = 1
    flush_again = 5
    share = 0.01

    @classmethod
    def missing(cls):
        return not_root() or absent(PROGRAM) or room.missing()

    @classmethod
    def version(cls):
        return told([PROGRAM, "-h"], r"version: OpenSMTPD (\S+)")

    def configure(self):
        self.room = room.Room(self.folder, {"opensmtpd": 64991, "opensmtpq": 64992})
        self.room.inside("/var/lib/opensmtpd/empty")
        self.file = self.write("smtpd.conf", f"""\
listen on 127.0.0.1 port {self.relay_port}
action "out" relay host smtp://127.0.0.1:{self.sink_port}
match from any for domain "example.test" action "out"
""")

    def command(self):
        return self.room.words(PROGRAM, "-d", "-f", self.file)

    def flush(self):
        """It leaves a road on which it has failed alone for a time that grows."""
        for number in re.findall(r"(?m)^(\d+)\.", self._control("show", "routes")):
            self._control("resume", "route", number)
        self._control("schedule", "all")

    def _control(self, *words):
        """smtpctl wants to be installed with the group of its queue's user."""
        program = self.folder / "smtpctl"
        if not program.exists():
            shutil.copy(CONTROL, program)
            self.room.own(program, "opensmtpq")
            program.chmod(0o2755)
        done = subprocess.run(self.room.words(program, *words), env=environment(), capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise LoadFailed(f"smtpctl: {done.stderr}")
        return done.stdout
