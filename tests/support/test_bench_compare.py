"""bench/compare counts and reckons right: its groups see what processes spend, its report says what the figures say."""

import dataclasses
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench/compare"))

import accounting  # noqa: E402
import document  # noqa: E402
import figures  # noqa: E402
import picture  # noqa: E402
import report  # noqa: E402
from cases import CASES, GOALS, Goal  # noqa: E402


def rows(peer, scenario, key, values, case="base"):
    return [{"case": case, "peer": peer, "scenario": scenario, "round": number, key: value}
            for number, value in enumerate(values, 1)]


def result(*parts):
    return {"cases": [dataclasses.asdict(case) for case in CASES.values()], "versions": {"gateway": "", "postfix": "3.7"},
            "skipped": {"exim": "is missing"}, "rows": [row for part in parts for row in part]}


def test_a_median_is_over_the_rounds():
    assert figures.median(rows("a", "relay", "per_second", [3, 1, 2]), "base", "relay", "a", "per_second") == 2
    assert figures.median([], "base", "relay", "a", "per_second") is None


def test_a_ratio_compares_within_rounds():
    """The machine was half as quick in the second round and thrice in the third; ours was twice the peer's in all."""
    both = rows("gateway", "relay", "per_second", [200, 100, 600]) + rows("postfix", "relay", "per_second", [100, 50, 300])
    assert figures.ratio(both, "base", "relay", "per_second", "postfix") == 2


def test_a_round_that_one_of_them_lacks_does_not_count():
    both = rows("gateway", "relay", "per_second", [200, 1]) + rows("postfix", "relay", "per_second", [100])
    assert figures.ratio(both, "base", "relay", "per_second", "postfix") == 2
    assert figures.ratio(both, "base", "spool", "per_second", "postfix") is None


def test_goals_are_judged_in_their_direction():
    quicker, cheaper = Goal("base", "spool", "per_second", "postfix", True, 8), Goal("base", "spool", "cpu_ms", "postfix", False, 0.1)
    both = (rows("gateway", "spool", "per_second", [790]) + rows("postfix", "spool", "per_second", [100])
            + rows("gateway", "spool", "cpu_ms", [0.4]) + rows("postfix", "spool", "cpu_ms", [5]))
    assert figures.judge(both, [quicker, cheaper]) == [(quicker, 7.9, False), (cheaper, 0.08, True)]


def test_the_worst_ratio_is_found():
    both = []
    for case, ours in ("base", 300), ("clients1", 90):
        both += rows("gateway", "drain", "per_second", [ours], case) + rows("postfix", "drain", "per_second", [100], case)
    assert figures.worst(both, "postfix", ["base", "clients1"], ["relay", "drain"]) == (0.9, "clients1", "drain")
    assert figures.worst(both, "haproxy", ["base"], ["drain"]) is None


def test_every_goal_is_of_a_case_that_is_measured():
    assert {goal.case for goal in GOALS} <= set(CASES)


def test_a_missed_goal_stands_in_every_report():
    told = result(rows("gateway", "spool", "per_second", [500]), rows("postfix", "spool", "per_second", [100]))
    assert "goal ≥ 8 × postfix: 5.00, MISSED" in report.text(told)
    assert "≥ 8 × postfix: 5.00, MISSED" in report.markdown(told)
    assert "Left out: exim (is missing)." in report.markdown(told)


def test_a_failed_round_is_told():
    told = result([{"case": "base", "peer": "postfix", "round": 2, "failed": "lost 3 messages"}])
    assert "Failed: postfix, base, round 2 (lost 3 messages)." in report.markdown(told)


def test_the_table_goes_between_the_marks():
    page = f"before\n{document.BEGIN}\nold\n{document.END}\nafter\n"
    assert document.replaced(page, "new") == f"before\n{document.BEGIN}\nnew\n{document.END}\nafter\n"
    with pytest.raises(ValueError):
        document.replaced("no marks", "new")


def test_the_picture_has_a_bar_for_each_figure():
    told = result(rows("gateway", "relay", "per_second", [500]), rows("postfix", "relay", "per_second", [100]),
                  rows("gateway", "relay", "cpu_ms", [0.2]))
    drawn = xml.etree.ElementTree.fromstring(picture.svg(told))
    bars = [e for e in drawn.iter("{http://www.w3.org/2000/svg}rect") if e.get("height") == "14"]
    widths = [float(bar.get("width")) for bar in bars]
    assert len(widths) == 3 and widths[0] == pytest.approx(5 * widths[1])


@pytest.mark.parametrize("kind", [accounting.Cgroup.v1, accounting.Cgroup.v2, lambda _: accounting.ProcessTree()],
                         ids=["cgroup-v1", "cgroup-v2", "proc"])
def test_a_group_counts_children_that_have_ended(kind):
    try:
        group = kind(f"holdfast-test-{os.getpid()}")
    except OSError as error:
        pytest.skip(f"not on this machine: {error}")
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    words = ["sh", "-c", f"{sys.executable} -c '{burn}'; echo done; exec sleep 100"]
    process = subprocess.Popen(words, preexec_fn=group.enter, stdout=subprocess.PIPE, text=True,
                               start_new_session=True)
    group.started(process)
    try:
        assert process.stdout.readline() == "done\n"
        assert group.pids() == [process.pid]
        assert 0.25 <= group.cpu() < 5
        assert group.memory_mib() > 0
    finally:
        group.end()
        process.stdout.close()
    assert process.returncode is not None


def test_a_case_of_ones_own_has_no_goals():
    own = CASES["base"].changed(clients=5)
    both = rows("gateway", "spool", "per_second", [1], own.name) + rows("postfix", "spool", "per_second", [100], own.name)
    assert own.clients == 5 and own.size == CASES["base"].size and figures.judge(both, GOALS) == []
