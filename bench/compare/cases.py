"""What is measured, and what of it is a goal."""

import dataclasses

SCENARIOS = ("relay", "spool", "drain")


@dataclasses.dataclass(frozen=True)
class Case:
    """One kind of load. `kind`: rate (as quick as it goes), latency (`rate` a second) or memory (sampled under load)."""

    name: str
    title: str
    kind: str = "rate"
    count: int = 2000     # messages
    clients: int = 20
    size: int = 4096      # bytes a message
    reuse: bool = False   # several messages a connection
    rate: int = 0         # messages a second, for latency
    seconds: int = 0      # for latency
    filtered: bool = False  # a filter that accepts everything is asked by milter

    def changed(self, **values):
        """A case of one's own. It has another name, so that no goal speaks of it."""
        words = ", ".join(f"{value} {'bytes' if name == 'size' else name}" for name, value in values.items())
        return dataclasses.replace(self, **values, name=f"{self.name}*", title=f"{self.title}, but {words}")


CASES = {case.name: case for case in (
    Case("base", "4 KiB, 20 clients, a connection a message", count=5000),
    Case("clients200", "200 clients", count=2500, clients=200),
    Case("big", "100 KiB", count=800, size=102400),
    Case("reuse", "several messages a connection", count=2500, reuse=True),
    Case("clients1", "one client", count=500, clients=1),
    Case("filter", "4 KiB, 20 clients, asking a filter", count=2500, filtered=True),
    Case("latency", "100 messages a second, as they come", kind="latency", rate=100, seconds=10),
    Case("memory", "memory under load, 20 clients", kind="memory", count=1500),
)}


@dataclasses.dataclass(frozen=True)
class Goal:
    """Our figure divided by the peer's must be at least, or at most, `bound`."""

    case: str
    scenario: str
    figure: str   # a key of a row: per_second, cpu_ms, p99_ms, memory_mib
    peer: str
    at_least: bool
    bound: float

    def met(self, ratio):
        return ratio >= self.bound if self.at_least else ratio <= self.bound

    def text(self):
        return f"{'≥' if self.at_least else '≤'} {self.bound:g} × {self.peer}"


GOALS = (
    Goal("base", "relay", "per_second", "haproxy", True, 1),
    Goal("base", "relay", "per_second", "postfix", True, 8),
    Goal("base", "relay", "cpu_ms", "haproxy", False, 1),
    Goal("base", "spool", "per_second", "postfix", True, 8),
    Goal("base", "spool", "cpu_ms", "postfix", False, 0.1),
    Goal("base", "drain", "per_second", "postfix", True, 6),
    *(Goal(case, scenario, "per_second", "postfix", True, 1)
      for case in ("clients200", "big", "reuse", "clients1") for scenario in SCENARIOS),
    Goal("filter", "relay", "per_second", "postfix", True, 4),
    Goal("latency", "relay", "p99_ms", "postfix", False, 0.25),
    Goal("latency", "spool", "p99_ms", "postfix", False, 0.25),
    Goal("memory", "relay", "memory_mib", "postfix", False, 1),
    Goal("memory", "spool", "memory_mib", "postfix", False, 1),
)
