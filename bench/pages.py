#!/usr/bin/python3
"""How long each page of the dashboard waits for webd, with a large queue. docs/performance.md has the figures of a run.

    bench/pages.py [--count 1000000] [--rounds 20] [--bin build/release/bin] [--most MS]

makes a queue (make-queue) of two destinations, one of them down, starts a gateway on it, and asks for what each page asks for, one
request after the other as a browser with one connection would. Printed as a table: median, 95 % and the longest, in milliseconds;
"whole" is a page with all that it waits for in a row. What has a * it shows when it comes, and says till then that it looks.
With --most, exit 1 if a median of the others is longer. Work is under TMPDIR: a million messages of 4 KiB take 9 GB there.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("--count", type=int, default=1_000_000)
arguments.add_argument("--rounds", type=int, default=20)
arguments.add_argument("--size", default="4096")
arguments.add_argument("--bin", default=str(HERE.parent / "build/release/bin"))
arguments.add_argument("--most", type=float, default=0, help="milliseconds a median may take")
options = arguments.parse_args()
os.environ["HOLDFAST_BIN"] = options.bin

from measure import machine  # noqa: E402
from support import ports, web  # noqa: E402
from support.destination import Destination  # noqa: E402
from support.gateway import Gateway  # noqa: E402
from support.waiting import until  # noqa: E402

DAY = 86_400
# What goes through the whole queue or all logs.
SEARCHES = ("queue/ages", "quarantine", "recipients/refused", "trace", "report", "destinations/branch/history")


def gateway():
    """office is up, branch is not: mail for both, so that no filter of the queue's page means everything."""
    office, branch = Destination().start(), ports.free_port()
    probe = {"interval": "1s", "down_after": 1}
    return office, Gateway(destinations={"office": {"servers": [f"127.0.0.1:{office.port}"], "probe": probe},
                                         "branch": {"servers": [f"127.0.0.1:{branch}"], "probe": probe}},
                           domains={"example.test": {"destination": "office", "local_recipients": ["local"]},
                                    "branch.test": {"destination": "branch"}},
                           settings=web.settings())


def fill(gw):
    """Nine in ten for the destination that is down; the rest is held below."""
    for domain, count in ("branch.test", options.count * 9 // 10), ("example.test", options.count - options.count * 9 // 10):
        subprocess.run([pathlib.Path(options.bin) / "make-queue", "--config", gw.file, "--count", str(count), "--size", options.size,
                        "--domain", domain, "--senders", str(max(10, count // 10)), "--age", str(DAY)], check=True, stdout=subprocess.DEVNULL)


def settle(gw):
    until(lambda: gw.status()["queue"]["messages"] == options.count, "all are indexed", 3600, every=0.5)
    done = gw.ctl("queue", "hold", "--domain", "example.test")
    assert done.returncode == 0, done.stderr
    assert gw.ctl("dest", "resume", "office").returncode == 0
    gw.wait_state("down", name="branch", timeout=60)


def pages(client):
    """Of each page what it asks for: webd/assets/pages."""
    queue = client.get("queue?limit=50").json()
    ids = [m["queue_id"] for m in queue["messages"]]
    first, last = ids[0], ids[-1]
    middle = f"{int(first, 16) + options.count // 2:X}"
    day = f"from={int(time.time()) - DAY}&to={int(time.time())}"
    lists = {"all": "", "behind the first page": f"after={last}", "from the middle": f"after={middle}", "of a destination": "destination=office",
             "of a domain": "domain=branch.test", "in state held": "state=held", "in state active": "state=active",
             "in state frozen": "state=frozen", "of one sender": "sender=sender3@senders.test", "of a sender's domain": "sender=@senders.test",
             "of one recipient": "recipient=user7@branch.test", "of a sender of none": "sender=nobody@nowhere.test",
             "older than 12 h": "older=12h", "younger than 1 h": "younger=1h", "held by a filter": "held_by=filter%3A%20",
             "unfiltered": "unfiltered=yes", "of a domain, held": "domain=branch.test&state=held"}
    out = {"index": ["/"], "script": ["/app.js"], "session": ["session"],
           "overview": ["status", "history"] + [f"history?series={names}&{day}" for names in (
               "state.branch,state.office", "queue.domain.branch.test,queue.domain.example.test", "rate.proxied,rate.kept,rate.refused,rate.sent")]}
    out |= {f"queue, {name}": [f"queue?limit=50&{words}", f"queue/ages?{words}"] for name, words in lists.items()}
    out |= {"message": [f"queue/{first}", f"queue/{first}/headers"], "message, its content": [f"queue/{first}/content"],
            "destinations": ["destinations", f"history?series=state.branch,state.office&{day}"], "destination": ["destinations/branch", "destinations/branch/history"],
            "domains": ["domains"], "domain": ["domains/branch.test"],
            "recipients": ["recipients?limit=100"], "recipients, refused": ["recipients/refused"],
            "filters": ["filters", "quarantine"], "alerts": ["alerts"], "config": ["config", "config/diff"],
            "system": ["system", "audit", "users", "tokens"],
            "trace, a queue id": [f"trace?what={first}"], "trace, an address": ["trace?what=user7@branch.test"], "report": ["report"]}
    return out


def asked(client, path):
    begun = time.monotonic()
    answer = client.get(path)
    took = (time.monotonic() - begun) * 1000
    if answer.status != 200:
        sys.exit(f"{path}: {answer.status} {answer.body.decode(errors='replace')}")
    return took


def spread(times):
    times = sorted(times)
    at = lambda part: times[min(len(times) - 1, int(part * len(times)))]  # noqa: E731
    return at(0.5), at(0.95), times[-1]


def row(page, what, times, slow):
    p50, p95, longest = spread(times)
    search = what.startswith(SEARCHES)
    print(f"| {page} | `{what}`{'*' if search else ''} | {p50:.1f} | {p95:.1f} | {longest:.1f} |", flush=True)
    if options.most and p50 > options.most and not search:
        slow.append(f"{page}: {what} takes {p50:.0f} ms")


def measure(client):
    slow = []
    print("| page | request | p50 ms | p95 ms | longest ms |\n|---|---|---|---|---|")
    for page, paths in pages(client).items():
        rounds = 3 if paths[0].startswith(SEARCHES) else options.rounds
        times = [[asked(client, path) for path in paths] for _ in range(rounds)]
        for i, path in enumerate(paths):
            row(page, path, [t[i] for t in times], slow)
        waited = [i for i, path in enumerate(paths) if not path.startswith(SEARCHES)]
        if len(waited) > 1:
            row(page, "whole", [sum(t[i] for i in waited) for t in times], slow)
    return slow


def main():
    print(machine(), flush=True)
    office, gw = gateway()
    try:
        # Its server takes nothing before all is there.
        gw.start()
        assert gw.ctl("dest", "pause", "office").returncode == 0
        gw.stop(60)
        fill(gw)
        gw.start()
        settle(gw)
        web.add_user(gw, "admin", "admin")
        slow = measure(web.browser(gw, "admin"))
    finally:
        gw.dispose()
        office.close()
    sys.exit("\n".join(slow) or 0)


if __name__ == "__main__":
    main()
