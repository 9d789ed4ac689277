"""Real filters that speak milter, unpacked under build/peers/filters by tools/unpack-peers, never installed.

Each listens on a port of its own of loopback, needs no network, and runs as whoever runs the test.
"""

import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

from . import guard, ports
from .peers import PEERS
from .waiting import until

ROOT = PEERS / "filters"
LIBRARIES = ":".join(f"{ROOT}/{folder}" for folder in ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib", "usr/lib/rspamd"))

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


class _Filter:
    """What starts, ends and is configured for a gateway in the same way."""

    name = ""

    def __init__(self):
        self.port = ports.free_port()
        self.milter = f"inet:127.0.0.1:{self.port}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"hf-{self.name}-"))
        guard.watch("folder", self.folder)
        self.processes = []

    def _run(self, program, *words):
        log = (self.folder / f"{pathlib.Path(program).name}.out").open("wb")
        process = subprocess.Popen([ROOT / program, *map(str, words)], env={**os.environ, "LD_LIBRARY_PATH": LIBRARIES},
                                   cwd=self.folder, stdout=log, stderr=log, start_new_session=True)
        log.close()
        guard.watch("session", process.pid)
        self.processes.append(process)
        return process

    def _until(self, ready, process, what):
        until(lambda: process.poll() is not None or ready(), what, timeout=60)
        assert process.poll() is None, self.log()

    def _until_listening(self, process):
        self._until(lambda: not ports.refused(self.port), process, f"{self.name} listens")

    def log(self):
        return "".join(path.read_text("utf-8", "replace") for path in sorted(self.folder.glob("*.out")))

    def kill(self):
        """As if it had died: whoever connects is refused."""
        while self.processes:
            process = self.processes.pop()
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
            guard.over("session", process.pid)

    def stop(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        guard.over("folder", self.folder)


class Rspamd(_Filter):
    """Refuses GTUBE with 554 5.7.1, adds X-Spamd-Result and X-Spamd-Bar to other mail. Asks no name server."""

    name = "rspamd"

    def __init__(self):
        super().__init__()
        override = self.folder / "override.d"
        (self.folder / "db").mkdir()
        override.mkdir()
        for worker in ("normal", "controller", "fuzzy"):
            (override / f"worker-{worker}.inc").write_text("enabled = false; count = 0;\n")
        (override / "worker-proxy.inc").write_text(
            f'bind_socket = "127.0.0.1:{self.port}"; milter = yes; count = 1; timeout = 120s;\n'
            'upstream "local" { default = yes; self_scan = yes; }\n')
        (override / "logging.inc").write_text('type = "console"; level = "info";\n')
        # The list of all top-level domains is compiled for many seconds.
        (self.folder / "tld").write_text("com\ntest\n")
        (override / "options.inc").write_text(
            f'gtube_patterns = "all"; url_tld = "{self.folder}/tld"; tempdir = "{self.folder}";\n'
            'dns { nameserver = ["127.0.0.1:9"]; timeout = 0.1s; retransmits = 1; }\n')
        (override / "milter_headers.conf").write_text(
            'use = ["x-spamd-bar", "x-spamd-result"]; skip_local = false; authenticated_headers = ["x-spamd-result"];\n')

    def start(self):
        share = ROOT / "usr/share/rspamd"
        places = {"CONFDIR": ROOT / "etc/rspamd", "LOCAL_CONFDIR": self.folder, "DBDIR": self.folder / "db", "RUNDIR": self.folder,
                  "LOGDIR": self.folder, "SHAREDIR": share, "RULESDIR": share / "rules", "LUALIBDIR": share / "lualib",
                  "PLUGINSDIR": share / "plugins", "WWWDIR": share / "www"}
        process = self._run("usr/bin/rspamd", "-f", "-i", "-c", ROOT / "etc/rspamd/rspamd.conf",
                            *(f"--var={key}={value}" for key, value in places.items()))
        self._until_listening(process)
        return self


class OpenDkim(_Filter):
    """Signs what comes from `domain` with the key in `folder`/key.pem; its public half is `public_key` (base64). Or `verifies`
    by the keys of that file, "SELECTOR._domainkey.DOMAIN RECORD" a line, without a name server."""

    name = "opendkim"

    def __init__(self, domain="client.test", selector="s1", verifies=None):
        super().__init__()
        key = self.folder / "key.pem"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True, timeout=60)
        key.chmod(0o600)
        public = subprocess.run(["openssl", "rsa", "-in", key, "-pubout"], check=True, capture_output=True, text=True, timeout=60)
        self.public_key = "".join(line for line in public.stdout.splitlines() if not line.startswith("-"))
        user = pwd.getpwuid(os.getuid()).pw_name
        does = f"Mode v\nTestPublicKeys {verifies}\nAlwaysAddARHeader yes\nAuthservID mx.test\nInternalHosts 127.0.0.9\n" if verifies else \
            "Mode s\nInternalHosts 0.0.0.0/0\n"
        (self.folder / "opendkim.conf").write_text(
            f"Domain {domain}\nSelector {selector}\nKeyFile {key}\n{does}Socket inet:{self.port}@127.0.0.1\n"
            f"Canonicalization relaxed/simple\nSyslog no\nBackground no\nUserID {user}\nRequireSafeKeys no\n")

    def start(self):
        self._until_listening(self._run("usr/sbin/opendkim", "-f", "-x", self.folder / "opendkim.conf"))
        return self


class ClamAv(_Filter):
    """clamd and clamav-milter, with a signature base that knows EICAR alone; what has it is refused with 550 5.7.1."""

    name = "clamav"

    def __init__(self):
        super().__init__()
        (self.folder / "db").mkdir()
        (self.folder / "db/eicar.ndb").write_text(f"Eicar:0:*:{EICAR.hex()}\n")
        user = pwd.getpwuid(os.getuid()).pw_name
        self.socket = self.folder / "clamd"
        (self.folder / "clamd.conf").write_text(
            f"LocalSocket {self.socket}\nDatabaseDirectory {self.folder}/db\nTemporaryDirectory {self.folder}\n"
            f"Foreground yes\nUser {user}\n")
        (self.folder / "milter.conf").write_text(
            f"MilterSocket inet:{self.port}@127.0.0.1\nClamdSocket unix:{self.socket}\nTemporaryDirectory {self.folder}\n"
            f"Foreground yes\nUser {user}\nOnInfected Reject\nRejectMsg Virus found: %v\nAddHeader Replace\n")

    def start(self):
        self.socket.unlink(missing_ok=True)
        clamd = self._run("usr/sbin/clamd", "-c", self.folder / "clamd.conf")
        self._until(self.socket.exists, clamd, "clamd listens")
        self._until_listening(self._run("usr/sbin/clamav-milter", "-c", self.folder / "milter.conf"))
        return self


class PythonMilter(_Filter):
    """libmilter_filter.py, on Debian's python3-milter: `orders(stage=[[name, *words], …])` holds from then on, `heard()` has the
    stages since."""

    name = "python-milter"

    def __init__(self):
        super().__init__()
        self.file = self.folder / "orders"
        self.orders()

    def orders(self, **stages):
        fresh = self.folder / "orders.new"
        fresh.write_text(json.dumps(stages))
        fresh.rename(self.file)
        self.before = len(self.log())

    def heard(self):
        return self.log()[self.before:].split()

    def start(self):
        self._until_listening(self._run("/usr/bin/python3", pathlib.Path(__file__).with_name("libmilter_filter.py"),
                                        ROOT / "usr/lib/python3/dist-packages", f"inet:{self.port}@127.0.0.1", self.file))
        return self
