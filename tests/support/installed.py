"""Holdfast's packages in a Debian of their own: a folder made by debootstrap, whose programs run there by chroot."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess

from . import guard
from .processes import in_session
from .waiting import patient, until

ROOT = pathlib.Path(__file__).resolve().parents[2]
_BASE = ROOT / "build/deb/bookworm"  # made once
_UNIT = ROOT / "packaging/debian/holdfast.service"


def unit_setting(name):
    return " ".join(line.split("=", 1)[1] for line in _UNIT.read_text().splitlines() if line.startswith(f"{name}=")).split()


class Debian:
    """`folder` holds all of it. Its network is the machine's."""

    def __init__(self, folder):
        if not (_BASE / "etc/debian_version").exists():
            shutil.rmtree(_BASE, ignore_errors=True)
            _BASE.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["debootstrap", "--variant=minbase", "--include=adduser", "bookworm", _BASE], check=True)
        self.root = pathlib.Path(folder) / "debian"
        guard.watch("folder", self.root)
        subprocess.run(["cp", "-a", _BASE, self.root], check=True)
        shutil.copyfile("/etc/resolv.conf", self.root / "etc/resolv.conf")
        subprocess.run(["mount", "-t", "proc", "proc", self.root / "proc"], check=True)
        self.master = None

    def run(self, *words, check=True, stdin=None):
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(["chroot", self.root, *map(str, words)], capture_output=True, text=True, env=env, input=stdin,
                              timeout=patient(600))
        assert not check or done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def install(self, *debs):
        """Packages from files; what they depend on comes from Debian."""
        names = []
        for deb in debs:
            shutil.copyfile(deb, self.root / "tmp" / deb.name)
            names.append(f"/tmp/{deb.name}")
        self.run("apt-get", "update", "-qq")
        return self.run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *names).stdout

    def path(self, name):
        return self.root / name.lstrip("/")

    def owner(self, name):
        """"root:holdfast 3770", with the names that are valid in there."""
        return self.run("stat", "-c", "%U:%G %a", name).stdout.strip()

    # the gateway, as systemd would run it: with the unit's group, capabilities, umask, folder under /run

    def start(self):
        runtime = f"/run/{unit_setting('RuntimeDirectory')[0]}"
        group = unit_setting("Group")[0]
        self.run("install", "-d", "-g", group, "-m", unit_setting("RuntimeDirectoryMode")[0], runtime)
        capabilities = ",".join("+" + name.removeprefix("CAP_").lower() for name in unit_setting("CapabilityBoundingSet"))
        notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        (self.root / "run/notify").unlink(missing_ok=True)
        notices.bind(str(self.root / "run/notify"))
        notices.settimeout(patient(60))
        self.master = subprocess.Popen(
            ["chroot", self.root, "setpriv", f"--bounding-set=-all,{capabilities}", "--inh-caps=-all", f"--regid={group}",
             "--clear-groups", "--no-new-privs", *unit_setting("ExecStart")],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "NOTIFY_SOCKET": "/run/notify"}, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True, umask=0o077)
        guard.watch("session", self.master.pid)
        try:
            while not notices.recv(4096).startswith(b"READY=1"):
                pass
        except TimeoutError:
            raise AssertionError(f"not ready: {self.logs()}") from None
        finally:
            notices.close()
        return self

    def pids(self, name):
        """Of a daemon; alertd's helper, which starts commands, calls itself alertd-command."""
        return [pid for pid in in_session(self.master.pid) if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == name]

    def stop(self):
        if self.master is None:
            return
        pid = self.master.pid
        self.master.send_signal(signal.SIGTERM)
        code = self.master.wait(patient(30))
        self.master.stderr.close()
        self.master = None
        until(lambda: not in_session(pid), "all daemons have ended", 5)
        guard.over("session", pid)
        shutil.rmtree(self.root / "run/holdfast")  # as systemd does
        assert code == 0

    def logs(self):
        return "\n".join(path.read_text() for path in sorted(self.path("/var/log/holdfast").glob("*.log")))

    def dispose(self):
        if self.master is not None:
            for pid in in_session(self.master.pid):
                os.kill(pid, signal.SIGKILL)
            self.master.wait(10)
            guard.over("session", self.master.pid)
        subprocess.run(["umount", self.root / "proc"], check=True)
        shutil.rmtree(self.root)
        guard.over("folder", self.root)


def another_version(deb, folder, version):
    """The same package under a later version."""
    tree = pathlib.Path(folder) / "tree"
    subprocess.run(["dpkg-deb", "-R", deb, tree], check=True)
    control = tree / "DEBIAN/control"
    lines = [f"Version: {version}" if line.startswith("Version:") else line for line in control.read_text().splitlines()]
    control.write_text("\n".join(lines) + "\n")
    out = pathlib.Path(folder) / f"{deb.name.split('_')[0]}_{version}_amd64.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, out], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return out
