"""What processes there are, what one uses, and what it may use."""

import os
import resource


def stat(pid):
    """{"state", "parent", "session"}, or None when there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rsplit(b")", 1)[1].split()
    except OSError:
        return None
    return {"state": fields[0].decode(), "parent": int(fields[1]), "session": int(fields[3])}


def in_session(sid):
    """Pids of the living processes of a session."""
    found = ((int(entry), stat(entry)) for entry in os.listdir("/proc") if entry.isdigit())
    return [pid for pid, fields in found if fields and fields["session"] == sid and not _dead(pid, fields["state"])]


def _dead(pid, state):
    """A killed process whose other threads are not through with their last call still holds all its files."""
    if state not in "ZX":
        return False
    try:
        return len(os.listdir(f"/proc/{pid}/task")) <= 1
    except FileNotFoundError:
        return True


def reset_peak(pid):
    """Begins to measure for peak_kib(); returns what is in use now."""
    with open(f"/proc/{pid}/clear_refs", "w") as file:
        file.write("5")
    return peak_kib(pid)


def peak_kib(pid):
    """The most memory that was in use since reset_peak(), in KiB."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))


def rss_kib(pid):
    """What is in use now, in KiB."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def anonymous_kib(pid):
    """What is in use now and is no page of a file (an LMDB environment's are the kernel's to take back), in KiB."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon:"))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rsplit(b")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def next_descriptor(pid):
    """The number that its next one will have: with this limit it gets none."""
    taken = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
    return next(n for n in range(len(taken) + 1) if n not in taken)


def address_space(pid):
    """In bytes, as RLIMIT_AS counts it."""
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


class Limit:
    """A resource limit of a running process, lowered in a `with` block and put back behind it."""

    def __init__(self, pid, which, soft):
        self.pid, self.which, self.soft = pid, which, soft

    def __enter__(self):
        self.before = resource.prlimit(self.pid, self.which)
        resource.prlimit(self.pid, self.which, (self.soft, self.before[1]))
        return self

    def __exit__(self, *_):
        try:
            resource.prlimit(self.pid, self.which, self.before)
        except ProcessLookupError:
            pass
