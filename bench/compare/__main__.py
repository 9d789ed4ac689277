"""Compares the gateway with the mail systems that one would take instead, on this machine, in turns.

    make bench [SET=quick|usual|all] [PEERS=postfix,haproxy] [CASES=base,latency] [SCENARIOS=relay,spool,drain]
               [ROUNDS=3] [N=messages] [CLIENTS=20] [SIZE=4096]
    make bench-doc      puts the last run's figures into docs/

bench/README.md tells what is measured and how.
"""

import argparse
import dataclasses
import json
import pathlib
import signal
import sys

sys.dont_write_bytecode = True

import document  # noqa: E402
import peers  # noqa: E402
import report  # noqa: E402
from cases import CASES, SCENARIOS  # noqa: E402
from circumstances import circumstances  # noqa: E402
from load import LoadFailed  # noqa: E402
from measure_peer import Measurement  # noqa: E402
from places import OUT  # noqa: E402

# Cases and peers of each set.
SETS = {
    "quick": (["base"], ["postfix", "haproxy"]),
    "usual": (list(CASES), ["postfix", "haproxy"]),
    "all": (list(CASES), [name for name in peers.ALL if name != "gateway"]),
}


def words(text):
    return [word for word in text.split(",") if word]


def arguments():
    parser = argparse.ArgumentParser(prog="bench/compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--doc", action="store_true", help="write docs/ from the last run, measure nothing")
    parser.add_argument("--set", default="usual", choices=SETS)
    parser.add_argument("--peers", type=words, default=[])
    parser.add_argument("--cases", type=words, default=[])
    parser.add_argument("--scenarios", type=words, default=list(SCENARIOS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, help="messages")
    parser.add_argument("--clients", type=int)
    parser.add_argument("--size", type=int, help="bytes a message")
    parser.add_argument("--out", type=pathlib.Path, default=OUT / "result.json")
    a = parser.parse_args()
    for given, known in (a.peers, peers.ALL), (a.cases, CASES), (a.scenarios, SCENARIOS):
        for name in given:
            if name not in known:
                parser.error(f"there is no {name!r}, but {', '.join(known)}")
    if a.rounds < 1:
        parser.error("--rounds must be at least 1")
    return a


def chosen_cases(a):
    """Another number of messages is the same case; other clients or sizes make a case of one's own, the base one if not said."""
    changes = {name: getattr(a, name) for name in ("clients", "size") if getattr(a, name) is not None}
    cases = [CASES[name] for name in a.cases or (["base"] if changes else SETS[a.set][0])]
    if a.count is not None:
        cases = [dataclasses.replace(case, count=a.count) for case in cases]
    return [case.changed(**changes) for case in cases] if changes else cases


def chosen_peers(a):
    """(those that can run and relay one message, {name: why not}); the gateway is the first, whoever else was asked for."""
    ready, skipped = [], {}
    one = dataclasses.replace(CASES["base"], count=1, clients=1)
    for name in dict.fromkeys(["gateway", *(a.peers or SETS[a.set][1])]):
        reason = peers.ALL[name].missing()
        if not reason:
            try:
                Measurement(peers.ALL[name], one, ["relay"], lambda row: None).run()
            except LoadFailed as failure:
                reason = f"does not relay one message: {failure}"
        if reason:
            print(f"bench: {name} {'' if reason.startswith(('does', 'is')) else 'is left out: '}{reason}", flush=True)
            skipped[name] = reason.splitlines()[0]
        else:
            ready.append(name)
    if "gateway" in skipped:
        sys.exit(1)
    return ready, skipped


def takes_part(peer, case, number):
    return number <= peer.rounds and (peer.filters or not case.filtered) and (not peer.only or case.name.rstrip("*") in peer.only)


def measure(cases, names, scenarios, rounds, rows):
    """Appends to rows; what was measured stays there if it is ended."""
    for case in cases:
        print(f"\n{case.title}", flush=True)
        for number in range(1, rounds + 1):
            for name in names:
                if not takes_part(peers.ALL[name], case, number):
                    continue

                def keep(row, name=name, case=case, number=number):
                    rows.append({"case": case.name, "peer": name, "round": number, **row})
                    print(report.line(rows[-1]), flush=True)
                try:
                    Measurement(peers.ALL[name], case, scenarios, keep).run()
                except LoadFailed as failure:
                    print(f"  {name}, round {number}: {failure}", flush=True)
                    rows.append({"case": case.name, "peer": name, "round": number, "failed": str(failure).splitlines()[0]})


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended on the way out
    a = arguments()
    if a.doc:
        document.write(json.loads(a.out.read_text()))
        return 0
    names, skipped = chosen_peers(a)
    about = circumstances(names, skipped)
    print(f"{document.about(about)}")
    cases = chosen_cases(a)
    rows = []
    result = {**about, "cases": [dataclasses.asdict(case) for case in cases], "rows": rows}
    try:
        measure(cases, names, a.scenarios, a.rounds, rows)
    finally:
        a.out.parent.mkdir(parents=True, exist_ok=True)
        a.out.write_text(json.dumps(result, indent=1) + "\n")
    print(report.text(result), flush=True)
    print(f"\nwritten to {a.out}")
    return 1 if any("failed" in row for row in rows) else 0


sys.exit(main())
