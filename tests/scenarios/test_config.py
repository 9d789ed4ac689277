"""Issue 2, item 1: what a configuration's errors look like to who made them."""

import subprocess

import pytest

from support.gateway import BIN

GOOD = """\
hostname: mx.example.test
listen: ["127.0.0.1:2525"]
paths: {base: BASE}
destinations:
  office:
    servers: ["127.0.0.1:2526"]
domains:
  example.test:
    destination: office
"""


def check(tmp_path, text, *words):
    file = tmp_path / "gateway.yaml"
    file.write_text(text.replace("BASE", str(tmp_path)))
    return subprocess.run([BIN / "master", "--config", file, *words], capture_output=True, text=True, timeout=20)


def test_a_good_one_passes_and_starts_nothing(tmp_path):
    done = check(tmp_path, GOOD, "--check")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "run").exists() and not (tmp_path / "spool").exists()


@pytest.mark.parametrize("old, new, line, words", [
    ("hostname:", "hostnam:", 1, ["hostnam", "hostname"]),
    ("servers:", "server:", 6, ["server", "servers"]),
    ("destinations:", "destination:", 4, ["destination", "destinations"]),
    ("mx.example.test", "[a, b]", 1, ["hostname"]),
    ("mx.example.test", "-bad-.name", 1, ["hostname"]),
    ('["127.0.0.1:2525"]', '["127.0.0.1:70000"]', 2, ["70000"]),
    ('["127.0.0.1:2525"]', "2525", 2, ["listen"]),
    ('["127.0.0.1:2526"]', "[]", 6, ["servers"]),
    ('["127.0.0.1:2526"]', '["127.0.0.1:x"]', 6, ["127.0.0.1:x"]),
    ('["127.0.0.1:2526"]', '["127.0.0.1:2525"]', 6, ["127.0.0.1:2525"]),
    ("destination: office", "destination: ofice", 9, ["ofice", "office"]),
    ("destination: office", "destination: office\n    mode: relay", 10, ["mode"]),
    ("destination: office", "destination: office\n    local_recipients: [\"a b\"]", 10, ["a b"]),
    ("    servers:", "    probe: {interval: soon}\n    servers:", 6, ["interval", "soon"]),
    ("    servers:", "    probe: {interval: 120}\n    servers:", 6, ["interval"]),
    ("    servers:", "    max_connections: 0\n    servers:", 6, ["max_connections"]),
    ("    servers:", "    retry: never\n    servers:", 6, ["retry", "never"]),
    ("hostname:", "tls: {certificate: /x}\nhostname:", 1, ["tls"]),
    ("hostname:", "filter: []\nhostname:", 1, ["filter", "filters"]),
    ("  example.test:\n    destination: office\n",
     "  example.test:\n    destination: office\n  EXAMPLE.test:\n    destination: office\n", 10, ["example.test"]),
    ("hostname: mx", "hostname: [mx", None, []),
])
def test_an_error_has_file_line_and_nearest_name(tmp_path, old, new, line, words):
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    for arguments in ([], ["--check"]):
        done = check(tmp_path, text, *arguments)
        assert done.returncode == 78, done
        assert f"gateway.yaml:{line if line else ''}" in done.stderr, done.stderr
        for word in words:
            assert word.lower() in done.stderr.lower(), done.stderr


def test_all_errors_are_told_at_once(tmp_path):
    done = check(tmp_path, GOOD.replace("hostname:", "hostnam:").replace("destination: office", "destination: ofice"), "--check")
    assert done.returncode == 78
    assert "gateway.yaml:1" in done.stderr and "gateway.yaml:9" in done.stderr


def test_a_missing_file(tmp_path):
    done = subprocess.run([BIN / "master", "--config", tmp_path / "none.yaml"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 78
    assert "none.yaml" in done.stderr


def test_a_domain_twice_over_two_files(tmp_path):
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "more.yaml").write_text("domains:\n  Example.Test:\n    destination: office\n")
    done = check(tmp_path, GOOD, "--check")
    assert done.returncode == 78
    assert "more.yaml:" in done.stderr and "gateway.yaml" in done.stderr
