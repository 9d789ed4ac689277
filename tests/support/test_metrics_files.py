"""The alert rules and the dashboard speak of metrics that exist, and Prometheus understands them.

docs/metrics.md is made from the program's own table (unit_admin fails when they differ). promtool is Debian's, unpacked by
tools/unpack-peers; each expression of the dashboard is put into a rule of a file of its own, for promtool to parse.
"""

import json
import os
import pathlib
import re
import subprocess

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROMTOOL = pathlib.Path(os.environ.get("HOLDFAST_PEERS", ROOT / "build/peers")) / "prometheus/usr/bin/promtool"
RULES = ROOT / "packaging/prometheus/holdfast.rules.yml"
TESTS = ROOT / "packaging/prometheus/holdfast.rules.test.yml"
DASHBOARD = ROOT / "packaging/grafana/holdfast.json"


def promtool(*words, **more):
    done = subprocess.run([PROMTOOL, *words], capture_output=True, text=True, timeout=120, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def known():
    """Name and type of each metric that docs/metrics.md has."""
    rows = re.findall(r"^\| `(holdfast_\w+)` \| (\w+) \|", (ROOT / "docs/metrics.md").read_text(), re.M)
    assert len(rows) > 30
    return dict(rows)


def assert_exist(text):
    metrics = known()
    names = re.findall(r"\bholdfast_\w+", text)
    assert names
    for name in names:
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        assert name in metrics or metrics.get(base) == "histogram", f"{name} is no metric"


def expressions():
    dashboard = json.loads(DASHBOARD.read_text())
    out = [t["expr"] for panel in dashboard["panels"] for t in panel["targets"]]
    out += [a["expr"] for a in dashboard["annotations"]["list"]]
    return [e.replace("$__rate_interval", "5m").replace("$instance", ".*") for e in out]


def rules():
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def test_the_alert_rules_are_good_and_fire_when_they_shall():
    promtool("check", "rules", RULES)
    promtool("test", "rules", TESTS.name, cwd=TESTS.parent)


def test_a_rule_that_never_fires_is_noticed(tmp_path):
    """That `promtool test rules` looks at all: the same tests with a rule that is wrong fail."""
    (tmp_path / RULES.name).write_text(RULES.read_text().replace("holdfast_spool_accepting == 0", "holdfast_spool_accepting == 5"))
    (tmp_path / TESTS.name).write_text(TESTS.read_text())
    assert subprocess.run([PROMTOOL, "test", "rules", TESTS.name], cwd=tmp_path, capture_output=True).returncode != 0


def test_each_metric_of_the_alert_rules_exists():
    for rule in rules():
        if "holdfast_" in rule["expr"]:
            assert_exist(rule["expr"])


def test_each_metric_of_the_dashboard_exists():
    assert_exist(DASHBOARD.read_text())


def test_prometheus_can_read_each_expression_of_the_dashboard(tmp_path):
    file = tmp_path / "dashboard.yml"
    file.write_text(yaml.dump({"groups": [{"name": "panels", "rules": [
        {"record": f"panel:{i}", "expr": expr} for i, expr in enumerate(expressions())]}]}))
    promtool("check", "rules", file)


def test_panels_have_numbers_of_their_own_and_do_not_overlap():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({p["id"] for p in panels}) == len(panels)
    cells = set()
    for panel in panels:
        at = panel["gridPos"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert (x, y) not in cells, panel["title"]
                cells.add((x, y))
                assert x < 24
