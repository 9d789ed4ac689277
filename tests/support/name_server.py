"""nsd with zones of a test's own, on a port of its own."""

import shutil
import socket
import subprocess
import tempfile
import pathlib

from . import guard, ports
from .peers import PEERS, environment
from .waiting import until

NSD = PEERS / "usr/sbin/nsd" if (PEERS / "usr/sbin/nsd").exists() else "/usr/sbin/nsd"

_HEAD = """$ORIGIN {zone}.
$TTL {ttl}
@ IN SOA ns.{zone}. admin.{zone}. {serial} 3600 600 86400 {ttl}
@ IN NS ns.{zone}.
ns IN A 127.0.0.1
"""


class NameServer:
    """`zones`: records as in a zone file, by the zone's name. `signed`: each by a key of its own (ldns-signzone); the
    file `trust_anchors` has these keys. `spoil`, a function, may change a zone's text after it was signed."""

    def __init__(self, zones, ttl=300, signed=False):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-nsd-"))
        guard.watch("folder", self.folder)
        self.port, self.ttl, self.serial, self.zones = ports.free_port(), ttl, 0, zones
        self.process, self.keys, self.spoil = None, {}, lambda text: text
        self.trust_anchors = self.folder / "anchors"
        if signed:
            for zone in zones:
                self.keys[zone] = self._run("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", "-r", "/dev/urandom", zone).strip()
            self.trust_anchors.write_text("".join((self.folder / f"{key}.key").read_text() for key in self.keys.values()))

    def _run(self, *words):
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, cwd=self.folder)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    @property
    def server(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        lines = ["server:", f"  ip-address: 127.0.0.1@{self.port}", '  username: ""', f'  zonesdir: "{self.folder}"',
                 '  database: ""', f'  pidfile: "{self.folder}/pid"', f'  xfrdfile: "{self.folder}/xfrd"',
                 f'  zonelistfile: "{self.folder}/list"', f'  logfile: "{self.folder}/log"', "  server-count: 1",
                 "remote-control:", "  control-enable: no"]
        for zone in self.zones:
            lines += ["zone:", f"  name: {zone}", f"  zonefile: {zone}.zone"]
        (self.folder / "nsd.conf").write_text("\n".join(lines) + "\n")
        self._write()
        self.process = subprocess.Popen([NSD, "-d", "-c", self.folder / "nsd.conf"], env=environment(), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        guard.watch("session", self.process.pid)
        until(self._answers, "nsd answers", 20)
        return self

    def _write(self):
        self.serial += 1
        for zone, records in self.zones.items():
            head = _HEAD.format(zone=zone, ttl=self.ttl, serial=self.serial)
            file = self.folder / f"{zone}.zone"
            file.write_text(head + records)
            if zone in self.keys:
                self._run("ldns-signzone", "-o", zone, "-f", file, file, self.keys[zone])
            file.write_text(self.spoil(file.read_text()))

    def _answers(self):
        assert self.process.poll() is None, f"nsd ended: {(self.folder / 'log').read_text()}"
        zone = next(iter(self.zones))
        name = b"".join(bytes([len(label)]) + label.encode() for label in zone.split(".")) + b"\0"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(0.1)
            asking.sendto(b"\x12\x34\0\0\0\1\0\0\0\0\0\0" + name + b"\0\6\0\1", ("127.0.0.1", self.port))
            try:
                return len(asking.recv(512)) > 0
            except (TimeoutError, ConnectionRefusedError):
                return False

    def change(self, zone, records):
        """The zone says something else from now on; what resolvers remember holds by its TTL."""
        self.zones[zone] = records
        self.kill()
        self.start()

    def stop(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        guard.over("folder", self.folder)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            guard.over("session", self.process.pid)
            self.process = None
