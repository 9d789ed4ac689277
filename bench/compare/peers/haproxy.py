"""HAProxy in TCP mode: bytes copied, no SMTP spoken. What any proxy costs at least."""

from places import BENCH_PEERS

from .peer import Peer, absent, told

PROGRAM = BENCH_PEERS / "usr/sbin/haproxy"


class HAProxy(Peer):
    name = "haproxy"
    keeps = False

    @classmethod
    def missing(cls):
        return absent(PROGRAM)

    @classmethod
    def version(cls):
        return told([PROGRAM, "-v"], r"version (\S+)")

    def configure(self):
        self.file = self.write("haproxy.cfg", f"""\
global
    maxconn 4000
defaults
    mode tcp
    timeout connect 5s
    timeout client 1m
    timeout server 1m
listen smtp
    bind 127.0.0.1:{self.relay_port}
    server sink 127.0.0.1:{self.sink_port}
""")

    def command(self):
        return [PROGRAM, "-db", "-f", self.file]
