"""Exim, unpacked under build/peers/exim by tools/unpack-peers: a relay to us, or a destination. Root only."""

import importlib.util
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from . import guard, ports
from .peers import PEERS, _end
from .waiting import until

_FOLDER = PEERS / "exim"
_PROGRAM = _FOLDER / "usr/sbin/exim4"
_ROOM = pathlib.Path(__file__).resolve().parents[2] / "bench/compare/peers/room.py"
_USER = "Debian-exim"  # compiled in

needs_exim = pytest.mark.skipif(os.getuid() != 0 or shutil.which("unshare") is None,
                                reason="Exim runs as root only, in a namespace (unshare)")


def _room(folder):
    """A namespace in which its user exists (bench/compare/peers/room.py)."""
    spec = importlib.util.spec_from_file_location("room", _ROOM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Room(folder, {_USER: 64990})


class Exim:
    """`relay`: a port that mail for example.test goes to; none: it is the destination, with mailboxes for bob, local, postmaster.
    `main` and `transport` are more lines for these parts of its configuration."""

    def __init__(self, relay=None, main="", transport=""):
        self.port = ports.free_port()
        self.server = f"127.0.0.1:{self.port}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-exim-"))
        guard.watch("folder", self.folder)
        self.folder.chmod(0o755)
        self.room = _room(self.folder)
        for name in ("spool", "log", "mail"):
            (self.folder / name).mkdir()
            self.room.own(self.folder / name, _USER)
        self.program = self.folder / "exim4"  # a copy: one that is setuid would not find its libraries when it runs itself
        shutil.copyfile(_PROGRAM, self.program)
        self.program.chmod(0o755)
        router = "driver = manualroute\n  domains = example.test\n  route_list = * 127.0.0.1\n  self = send" if relay else "driver = accept\n  local_parts = bob:local:postmaster"
        out = (f"driver = smtp\n  port = {relay}\n  hosts_try_dane =\n  allow_localhost\n{transport}" if relay else
               f"driver = appendfile\n  maildir_format\n  directory = {self.folder}/mail/$local_part_data\n  create_directory\n  user = {_USER}")
        self.file = self.folder / "exim.conf"
        self.file.write_text(f"""\
exim_path = {self.program}
exim_user = {_USER}
exim_group = {_USER}
spool_directory = {self.folder}/spool
log_file_path = {self.folder}/log/%slog
pid_file_path = {self.folder}/exim.pid
primary_hostname = exim.test
local_interfaces = 127.0.0.1
daemon_smtp_ports = {self.port}
keep_environment = LD_LIBRARY_PATH
rfc1413_hosts =
host_lookup =
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
chunking_advertise_hosts = *
acl_smtp_rcpt = rcpt
acl_smtp_data = data
{main or "tls_advertise_hosts ="}
begin acl
rcpt:
  accept domains = example.test
         condition = ${{if <{{${{strlen:$local_part}}}}{{20}}}}
  deny message = no such user
data:
  accept
begin routers
all:
  {router}
  transport = out
begin transports
out:
  {out}
begin retry
* * F,2h,5s
""")
        self.process = None

    def start(self):
        env = {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, (_FOLDER / "usr/lib/x86_64-linux-gnu", _FOLDER / "lib/x86_64-linux-gnu")))}
        self.process = subprocess.Popen(self.room.words(self.program, "-C", self.file, "-bdf", "-q1s"), env=env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        guard.watch("session", self.process.pid)
        until(lambda: not ports.refused(self.port) or self.process.poll() is not None, "Exim listens", 20)
        assert self.process.poll() is None, self.process.stdout.read()
        return self

    def log(self):
        return "".join(path.read_text(errors="replace") for path in sorted((self.folder / "log").iterdir()))

    def mail(self, box):
        """Contents of what has been delivered to a mailbox."""
        return [path.read_bytes() for path in sorted((self.folder / "mail" / box / "new").glob("*"))]

    def close(self):
        if self.process is not None:
            _end(self.process)
            self.process.stdout.close()
            self.process = None

    def stop(self):
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        guard.over("folder", self.folder)
