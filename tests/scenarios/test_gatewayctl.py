"""Issue 2, item 5: gatewayctl's contracts: design, section 7, and conventions.md."""

import json
import subprocess

import pytest

from many import fill
from support.gateway import BIN
from support.waiting import until


@pytest.fixture
def kept(gateway, destination):
    """Five messages in the queue, for local@ and from three senders."""
    gateway.teach(destination, "learnt@example.test")
    destination.close()
    gateway.wait_state("down")
    fill(gateway, 3)
    assert gateway.send("learnt@example.test", sender="boss@client.test").code == 250
    assert gateway.send("postmaster@example.test", sender="").code == 250
    gateway.wait_queue(5)
    return gateway


def test_status(kept):
    status = kept.status()
    assert set(status) >= {"daemons", "destinations", "domains", "queue", "spool"}
    assert all(set(d) >= {"name", "pid", "state", "restarts"} for d in status["daemons"])
    (office,) = status["destinations"]
    assert set(office) >= {"name", "state", "reason", "mode", "since", "queued"}
    assert (office["name"], office["state"], office["mode"], office["queued"]) == ("office", "down", "pass thro'", 5)
    (domain,) = status["domains"]
    assert set(domain) >= {"name", "coverage_percent", "catch_all"}
    assert domain["name"] == "example.test" and not domain["catch_all"]
    queue = status["queue"]
    assert set(queue) >= {"messages", "bytes", "active", "deferred", "held", "frozen", "oldest_seconds"}
    assert queue["messages"] == 5 and queue["deferred"] == 5 and queue["held"] == 0 and queue["bytes"] > 500
    assert set(status["spool"]) >= {"free_bytes", "free_percent", "accepting"}
    assert status["spool"]["accepting"] is True and status["spool"]["free_bytes"] > 0


def test_queue_list(kept):
    rows = kept.queue()
    assert len(rows) == 5
    for row in rows:
        assert set(row) >= {"queue_name", "queue_id", "arrival_time", "message_size", "sender", "recipients", "domain",
                            "destination", "next_attempt", "attempts", "expires"}
        assert set(row["recipients"][0]) >= {"address"}
        assert row["queue_name"] == "deferred"
    assert [row["arrival_time"] for row in rows] == sorted(row["arrival_time"] for row in rows)
    assert len(kept.queue("--sender", "boss@client.test")) == 1
    assert len(kept.queue("--recipient", "local@example.test")) == 3
    assert len(kept.queue("--domain", "example.test")) == 5
    assert kept.queue("--domain", "other.test") == []
    assert len(kept.queue("--destination", "office")) == 5
    shown = kept.ctl("queue", "list")
    assert shown.returncode == 0 and "boss@client.test" in shown.stdout


def test_queue_show_and_cat(kept):
    (row,) = kept.queue("--sender", "boss@client.test")
    shown = kept.ctl("queue", "show", row["queue_id"])
    assert shown.returncode == 0
    assert "boss@client.test" in shown.stdout and "learnt@example.test" in shown.stdout
    cat = kept.ctl("queue", "cat", row["queue_id"])
    assert cat.returncode == 0
    assert cat.stdout.startswith("Received: from client.test") and cat.stdout.rstrip().endswith("x")
    for command in ("show", "cat", "retry", "hold", "release", "delete"):
        done = kept.ctl("queue", command, "0000000000000001", "--yes") if command == "delete" else kept.ctl(
            "queue", command, "0000000000000001")
        assert done.returncode == 67, f"{command}: {done}"


def test_hold_release_and_delete(kept, destination):
    (row,) = kept.queue("--sender", "boss@client.test")
    assert kept.json("queue", "hold", row["queue_id"])[0]["changed"] == 1
    assert kept.status()["queue"]["held"] == 1
    destination.start()
    kept.wait_queue(1)
    kept.wait_state("up")
    assert kept.json("queue", "release", row["queue_id"])[0]["changed"] == 1
    kept.wait_queue(0)
    assert destination.messages[-1].sender == "boss@client.test"


def test_delete_asks_twice_and_says_how_many(kept, destination):
    assert kept.ctl("queue", "delete", "--all").returncode == 64
    assert kept.json("queue", "delete", "--all", "--dry-run")[0]["changed"] == 5
    kept.wait_queue(5)
    assert kept.json("queue", "delete", "--sender", "boss@client.test", "--yes")[0]["changed"] == 1
    kept.wait_queue(4)
    (first, *_) = kept.queue()
    assert kept.json("queue", "delete", first["queue_id"])[0]["changed"] == 1
    assert kept.json("queue", "delete", "--all", "--yes")[0]["changed"] == 3
    kept.wait_queue(0)
    destination.start()
    kept.wait_state("up")
    assert len(destination.messages) == 1, "only what was sent before it went down"


def test_mailq_in_postfixs_layout(kept):
    shown = kept.ctl("mailq")
    assert shown.returncode == 0
    assert "local@example.test" in shown.stdout
    assert "MAILER-DAEMON" in shown.stdout
    last = shown.stdout.rstrip().splitlines()[-1]
    assert last.startswith("-- ") and last.endswith(" in 5 Requests.") and "Kbytes" in last


