"""Arithmetic over the rows of a run. A row is one figure of one peer in one round, as measure_peer.py told it."""

import statistics

# Key of a row, its name, decimals.
FIGURES = (("per_second", "messages/s", 0), ("cpu_ms", "CPU ms a message", 3), ("p50_ms", "p50 ms", 2), ("p99_ms", "p99 ms", 2),
           ("memory_mib", "MiB", 1))


def select(rows, case, scenario, peer, figure):
    """{round: value} of one figure."""
    return {row["round"]: row[figure] for row in rows
            if figure in row and (row["case"], row["scenario"], row["peer"]) == (case, scenario, peer)}


def median(rows, case, scenario, peer, figure):
    """Over the rounds; None if it was not measured."""
    values = select(rows, case, scenario, peer, figure).values()
    return statistics.median(values) if values else None


def ratio(rows, case, scenario, figure, peer, own="gateway"):
    """Ours divided by the peer's: the median of the rounds' ratios, since a machine that slows down slows both of a round."""
    ours, theirs = (select(rows, case, scenario, name, figure) for name in (own, peer))
    ratios = [ours[number] / theirs[number] for number in ours.keys() & theirs.keys() if theirs[number]]
    return statistics.median(ratios) if ratios else None


def judge(rows, goals):
    """[(goal, ratio, met)] of the goals whose figures were measured."""
    out = []
    for goal in goals:
        found = ratio(rows, goal.case, goal.scenario, goal.figure, goal.peer)
        if found is not None:
            out.append((goal, found, goal.met(found)))
    return out


def worst(rows, peer, cases, scenarios):
    """The (ratio, case, scenario) in which our rate compares worst with a peer's; None without any."""
    found = [(value, case, scenario) for case in cases for scenario in scenarios
             if (value := ratio(rows, case, scenario, "per_second", peer)) is not None]
    return min(found, default=None)
