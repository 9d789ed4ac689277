"""What a process costs, as the kernel counts it."""

import json
import os
import pathlib
import re
import time

TICK = os.sysconf("SC_CLK_TCK")


def memory(pid):
    """Bytes: `anonymous` (what it allocated; the index's map is not among it), `private`, `mapped` (resident)."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    field = {name: int(kib) * 1024 for name, kib in re.findall(r"^(\w+):\s+(\d+) kB", text, re.M)}
    return {"anonymous": field["Anonymous"], "private": field["Private_Clean"] + field["Private_Dirty"],
            "mapped": field["Rss"]}


def pss(*pids):
    """Bytes, pages that several share counted once among them."""
    texts = (pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids)
    return sum(int(re.search(r"^Pss:\s+(\d+)", text, re.M).group(1)) * 1024 for text in texts)


def peak_anonymous(pid, stop, every=0.05):
    """The largest `anonymous` that was seen until stop() is true."""
    most = 0
    while not stop():
        most = max(most, memory(pid)["anonymous"])
        time.sleep(every)
    return most


def cpu(*pids):
    """Processor seconds that the threads of these have used so far, user and system."""
    return sum(int(path.read_bytes().split()[0]) for pid in pids
               for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


class Spent:
    """Wall and processor time of a stretch of work:  with Spent(pid) as s: …;  s.wall, s.cpu."""

    def __init__(self, *pids):
        self.pids = pids

    def __enter__(self):
        self.begun, self.before = time.monotonic(), cpu(*self.pids)
        return self

    def __exit__(self, *_):
        self.wall, self.cpu = time.monotonic() - self.begun, cpu(*self.pids) - self.before


def machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory_kib = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1))
    return (f"{os.cpu_count()} x {model.group(1) if model else 'cpu'}, {memory_kib >> 20} GiB, "
            f"load {os.getloadavg()[0]:.1f}")


def mib(count):
    return f"{count / (1 << 20):.1f} MiB"


def folder_bytes(folder):
    """What its files take on disk (holes and sparse maps are not counted)."""
    return sum(path.stat().st_blocks * 512 for path in pathlib.Path(folder).rglob("*") if path.is_file())


def percentile(values, percent):
    """The smallest value that at least so many percent of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


class Report:
    """Figures, printed as they come and, if there is a file, one JSON object a line in it."""

    def __init__(self, path=""):
        self.path = path

    def say(self, count, name, value, unit="", **more):
        words = " ".join(f"{key}={word}" for key, word in more.items())
        print(f"{count:>8}  {name:<52} {value:>12} {unit}  {words}".rstrip(), flush=True)
        if self.path:
            with open(self.path, "a", encoding="utf-8") as out:
                out.write(json.dumps({"count": count, "name": name, "value": value, "unit": unit, **more}) + "\n")
