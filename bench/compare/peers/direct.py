"""No relay at all: a second smtp-sink takes the mail. The most that this machine and this load can show."""

import os

from places import PEERS

from .peer import Peer, absent


class Direct(Peer):
    name = "direct"
    only = ("base",)
    rounds = 1
    keeps = False
    counts = False

    @classmethod
    def missing(cls):
        return absent(PEERS / "usr/sbin/smtp-sink")

    def command(self):
        user = ["-u", "nobody"] if os.getuid() == 0 else []
        return [PEERS / "usr/sbin/smtp-sink", *user, f"127.0.0.1:{self.relay_port}", "2000"]
