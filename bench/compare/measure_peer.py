"""Takes one peer through one case."""

import contextlib
import signal
import threading
import time

import load
from load import Filter, LoadFailed, Sink
from support import ports

DRAIN_LIMIT = 120  # seconds; a peer that needs more is not waited for


@contextlib.contextmanager
def _undisturbed():
    """A signal that would end us waits, so that what was started is ended to the last."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Sampler:
    """The most memory that a group was seen to have, looked at every `every` seconds."""

    def __init__(self, group, every=0.2):
        self.group, self.every, self.most, self.over = group, every, 0.0, threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self.over.is_set():
            self.most = max(self.most, self.group.memory_mib())
            self.over.wait(self.every)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


class Measurement:
    """One peer in one case; row(row) is called with each figure as it is known."""

    def __init__(self, peer_class, case, scenarios, row):
        self.case, self.scenarios, self.row = case, scenarios, row
        self.peer = peer_class(ports.free_port(), ports.free_port())
        self.count = max(1, round(case.count * self.peer.share))
        self.sink = self.filter = None

    def run(self):
        try:
            self._sink_up()
            if self.case.filtered:
                self.filter = Filter(ports.free_port())
                self.peer.filter_port = self.filter.port
            self.peer.start()
            self._warm_up()
            if "relay" in self.scenarios:
                self._relay()
            if self.peer.keeps and {"spool", "drain"} & set(self.scenarios):
                self._down()
        except (LoadFailed, AssertionError, OSError) as failure:
            raise LoadFailed(f"{failure}\n{self.peer.output()}") from failure
        finally:
            with _undisturbed():
                self.peer.stop()
                self._sink_down()
                if self.filter is not None:
                    self.filter.stop()

    def _sink_up(self):
        self.sink = Sink(self.peer.sink_port)

    def _sink_down(self):
        if self.sink is not None:
            self.sink.stop()
        self.sink = None

    def _warm_up(self):
        """Caches are full, processes have been forked."""
        load.send(self.peer.relay_port, 2 * self.case.clients, self.case.clients, 1024, self.case.reuse)
        if self.peer.counts and not self.sink.wait(2 * self.case.clients, 30):
            raise LoadFailed("the first messages did not arrive")
        self.peer.group.wait_quiet()

    def _relay(self):
        def whole():
            base = self.sink.count()
            self._send()
            if self.peer.counts and not self.sink.wait(base + self.count, DRAIN_LIMIT):
                raise LoadFailed(f"{self.sink.count() - base} of {self.count} messages arrived")
        self._measure("relay", whole)

    def _down(self):
        self._sink_down()
        self.peer.wait_down()
        self._measure("spool", self._send)
        if "drain" not in self.scenarios or self.case.kind != "rate":
            return
        self.peer.group.wait_quiet()
        self._sink_up()

        def whole():
            end = time.monotonic() + DRAIN_LIMIT
            self.peer.flush()
            while not self.sink.wait(self.count, self.peer.flush_again) and time.monotonic() < end:
                self.peer.flush()
            if self.sink.count() < self.count:
                raise LoadFailed(f"{self.sink.count()} of {self.count} messages came out within {DRAIN_LIMIT} s")
        self._measure("drain", whole)

    def _send(self):
        load.send(self.peer.relay_port, self.count, self.case.clients, self.case.size, self.case.reuse)

    def _measure(self, scenario, work):
        getattr(self, f"_{self.case.kind}")(scenario, work)

    def _rate(self, scenario, work):
        cpu, begun = self.peer.group.cpu(), time.monotonic()
        work()
        took = time.monotonic() - begun
        spent = self.peer.group.cpu() - cpu
        self.row({"scenario": scenario, "count": self.count, "seconds": round(took, 3),
                  "per_second": round(self.count / took, 1), "cpu_ms": round(spent * 1000 / self.count, 4)})

    def _latency(self, scenario, _):
        told = load.send_timed(self.peer.relay_port, self.case.rate, self.case.seconds, self.case.size)
        self.row({"scenario": scenario, "count": self.case.rate * self.case.seconds, "p50_ms": told["p50_ms"],
                  "p99_ms": told["p99_ms"]})

    def _memory(self, scenario, work):
        with _Sampler(self.peer.group) as sampler:
            work()
        self.row({"scenario": scenario, "count": self.count, "memory_mib": round(sampler.most, 1)})
