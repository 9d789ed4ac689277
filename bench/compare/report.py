"""A run's figures as words: lines while it goes on, a table at its end, and the same as Markdown for docs/."""

from cases import GOALS, SCENARIOS
from figures import FIGURES, judge, median, ratio, worst


def number(value, decimals):
    return "–" if value is None else f"{value:,.{decimals}f}"


def times(value):
    """A ratio in three digits."""
    return "–" if value is None else f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def line(row):
    told = ", ".join(f"{number(row[key], decimals)} {name}" for key, name, decimals in FIGURES if key in row)
    return f"  {row['scenario']:6} {row['peer']:10} round {row['round']}: {told}"


def measured(result):
    """(case, scenario, figure, name, decimals) for all that any peer has."""
    have = {(row["case"], row["scenario"], key) for row in result["rows"] if "failed" not in row for key, _, _ in FIGURES if key in row}
    return [(case, scenario, key, name, decimals) for case in result["cases"] for scenario in SCENARIOS
            for key, name, decimals in FIGURES if (case["name"], scenario, key) in have]


def peer_names(result):
    return list(result["versions"])


def goal_words(rows, case, scenario, figure):
    """The goals of a figure with what was reached."""
    return [f"{goal.text()}: {times(found)}, {'met' if met else 'MISSED'}" for goal, found, met in judge(rows, GOALS)
            if (goal.case, goal.scenario, goal.figure) == (case, scenario, figure)]


def text(result):
    rows, out = result["rows"], []
    title = None
    for case, scenario, key, name, decimals in measured(result):
        if case["title"] != title:
            title = case["title"]
            out += ["", f"{title}", f"{'':24} " + " ".join(f"{peer:>18}" for peer in peer_names(result))]
        cells = []
        for peer in peer_names(result):
            value = number(median(rows, case["name"], scenario, peer, key), decimals)
            found = ratio(rows, case["name"], scenario, key, peer) if peer != "gateway" else None
            cells.append(f"{value}{f' ({times(found)})' if found is not None else ''}")
        out.append(f"{scenario:6} {name:17} " + " ".join(f"{cell:>18}" for cell in cells))
        out += [f"{'':24} goal {words}" for words in goal_words(rows, case["name"], scenario, key)]
    return "\n".join(out + ["", *_worst(result), "In brackets: the gateway's figure divided by the peer's, median of the rounds."])


def markdown(result):
    rows, names = result["rows"], peer_names(result)
    out = ["| load | scenario | figure | " + " | ".join(names) + " | goal |", "|---" * (len(names) + 4) + "|"]
    title = None
    for case, scenario, key, name, decimals in measured(result):
        shown = case["title"] if case["title"] != title else ""
        title = case["title"]
        cells = []
        for peer in names:
            value = number(median(rows, case["name"], scenario, peer, key), decimals)
            found = ratio(rows, case["name"], scenario, key, peer) if peer != "gateway" else None
            cells.append(f"**{value}**" if peer == "gateway" else f"{value} (× {times(found)})" if found is not None else value)
        goals = "; ".join(goal_words(rows, case["name"], scenario, key))
        out.append(f"| {shown} | {scenario} | {name} | " + " | ".join(cells) + f" | {goals} |")
    return "\n".join([*out, "", *_worst(result), *_left_out(result)])


def _worst(result):
    cases = [case["name"] for case in result["cases"]]
    for peer in peer_names(result):
        found = worst(result["rows"], peer, cases, SCENARIOS) if peer == "postfix" else None
        if found:
            title = next(case["title"] for case in result["cases"] if case["name"] == found[1])
            yield f"The worst ratio to Postfix's rate: {times(found[0])} ({found[2]}, {title})."


def _left_out(result):
    for name, reason in result["skipped"].items():
        yield f"Left out: {name} ({reason})."
    for row in result["rows"]:
        if "failed" in row:
            yield f"Failed: {row['peer']}, {row['case']}, round {row['round']} ({row['failed']})."
