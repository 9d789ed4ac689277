"""Exim in cutthrough mode, as near to a proxy as it comes: the destination is asked inside the client's own session."""

import os

from places import BENCH_PEERS

from . import room
from .peer import Peer, absent, not_root, told

PROGRAM = BENCH_PEERS / "usr/sbin/exim4"
USER = "Debian-exim"  # compiled in
_RUNNERS = 5          # queue runners that an admin starts at once when the destination is back


class Exim(Peer):
    name = "exim"
    only = ("base",)
    rounds = 1
    share = 0.1

    @classmethod
    def missing(cls):
        return not_root() or absent(PROGRAM) or room.missing()

    @classmethod
    def version(cls):
        return told(["strings", "-n", "4", PROGRAM], r"(?m)^(4\.\d\d(?:\.\d+)?)$")

    def configure(self):
        self.room = room.Room(self.folder, {USER: 64990})
        for name in "spool", "log":
            (self.folder / name).mkdir()
            self.room.own(self.folder / name, USER)
        os.chmod(self.folder, 0o755)
        self.file = self.write("exim.conf", f"""\
exim_path = {PROGRAM}
exim_user = {USER}
exim_group = {USER}
spool_directory = {self.folder}/spool
log_file_path = {self.folder}/log/%slog
pid_file_path = {self.folder}/exim.pid
primary_hostname = relay.example.test
local_interfaces = 127.0.0.1
daemon_smtp_ports = {self.relay_port}
smtp_accept_max = 1000
smtp_accept_queue_per_connection = 0
smtp_connect_backlog = 200
queue_run_max = 20
remote_max_parallel = 20
split_spool_directory = true
keep_environment =
rfc1413_hosts =
host_lookup =
tls_advertise_hosts =
acl_smtp_rcpt = rcpt
acl_smtp_data = data
begin acl
rcpt:
  accept domains = example.test
         control = cutthrough_delivery/defer=spool
  deny message = relay not permitted
data:
  accept
begin routers
all:
  driver = manualroute
  domains = example.test
  route_list = * 127.0.0.1
  self = send
  transport = out
begin transports
out:
  driver = smtp
  port = {self.sink_port}
  hosts_try_dane =
  hosts_try_fastopen =
  allow_localhost
begin retry
* * F,2h,15m
""")

    def command(self):
        return self.room.words(PROGRAM, "-C", self.file, "-bdf", "-q10s")

    def flush(self):
        for _ in range(_RUNNERS):
            self.spawn(self.room.words(PROGRAM, "-C", self.file, "-qff"))
