"""Holdfast itself, with its defaults but for a probe every second."""

import json
import subprocess

from places import BIN
from support.waiting import until

from .peer import Peer


class Gateway(Peer):
    name = "gateway"
    filters = True

    @classmethod
    def missing(cls):
        return "" if (BIN / "master").exists() else "is not built: make build"

    def configure(self):
        self.file = self.write("gateway.yaml", f"""\
hostname: mx.example.test
listen: ["127.0.0.1:{self.relay_port}"]
paths: {{base: {self.folder}/base}}
destinations:
  office: {{servers: ["127.0.0.1:{self.sink_port}"], probe: {{interval: 1s, down_after: 1}}}}
domains:
  example.test: {{destination: office, local_recipients: [user]}}
{self._filters()}""")

    def _filters(self):
        """Asked while the destination is down, too: as the others do."""
        if not self.filter_port:
            return ""
        return f"filters: [{{name: accept, milter: 'inet:127.0.0.1:{self.filter_port}'}}]\nwhile_down: {{filtering: run}}\n"

    def command(self):
        return [BIN / "master", "--config", self.file]

    def flush(self):
        self._ctl("dest", "probe", "office")

    def wait_up(self):
        self._wait_state("up")

    def wait_down(self):
        self._wait_state("down")

    def _ctl(self, *words):
        return subprocess.run([BIN / "gatewayctl", "--config", self.file, *words], capture_output=True, text=True, timeout=60)

    def _wait_state(self, state):
        def seen():
            done = self._ctl("status", "--json")
            return done.returncode == 0 and json.loads(done.stdout)["destinations"][0]["state"] == state
        until(seen, f"the gateway says {state}", 20, every=0.1)
