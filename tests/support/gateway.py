"""A gateway of real processes, with folders and ports of its own."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading

import yaml

from . import guard, ports
from .processes import in_session
from .smtp_client import SmtpClient, send
from .waiting import patient, until

BIN = pathlib.Path(os.environ.get("HOLDFAST_BIN", pathlib.Path(__file__).resolve().parents[2] / "build/release/bin"))

# Quick enough for tests, the same in kind as the defaults.
PROBE = {"interval": "1s", "down_after": 2, "up_after": 1}


def preloading(library):
    """What the environment holds for processes with a library of the tests in front of libc. A sanitizer's wants to be the
    first; ours only passes calls on, so the order does no harm."""
    asan = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0"]))
    return {"LD_PRELOAD": str(library), "ASAN_OPTIONS": asan}


class _Plain(yaml.SafeDumper):
    """Writes every value out, without YAML's anchors."""

    def ignore_aliases(self, data):
        return True


def merged(base, extra):
    out = dict(base)
    for key, value in extra.items():
        out[key] = merged(out[key], value) if isinstance(value, dict) and isinstance(out.get(key), dict) else value
    return out


class Gateway:
    """`servers` of the one destination "office", or `destinations`; `domains` default to example.test with the
    local recipient local@example.test. Anything else of the configuration goes into `settings`."""

    def __init__(self, servers=(), destinations=None, domains=None, local=("local",), settings=None, env=None,
                 parent=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-", dir=parent))
        guard.watch("folder", self.folder)
        self.port = ports.free_port()
        if destinations is None:
            destinations = {"office": {"servers": [getattr(s, "server", s) for s in servers]}}
        if domains is None:
            domains = {"example.test": {"destination": next(iter(destinations)), "local_recipients": list(local)}}
        if "bounces" not in (settings or {}):  # nobody's mail leaves this host: they fail at once, and are frozen
            settings = {**(settings or {}), "bounces": {"relay": "127.0.0.1:9"}}
        self.config = merged({
            "hostname": "mx.example.test",
            "listen": [f"127.0.0.1:{self.port}"],
            "paths": {"base": str(self.folder)},
            "smtpd": {"workers": 2},
            "deliver": {"workers": 2},
            "web": {"listen": "off"},
            "destinations": {name: merged({"probe": PROBE}, values) for name, values in destinations.items()},
            "domains": domains,
        }, settings or {})
        self.file = self.folder / "gateway.yaml"
        self.write_config()
        self.env = with_reports({**os.environ, **(env or {})}, self.folder / "sanitizer")
        self.process, self.output, self._ready = None, [], threading.Event()

    def write_config(self):
        self.file.write_text(yaml.dump(self.config, Dumper=_Plain, sort_keys=False))

    # life

    def start(self, wait=True):
        self._ready.clear()
        # A session of its own: what belongs to this gateway can be found whatever becomes of its parents.
        self.process = subprocess.Popen([BIN / "master", "--config", self.file], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        start_new_session=True, env=self.env)
        self.sid = self.process.pid
        guard.watch("session", self.sid)
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
        if wait:
            self.wait_ready()
        return self

    def _read(self, process):
        for line in process.stdout:
            self.output.append(line.rstrip("\n"))
            if "ready" in line:
                self._ready.set()

    def wait_ready(self, timeout=30):
        until(lambda: self._ready.is_set() or self.process.poll() is not None, "master says ready", timeout)
        assert self.process.poll() is None, f"master ended with {self.process.returncode}: {self.output}"

    def reload(self):
        self.write_config()
        self.process.send_signal(signal.SIGHUP)

    def stop(self, timeout=12):
        """SIGTERM; asserts that it ends in order and leaves nothing behind."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(patient(timeout))
        self.process = None
        assert code == 0, f"master ended with {code}: {self.output[-5:]}"
        self.assert_gone()

    def crash(self):
        """Kills all processes at once, as a power cut does to them (what the kernel holds stays)."""
        self._kill_all()
        self.process.wait(10)
        self.process = None

    def _kill_all(self):
        pids = self.session()
        # Stopped first: none may see another's end, and say so, before its own.
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pids:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
        until(lambda: not self.session(), "all processes are gone")
        guard.over("session", self.sid)

    def assert_gone(self, timeout=2):
        until(lambda: not self.session(), f"no process is left: {[cmdline(pid) for pid in self.session()]}", timeout)
        guard.over("session", self.sid)
        assert ports.refused(self.port), "nothing listens any more"

    def dispose(self):
        if self.process is not None:
            self._kill_all()
            self.process.wait(10)
            self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)
        guard.over("folder", self.folder)

    # processes

    def session(self):
        """Pids of all living processes that this gateway's master has started, and its own."""
        return in_session(self.sid)

    def pids(self, name):
        """Pids of the living processes of one program, lowest first."""
        return sorted(pid for pid in self.session() if os.path.basename((cmdline(pid) or [""])[0]) == name)

    def kill(self, name, number=signal.SIGKILL):
        """Sends a signal to all processes of a program; returns their pids."""
        pids = self.pids(name)
        assert pids, f"no {name} runs"
        for pid in pids:
            os.kill(pid, number)
        return pids

    def wait_restarted(self, name, old, timeout=20):
        def count():
            new = [pid for pid in self.pids(name) if pid not in old]
            return new if len(new) >= len(old) else None
        until(count, f"{name} runs again", timeout)
        self.wait_running(timeout)

    def wait_running(self, timeout=20):
        """Until every daemon says of itself that it is ready."""
        until(lambda: all(d["state"] == "running" for d in self.status()["daemons"]), "all daemons are ready", timeout)

    # gatewayctl

    def ctl(self, *words, config=True):
        arguments = [BIN / "gatewayctl", *(["--config", self.file] if config else []), *map(str, words)]
        return subprocess.run(arguments, capture_output=True, text=True, timeout=60, env=self.env,
                              stdin=subprocess.DEVNULL)

    def json(self, *words):
        """The answer's objects: one a line."""
        done = self.ctl(*words, "--json")
        assert done.returncode == 0, f"gatewayctl {words}: {done.returncode} {done.stderr} {done.stdout}"
        return [json.loads(line) for line in done.stdout.splitlines() if line]

    def status(self):
        return self.json("status")[0]

    def queue(self, *filters):
        return self.json("queue", "list", *filters)

    def destination(self, name="office"):
        return next(d for d in self.status()["destinations"] if d["name"] == name)

    def state(self, name="office"):
        return self.destination(name)["state"]

    def wait_state(self, *states, name="office", timeout=20):
        return until(lambda: (d := self.destination(name))["state"] in states and d,
                     f"{name} is {' or '.join(states)}; {self._where(name)}", timeout, every=0.05)

    def wait_probed(self, timeout=20):
        """Until every destination has been found to be up, and is known to be a catch-all or none."""
        def probed():
            status = self.status()
            return (all(d["state"] == "up" for d in status["destinations"])
                    and all(d["catch_all"] is not None for d in status["domains"]))
        until(probed, "all destinations have been looked at and are up", timeout, every=0.05)

    def _where(self, name):
        return f"now {self.destination(name)}"

    def wait_queue(self, count, timeout=20):
        return until(lambda: len(q := self.queue()) == count and (q or True),
                     f"{count} messages are queued", timeout, every=0.05)

    def known(self):
        return {row["address"] for row in self.json("rcpt", "list") if row["source"] in ("learnt", "local")}

    def learnt(self):
        return {row["address"] for row in self.json("rcpt", "list") if row["source"] == "learnt"}

    def wait_learnt(self, *addresses, timeout=15):
        until(lambda: set(addresses) <= self.learnt(), f"{addresses} are learnt", timeout, every=0.05)

    # mail

    def client(self, **options):
        return SmtpClient(self.port, **options)

    def send(self, recipients, sender="sender@client.test", content=b"Subject: x\r\n\r\nx\r\n", params=""):
        return send(self.port, sender, recipients, content, params)[0]

    def teach(self, destination, *addresses):
        """Makes recipients known by sending them mail while their destination is up."""
        before = len(destination.messages)
        for address in addresses:
            assert self.send(address).code == 250
        destination.wait_for(before + len(addresses))
        self.wait_learnt(*addresses)

    # what is on disk

    @property
    def spool(self):
        return self.folder / "spool"

    def log(self, name):
        path = self.folder / "log" / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def logs(self):
        return {path.stem: path.read_text(errors="replace") for path in sorted((self.folder / "log").glob("*.log"))}

    def wait_log(self, name, words, timeout=10):
        return until(lambda: next((line for line in self.log(name).splitlines() if words in line), None),
                     f"{name}.log says {words!r}", timeout)

    def reports(self):
        """What sanitizers, if it is built with any, have found in its processes; its gatewayctl's included."""
        return [path.read_text(errors="replace") for path in sorted(self.folder.glob("sanitizer.*"))]

    def events(self, name, event):
        """How often that event is in the log of a program."""
        return self.log(name).count(f"event={event}")

    def segment_bytes(self):
        return sum(path.stat().st_size for path in (self.spool / "segments").glob("*") if path.is_file())


def with_reports(env, file):
    """An environment in which sanitizers write what they find into files that begin so."""
    out = dict(env)
    for tool in ("ASAN", "UBSAN", "TSAN"):
        options = [env.get(f"{tool}_OPTIONS"), f"log_path={file}", "print_stacktrace=1" if tool == "UBSAN" else None]
        out[f"{tool}_OPTIONS"] = ":".join(filter(None, options))
    return out


def cmdline(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().decode().split("\0")[:-1]
    except OSError:
        return None