def test_it_answers_to_the_names_postfix_hands_type(kept, tmp_path):
    for name in ("mailq", "postqueue"):
        (tmp_path / name).symlink_to(BIN / "gatewayctl")

    def typed(*words):
        return subprocess.run([tmp_path / words[0], *words[1:], "--config", kept.file], capture_output=True, text=True,
                              timeout=20)
    mailq = typed("mailq")
    assert mailq.returncode == 0 and mailq.stdout == kept.ctl("mailq").stdout
    assert typed("postqueue", "-p").stdout == mailq.stdout
    rows = [json.loads(line) for line in typed("postqueue", "-j").stdout.splitlines()]
    assert len(rows) == 5 and all(row["queue_name"] == "deferred" for row in rows)
    assert typed("postqueue").returncode == 64


def test_dest(kept, destination):
    (row,) = kept.json("dest", "list")
    assert set(row) >= {"name", "state", "since", "servers", "last_probe", "capabilities", "catch_all"}
    (shown,) = kept.json("dest", "show", "office")
    assert shown["name"] == "office" and len(shown["servers"]) == 1
    assert kept.ctl("dest", "show", "nowhere").returncode == 67
    destination.start()
    assert kept.ctl("dest", "probe", "office").returncode == 0
    kept.wait_state("up", "draining", timeout=3)
    assert "PIPELINING" in json.dumps(kept.json("dest", "show", "office")[0]["capabilities"]).upper()


def test_rcpt(kept, destination):
    rows = {row["address"]: row for row in kept.json("rcpt", "list")}
    assert all(set(row) >= {"address", "source", "verified_at", "expires"} for row in rows.values())
    assert rows["learnt@example.test"]["source"] == "learnt"
    assert rows["local@example.test"]["source"] == "local"
    assert kept.ctl("rcpt", "check", "learnt@example.test").returncode == 0
    assert kept.ctl("rcpt", "check", "stranger@example.test").returncode == 67
    assert kept.ctl("rcpt", "add", "added@example.test").returncode == 0
    assert kept.send("added@example.test").code == 250
    assert kept.ctl("rcpt", "remove", "added@example.test").returncode == 0
    until(lambda: kept.send("added@example.test").code == 451, "it is unknown again")
    assert kept.ctl("rcpt", "add", "x@elsewhere.test").returncode in (64, 65, 67)
    assert kept.ctl("rcpt", "flush", "--all", "--yes").returncode == 0
    until(lambda: kept.send("learnt@example.test").code == 451, "the learnt are forgotten")
    assert kept.send("local@example.test").code == 250


def test_config_check_and_show(kept):
    assert kept.ctl("config", "check").returncode == 0
    shown = kept.ctl("config", "show")
    assert shown.returncode == 0 and "mx.example.test" in shown.stdout
    less = kept.ctl("config", "show", "-n")
    assert less.returncode == 0 and len(less.stdout) < len(shown.stdout)
    kept.file.write_text(kept.file.read_text().replace("hostname", "hostnam"))
    bad = kept.ctl("config", "check")
    assert bad.returncode == 78 and "hostname" in bad.stderr + bad.stdout
    kept.write_config()


def test_words_that_are_wrong(gateway):
    assert gateway.ctl("quue").returncode == 64
    assert "there is no command 'quue'" in gateway.ctl("quue").stderr
    assert "there is no command 'lsit'" in gateway.ctl("queue", "lsit").stderr
    assert "A subcommand is required" in gateway.ctl("queue").stderr
    nothing = gateway.ctl("greylist", "list")
    assert (nothing.returncode, nothing.stdout) == (0, "Nothing has been greylisted yet.\n")
    assert gateway.ctl("greylist", "list", "--json").stdout == ""
    assert gateway.ctl("queue", "list", "--nonsense").returncode == 64
    assert gateway.ctl().returncode == 64
    assert gateway.ctl("version").returncode == 0
    assert gateway.ctl("--help").returncode == 0


def test_it_works_with_everything_dead(kept):
    """Listings read the index themselves; what would change something says that the daemon is down."""
    (row, *_) = kept.queue()
    kept.stop()
    status = kept.status()
    assert status["queue"]["messages"] == 5
    assert status["destinations"][0]["state"] == "down"
    assert all(d["state"] != "running" for d in status["daemons"])
    assert len(kept.queue()) == 5
    assert kept.ctl("queue", "cat", row["queue_id"]).returncode == 0
    assert kept.ctl("queue", "delete", row["queue_id"]).returncode == 69
    assert kept.ctl("dest", "pause", "office").returncode == 69
    assert kept.ctl("rcpt", "list").returncode == 0
    kept.start()
    kept.wait_queue(5)


def test_hostile_text_is_shown_harmless(gateway, destination):
    destination.on("banner", b"554 \x1b[2J\x07 gone\r\n")
    destination.cut()
    gateway.wait_state("down")
    assert gateway.send("local@example.test", sender="a@client.test", content=b"Subject: \x1b[31mred\r\n\r\n").code == 250
    gateway.wait_queue(1)
    (row,) = gateway.queue()
    for words in (["status"], ["queue", "list"], ["queue", "show", row["queue_id"]], ["dest", "show", "office"], ["mailq"]):
        assert "\x1b" not in gateway.ctl(*words).stdout, words
        assert "\x07" not in gateway.ctl(*words).stdout, words
