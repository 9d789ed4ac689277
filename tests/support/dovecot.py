"""Dovecot's LMTP server, unpacked under build/peers/dovecot by tools/unpack-peers, never installed."""

import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

from . import guard, ports
from .peers import PEERS, _end
from .waiting import until

ROOT = PEERS / "dovecot"
LIBEXEC = ROOT / "usr/lib/dovecot"
LIBRARIES = f"{LIBEXEC}/modules/old-stats:{LIBEXEC}/modules:{ROOT}/usr/lib/x86_64-linux-gnu:{ROOT}/lib/x86_64-linux-gnu"

CONFIG = """\
base_dir = {folder}/run
state_dir = {folder}/state
libexec_dir = {libexec}
import_environment = TZ LD_LIBRARY_PATH={libraries}
log_path = {folder}/dovecot.log
protocols = lmtp
ssl = no
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {internal}
mail_location = maildir:{folder}/mail/%n
mail_uid = {owner}
mail_gid = {group}
first_valid_uid = 0
first_valid_gid = 0
auth_username_format = %Ln
lmtp_save_to_detail_mailbox = no
hostname = dovecot.test
userdb {{
  driver = passwd-file
  args = {folder}/users
}}
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
  unix_listener lmtp {{
    mode = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service log {{
  chroot =
}}
"""


class DovecotLmtp:
    """Its mailboxes are folders. Runs as root and as anybody."""

    def __init__(self, mailboxes=("bob", "local", "postmaster")):
        self.port = ports.free_port()
        self.server = f"127.0.0.1:{self.port}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-dc-", dir="/tmp"))
        guard.watch("folder", self.folder)
        self.folder.chmod(0o755)
        self.process = None
        root = os.getuid() == 0
        owner = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.getuid())
        internal = pwd.getpwnam("daemon") if root else owner
        for name in ("run", "state", "mail"):
            (self.folder / name).mkdir()
        os.chown(self.folder / "mail", owner.pw_uid, -1)
        group = "mail" if root else subprocess.run(["id", "-gn"], capture_output=True, text=True).stdout.strip()
        (self.folder / "users").write_text("".join(f"{box}::::::\n" for box in mailboxes))
        (self.folder / "dovecot.conf").write_text(CONFIG.format(
            folder=self.folder, libexec=self._programs(), libraries=f"{self.folder}/lib:{LIBRARIES}", internal=internal.pw_name, owner=owner.pw_name,
            group=group, port=self.port))

    def _programs(self):
        """Dovecot's own, but for lmtp and its libraries: the name of the folder of its plugins is compiled in."""
        programs, compiled, plugins = self.folder / "lib", b"/usr/lib/dovecot/modules\0", self.folder / "m"
        plugins.symlink_to(LIBEXEC / "modules")
        programs.mkdir()
        named = str(plugins).encode()
        assert len(named) < len(compiled)
        for path in LIBEXEC.iterdir():
            if path.name == "lmtp" or path.name.startswith("libdovecot"):
                (programs / path.name).write_bytes(path.read_bytes().replace(compiled, named.ljust(len(compiled), b"\0")))
                (programs / path.name).chmod(0o755)
            else:
                (programs / path.name).symlink_to(path)
        return programs

    def start(self):
        self.process = subprocess.Popen([ROOT / "usr/bin/doveconf", "-f", "service=master", "-c", self.folder / "dovecot.conf", "-m", "master", "-p",
                                         "-e", ROOT / "usr/sbin/dovecot", "-F", "-c", self.folder / "dovecot.conf"],
                                        env={**os.environ, "LD_LIBRARY_PATH": f"{self.folder}/lib:{LIBRARIES}"}, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        guard.watch("session", self.process.pid)
        until(lambda: not ports.refused(self.port) or self.process.poll() is not None, "dovecot listens")
        assert self.process.poll() is None, self.process.stdout.read().decode() + self.log()
        return self

    def log(self):
        path = self.folder / "dovecot.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def mail(self, box):
        """Contents of what has been delivered to a mailbox."""
        return [path.read_bytes() for path in sorted((self.folder / "mail" / box / "new").glob("*"))]

    def break_mailbox(self, box):
        """What comes for it cannot be stored: a 4xx to the dot, for this recipient alone."""
        shutil.rmtree(self.folder / "mail" / box, ignore_errors=True)
        (self.folder / "mail" / box).write_text("no folder")

    def mend_mailbox(self, box):
        (self.folder / "mail" / box).unlink()

    def close(self):
        """Ends it and its children; its mailboxes stay, and it can be started again."""
        if self.process is None:
            return
        _end(self.process)
        self.process.stdout.close()
        self.process = None
        until(lambda: ports.refused(self.port), "dovecot is gone")

    def stop(self):
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        guard.over("folder", self.folder)
