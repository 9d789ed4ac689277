"""`make bench` works with every peer that this machine can run. What it measures is nobody's business here."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
PEERS = pathlib.Path(os.environ.get("HOLDFAST_PEERS", ROOT / "build/peers"))

pytestmark = pytest.mark.skipif(not (PEERS / "bench").is_dir(), reason="tools/unpack-peers bench has not run")


def compare(tmp_path, *words):
    out = tmp_path / "result.json"
    done = subprocess.run([sys.executable, ROOT / "bench/compare", "--count", "200", "--rounds", "1", "--out", out, *words],
                          capture_output=True, text=True, timeout=550)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(out.read_text()), done.stdout


def test_every_peer_goes_through_the_first_load(tmp_path):
    result, said = compare(tmp_path, "--set", "all", "--cases", "base")
    seen = {(row["peer"], row["scenario"]) for row in result["rows"]}
    assert {("gateway", s) for s in ("relay", "spool", "drain")} | {("haproxy", "relay"), ("direct", "relay")} <= seen
    assert all((name, "relay") in seen for name in result["versions"]), said
    if os.getuid() == 0:
        assert {"postfix", "exim", "opensmtpd"} <= set(result["versions"]), result["skipped"]


def test_every_load_is_measured(tmp_path):
    result, said = compare(tmp_path, "--peers", "haproxy", "--cases", "base,clients200,big,reuse,clients1,memory")
    for case in "base", "clients200", "big", "reuse", "clients1":
        found = {row["scenario"]: row for row in result["rows"] if (row["case"], row["peer"]) == (case, "gateway")}
        assert found.keys() == {"relay", "spool", "drain"}, said
        assert all(row["per_second"] > 0 and row["cpu_ms"] > 0 for row in found.values())
    assert all(row["memory_mib"] > 1 for row in result["rows"] if row["case"] == "memory")


def test_latency_is_measured(tmp_path):
    result, _ = compare(tmp_path, "--peers", "haproxy", "--cases", "latency")
    assert all(0 < row["p50_ms"] <= row["p99_ms"] for row in result["rows"]) and len(result["rows"]) == 3
