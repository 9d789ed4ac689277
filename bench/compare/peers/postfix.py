"""Postfix as a relay, unpacked: its programs, users and folders are named in its own main.cf."""

import grp
import os
import pwd
import subprocess

from places import LIBRARIES, PEERS, environment

from .peer import Peer, absent, not_root, told

_DAEMONS = PEERS / "usr/lib/postfix/sbin"
_OWNER, _GROUP = "daemon", "mail"  # a user and a group that every Debian has, and that nothing else runs as

# name, type, private, wakeup, process limit, program ("-" is Postfix's default)
_SERVICES = """\
pickup unix n 60 1 pickup
cleanup unix n - 0 cleanup
qmgr unix n 300 1 qmgr
rewrite unix - - - trivial-rewrite
bounce unix - - 0 bounce
defer unix - - 0 bounce
trace unix - - 0 bounce
verify unix - - 1 verify
flush unix n 1000? 0 flush
proxymap unix - - - proxymap
smtp unix - - - smtp
relay unix - - - smtp
showq unix n - - showq
error unix - - - error
retry unix - - - error
anvil unix - - 1 anvil
scache unix - - 1 scache
postlog unix-dgram n - 1 postlogd
"""


class Postfix(Peer):
    name = "postfix"
    filters = True

    @classmethod
    def missing(cls):
        return not_root() or absent(_DAEMONS / "master")

    @classmethod
    def version(cls):
        return told([PEERS / "usr/sbin/postconf", "-d", "mail_version"], r"= (\S+)")

    def settings(self):
        etc = self.folder / "etc"
        return {
            "compatibility_level": "3.6", "myhostname": "relay.example.test", "meta_directory": etc,
            "queue_directory": self.folder / "queue", "data_directory": self.folder / "data",
            "command_directory": PEERS / "usr/sbin", "daemon_directory": _DAEMONS, "shlib_directory": PEERS / "usr/lib/postfix",
            "mail_owner": _OWNER, "setgid_group": _GROUP, "default_privs": "nobody",
            "maillog_file": self.folder / "mail.log", "maillog_file_prefixes": self.folder,
            "import_environment": f"MAIL_CONFIG MAIL_LOGTAG TZ LANG=C LD_LIBRARY_PATH={LIBRARIES}",
            "export_environment": f"TZ MAIL_CONFIG LANG=C LD_LIBRARY_PATH={LIBRARIES}",
            "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4", "disable_dns_lookups": "yes",
            "mydestination": "", "mynetworks": "", "alias_maps": "", "alias_database": "",
            "relay_domains": "example.test", "relay_transport": f"relay:[127.0.0.1]:{self.sink_port}",
            "smtpd_relay_restrictions": "reject_unauth_destination", "smtpd_peername_lookup": "no",
            # Its limits are meant for the internet; this is one busy client.
            "smtpd_client_connection_count_limit": 0, "smtpd_client_connection_rate_limit": 0,
            "initial_destination_concurrency": 20,
            **({"smtpd_milters": f"inet:127.0.0.1:{self.filter_port}"} if self.filter_port else {}),
        }

    def configure(self):
        self.write("etc/main.cf", "".join(f"{name} = {value}\n" for name, value in self.settings().items()))
        lines = [f"127.0.0.1:{self.relay_port} inet n - n - 100 smtpd"]
        for line in _SERVICES.splitlines():
            name, kind, private, wakeup, limit, program = line.split()
            lines.append(f"{name} {kind} {private} - n {wakeup} {limit} {program}")
        self.write("etc/master.cf", "\n".join(lines) + "\n")
        self.write("etc/dynamicmaps.cf", "")
        self._folders()

    def _folders(self):
        owner, group = pwd.getpwnam(_OWNER).pw_uid, grp.getgrnam(_GROUP).gr_gid
        queue = self.folder / "queue"
        modes = {"pid": 0o755, "maildrop": 0o730, "public": 0o710}
        (self.folder / "data").mkdir()
        os.chown(self.folder / "data", owner, -1)
        for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "pid",
                     "private", "public", "saved", "trace"):
            (queue / name).mkdir(parents=True)
            os.chown(queue / name, 0 if name == "pid" else owner, group)
            (queue / name).chmod(modes.get(name, 0o700))

    def command(self):
        return [_DAEMONS / "master", "-c", self.folder / "etc", "-d"]

    def flush(self):
        subprocess.run([PEERS / "usr/sbin/postqueue", "-c", self.folder / "etc", "-f"], env=environment(), check=True, timeout=60)
