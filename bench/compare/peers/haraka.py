"""Haraka (Node) with its smtp_proxy: the message goes to the destination inside the client's session; nothing is kept."""

import shutil

from places import PEERS

from .peer import Peer, told

PROGRAM = PEERS / "haraka/node_modules/.bin/haraka"
PACKAGE = PEERS / "haraka/node_modules/Haraka"


class Haraka(Peer):
    name = "haraka"
    only = ("base",)
    rounds = 1
    share = 0.3
    keeps = False

    @classmethod
    def missing(cls):
        if not shutil.which("node"):
            return "needs node"
        return "" if PROGRAM.exists() else "is not there: tools/unpack-peers haraka, which needs npm"

    @classmethod
    def version(cls):
        return told(["node", "-p", f"require('{PACKAGE}/package.json').version"], r"(\S+)")

    def configure(self):
        self.write("config/smtp.ini", f"listen=127.0.0.1:{self.relay_port}\nnodes=0\n")
        self.write("config/plugins", "rcpt_to.in_host_list\nqueue/smtp_proxy\n")
        self.write("config/host_list", "example.test\n")
        self.write("config/me", "relay.example.test\n")
        self.write("config/loglevel", "ERROR\n")
        self.write("config/smtp_proxy.ini", f"host=127.0.0.1\nport={self.sink_port}\nmax_connections=100\n")
        shutil.copy(PACKAGE / "config/connection.ini", self.folder / "config")
        for name in "queue", "plugins":
            (self.folder / name).mkdir()

    def command(self):
        return ["node", PROGRAM, "-c", self.folder]
