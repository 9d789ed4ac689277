"""What every peer has: a folder, two ports, and a group that counts what it costs."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import accounting
from load import wait_listening
from places import environment
from support import guard


class Peer:
    """A relay in front of 127.0.0.1:sink_port, listening on 127.0.0.1:relay_port, for mail to example.test.

    A peer of one's own gives configure() and command(), and flush() if it keeps mail.
    """

    name = ""
    keeps = True  # accepts mail while the destination is down
    flush_again = 120  # seconds after which its admin would tell it again that the destination is back
    rounds = 100  # that it takes part in, at most
    only = ()  # the cases that it takes part in; all, if empty
    share = 1.0  # of a case's messages that it is given: slow ones get fewer, so that a run ends
    filters = False  # can ask a filter by milter
    filter_port = 0  # of the one to be asked; 0: none
    counts = True  # its destination is the sink (else its messages are counted nowhere)

    def __init__(self, relay_port, sink_port):
        self.relay_port, self.sink_port = relay_port, sink_port
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"hf-bench-{self.name}-"))
        self.folder.chmod(0o755)
        guard.watch("folder", self.folder)
        self.group = accounting.group(f"holdfast-bench-{self.name}")

    @classmethod
    def missing(cls):
        """Why it cannot run on this machine; empty if it can."""
        return ""

    @classmethod
    def version(cls):
        """As it tells itself; empty if it has none."""
        return ""

    def configure(self):
        """Writes what it needs into its folder."""

    def command(self):
        """The words that run it in the foreground."""
        raise NotImplementedError

    def environment(self):
        return environment()

    def flush(self):
        """Tells it that the destination is back, as its admin would."""

    def wait_up(self):
        """Until it knows that the destination is there, if it keeps such knowledge."""

    def wait_down(self):
        """Until it knows that the destination is gone, if it keeps such knowledge."""

    def start(self):
        self.configure()
        self.spawn(self.command())
        wait_listening(self.relay_port)
        self.wait_up()

    def spawn(self, words):
        """Starts something whose cost counts as the peer's."""
        with open(self.folder / "output.log", "ab") as log:
            process = subprocess.Popen(words, preexec_fn=self.group.enter, env=self.environment(), stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, start_new_session=True)
        guard.watch("session", process.pid)
        self.group.started(process)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def output(self):
        path = self.folder / "output.log"
        return path.read_text(errors="replace")[-1000:] if path.exists() else ""

    def stop(self):
        self.group.end()
        for process in self.group.children:
            guard.over("session", process.pid)
        guard.over("folder", self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)


def told(words, pattern):
    """What a program says of its version: the pattern's first group in its output."""
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=60)
    found = re.search(pattern, done.stdout + done.stderr)
    return found.group(1) if found else ""


def not_root():
    return "" if os.getuid() == 0 else "runs as root only: sudo make bench"


def absent(path):
    return "" if path.exists() else f"{path} is missing: tools/unpack-peers bench"
