"""Programs of other mail systems, unpacked under build/peers by tools/unpack-peers, never installed."""

import grp
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import tempfile

import pytest

from . import guard, ports
from .waiting import until

PEERS = pathlib.Path(os.environ.get("HOLDFAST_PEERS", pathlib.Path(__file__).resolve().parents[2] / "build/peers"))
_LIBRARIES = [PEERS / "usr/lib/postfix", PEERS / "usr/lib/x86_64-linux-gnu", PEERS / "lib/x86_64-linux-gnu"]


def environment():
    env = dict(os.environ)
    env["LD_LIBRARY_PATH"] = ":".join(map(str, _LIBRARIES))
    env["PERL5LIB"] = f"{PEERS}/usr/share/perl5:{PEERS}/usr/lib/x86_64-linux-gnu/perl5/5.36"
    return env


def _end(process):
    """Of a session leader."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
    guard.over("session", process.pid)


class SmtpSink:
    """Postfix's smtp-sink: a server that takes everything, unless its options say otherwise."""

    def __init__(self, *options, port=None):
        self.port = port or ports.free_port()
        self.server = f"127.0.0.1:{self.port}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-sink-"))
        guard.watch("folder", self.folder)
        self.options, self.process = options, None

    def start(self):
        user = ["-u", pwd.getpwuid(os.getuid()).pw_name] if os.getuid() == 0 else []
        self.process = subprocess.Popen(
            [PEERS / "usr/sbin/smtp-sink", *user, *self.options, "-d", f"{self.folder}/m.", self.server, "1000"],
            env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
        guard.watch("session", self.process.pid)
        until(lambda: not ports.refused(self.port) or self.process.poll() is not None, "smtp-sink listens")
        assert self.process.poll() is None, self.process.stderr.read()
        return self

    def kill(self):
        _end(self.process)

    def messages(self):
        """Contents as smtp-sink wrote them down (its own X- header lines on top)."""
        out = []
        for path in sorted(self.folder.iterdir()):
            try:
                out.append(path.read_bytes())
            except FileNotFoundError:  # it removes what did not come to its end
                pass
        return [content for content in out if content]

    def count(self):
        return len(self.messages())

    def stop(self):
        if self.process is not None:
            _end(self.process)
            self.process.stderr.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        guard.over("folder", self.folder)


def smtp_source(port, *options, messages=1, sessions=1, sender="source@client.test", recipient="local@example.test",
                length=1024, timeout=120):
    """Postfix's smtp-source; returns the finished process."""
    return subprocess.run(
        [PEERS / "usr/sbin/smtp-source", "-m", str(messages), "-s", str(sessions), "-l", str(length), "-f", sender,
         "-t", recipient, *options, f"127.0.0.1:{port}"],
        env=environment(), capture_output=True, text=True, timeout=timeout)


def swaks(port, *options, timeout=60):
    return subprocess.run(["/usr/bin/perl", PEERS / "usr/bin/swaks", "--server", f"127.0.0.1:{port}", *options],
                          env=environment(), capture_output=True, text=True, timeout=timeout)


def pflogsumm(*logs, name="holdfast"):
    """Its grand totals, by their words: {"received": 3, "delivered": 3, …}."""
    done = subprocess.run(["/usr/bin/perl", PEERS / "usr/sbin/pflogsumm", f"--syslog-name={name}", *map(str, logs)],
                          env=environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    totals = {}
    for count, words in re.findall(r"^\s+(\d+)\s{2,}([a-z][a-z ]+?)(?:\s+\(\d+%\))?$",
                                   done.stdout.split("Per-Hour")[0], re.M):
        totals[words] = int(count)
    assert "received" in totals, done.stdout
    return totals


needs_root = pytest.mark.skipif(os.getuid() != 0, reason="Postfix's master runs as root only")


class RealPostfix:
    """A whole Postfix as the destination: a domain with mailboxes. Its master runs as root only."""

    def __init__(self, mailboxes=("bob", "local", "postmaster"), domain="example.test", **parameters):
        self.port = ports.free_port()
        self.server = f"127.0.0.1:{self.port}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-postfix-"))
        guard.watch("folder", self.folder)
        self.folder.chmod(0o755)
        self.mailboxes, self.domain, self.parameters, self.process = mailboxes, domain, parameters, None
        self._configure()

    def _configure(self):
        etc, queue = self.folder / "etc", self.folder / "queue"
        for path in (etc, queue, self.folder / "data", self.folder / "mail"):
            path.mkdir()
        owner, group = pwd.getpwnam("daemon"), "mail"
        os.chown(self.folder / "data", owner.pw_uid, owner.pw_gid)
        os.chown(self.folder / "mail", pwd.getpwnam("nobody").pw_uid, -1)
        settings = {
            "compatibility_level": "3.6",
            "queue_directory": queue, "data_directory": self.folder / "data",
            "command_directory": PEERS / "usr/sbin", "daemon_directory": PEERS / "usr/lib/postfix/sbin",
            "shlib_directory": PEERS / "usr/lib/postfix", "meta_directory": etc,
            "mail_owner": owner.pw_name, "setgid_group": group, "default_privs": "nobody",
            "maillog_file": self.folder / "mail.log", "maillog_file_prefixes": self.folder,
            "import_environment": f"MAIL_CONFIG MAIL_LOGTAG POSTLOG_SERVICE POSTLOG_HOSTNAME TZ LANG=C LD_LIBRARY_PATH={':'.join(map(str, _LIBRARIES))}",
            "export_environment": f"TZ MAIL_CONFIG LANG=C LD_LIBRARY_PATH={':'.join(map(str, _LIBRARIES))}",
            "myhostname": "postfix.test", "mydestination": "", "mynetworks": "127.0.0.0/8",
            "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4", "alias_maps": "", "alias_database": "",
            "virtual_mailbox_domains": self.domain,
            "virtual_mailbox_maps": f"texthash:{etc}/mailboxes",
            "virtual_mailbox_base": self.folder / "mail",
            "virtual_uid_maps": f"static:{pwd.getpwnam('nobody').pw_uid}",
            "virtual_gid_maps": f"static:{pwd.getpwnam('nobody').pw_gid}",
            "smtpd_recipient_restrictions": "permit_mynetworks, reject_unauth_destination",
            "smtpd_peername_lookup": "no", "local_recipient_maps": "",
            "smtpd_client_connection_count_limit": "0",
            **self.parameters,
        }
        (etc / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        (etc / "mailboxes").write_text("".join(f"{box}@{self.domain} {box}/\n" for box in self.mailboxes))
        services = [f"{self.server} inet n - n - - smtpd", "pickup unix n - n 60 1 pickup",
                    "cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr", "rewrite unix - - n - - trivial-rewrite",
                    "bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce", "trace unix - - n - 0 bounce",
                    "verify unix - - n - 1 verify", "tlsmgr unix - - n 1000? 1 tlsmgr", "flush unix n - n 1000? 0 flush", "proxymap unix - - n - - proxymap",
                    "smtp unix - - n - - smtp", "relay unix - - n - - smtp", "error unix - - n - - error",
                    "retry unix - - n - - error", "discard unix - - n - - discard", "local unix - n n - - local",
                    "virtual unix - n n - - virtual", "anvil unix - - n - 1 anvil", "scache unix - - n - 1 scache",
                    "postlog unix-dgram n - n - 1 postlogd"]
        (etc / "master.cf").write_text("".join(line + "\n" for line in services))
        (etc / "dynamicmaps.cf").write_text("")
        for name in ("postfix-files", "postfix-script", "post-install"):
            source = PEERS / "etc/postfix" / name
            if source.exists():
                shutil.copy(source, etc / name)
        folders = ["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "private",
                   "public", "pid", "saved", "trace"]
        for name in folders:
            (queue / name).mkdir()
            os.chown(queue / name, owner.pw_uid if name != "pid" else 0, grp.getgrnam(group).gr_gid)
            (queue / name).chmod(0o755 if name == "pid" else 0o730 if name == "maildrop" else 0o710 if name == "public" else 0o700)

    def set(self, name, value):
        """Another parameter, for its next start."""
        with open(self.folder / "etc/main.cf", "a") as file:
            file.write(f"{name} = {value}\n")

    def start(self):
        self.process = subprocess.Popen([PEERS / "usr/lib/postfix/sbin/master", "-c", self.folder / "etc", "-d"],
                                        env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True)
        guard.watch("session", self.process.pid)
        until(lambda: not ports.refused(self.port) or self.process.poll() is not None, "Postfix listens")
        assert self.process.poll() is None, self.process.stdout.read() + self.log().encode()
        return self

    def log(self):
        path = self.folder / "mail.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def mail(self, box):
        """Contents of what has been delivered to a mailbox."""
        return [path.read_bytes() for path in sorted((self.folder / "mail" / box / "new").glob("*"))]

    def close(self):
        """Ends it and its children; its mailboxes stay, and it can be started again."""
        if self.process is None:
            return
        _end(self.process)
        self.process.stdout.close()
        self.process = None
        until(lambda: not self._children(), "Postfix's processes are gone")

    def _children(self):
        marker = str(self.folder).encode()
        out = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                environ = pathlib.Path("/proc", entry, "environ").read_bytes()
            except OSError:
                continue
            if marker in environ:
                out.append(int(entry))
        return out

    def stop(self):
        self.close()
        for pid in self._children():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
        guard.over("folder", self.folder)
