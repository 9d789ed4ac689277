"""Clients and the destination: Postfix's smtp-source and smtp-sink, so that neither side of a rate was written here;
and smtp-load, which keeps to a timetable, for latency."""

import json
import os
import re
import subprocess
import tempfile
import time

from places import BIN, PEERS, environment
from support import guard, ports
from support.waiting import until

SENDER, RECIPIENT = "sender@src.test", "user@example.test"


class LoadFailed(Exception):
    """The peer refused or lost a message."""


def wait_listening(port, limit=30):
    until(lambda: not ports.refused(port), f"something listens on port {port}", limit)


def send(port, count, clients, size, reuse=False, limit=300):
    """All of them are accepted (250 after the dot) when it returns; the seconds it took."""
    words = ["-d"] if reuse else []
    begun = time.monotonic()
    try:
        done = subprocess.run([PEERS / "usr/sbin/smtp-source", *words, "-s", str(min(clients, count)), "-m", str(count),
                               "-l", str(size), "-f", SENDER, "-t", RECIPIENT, f"127.0.0.1:{port}"],
                              env=environment(), capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        raise LoadFailed(f"{count} messages were not accepted within {limit} s") from None
    took = time.monotonic() - begun
    if done.returncode or done.stderr:
        raise LoadFailed(f"smtp-source: {done.stderr.strip()[-300:]}")
    return took


def send_timed(port, rate, seconds, size):
    """A message every 1/rate s, whatever becomes of the others; milliseconds from when each was due to its 250."""
    done = subprocess.run([BIN / "smtp-load", "--port", str(port), "--rate", str(rate), "--messages", str(rate * seconds),
                           "--clients", "1000", "--size", str(size), "--from", SENDER, "--to", RECIPIENT],
                          capture_output=True, text=True, timeout=seconds + 120)
    if done.returncode:
        raise LoadFailed(f"smtp-load: {done.stderr.strip()[-300:]}")
    told = json.loads(done.stdout)
    if told["failed"]:
        raise LoadFailed(f"smtp-load: {told['failed']} of {told['sent']} messages failed: {told.get('problems')}")
    return told


class Sink:
    """smtp-sink on a port, with a running count of the messages it took."""

    def __init__(self, port):
        self.port = port
        self.out = tempfile.TemporaryFile()
        self.process = subprocess.Popen([PEERS / "usr/sbin/smtp-sink", *(["-u", "nobody"] if os.getuid() == 0 else []), "-c",
                                         f"127.0.0.1:{port}", "2000"], env=environment(), stdout=self.out,
                                        stderr=subprocess.STDOUT, start_new_session=True)
        guard.watch("session", self.process.pid)
        wait_listening(port)

    def count(self):
        size = os.fstat(self.out.fileno()).st_size
        tail = os.pread(self.out.fileno(), 200, max(0, size - 200))
        found = re.findall(rb"mesg=(\d+)", tail)
        return int(found[-1]) if found else 0

    def wait(self, count, limit):
        """Whether it held `count` messages before `limit` seconds were over."""
        end = time.monotonic() + limit
        while self.count() < count:
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            guard.over("session", self.process.pid)
            self.process = None
            self.out.close()


class Filter:
    """accept-filter on a port. What it costs is counted as nobody's: it is the same for all."""

    def __init__(self, port):
        self.port = port
        self.process = subprocess.Popen([BIN / "accept-filter", str(port)], start_new_session=True)
        guard.watch("session", self.process.pid)
        wait_listening(port)

    def stop(self):
        self.process.kill()
        self.process.wait()
        guard.over("session", self.process.pid)
