"""Issue 2, item 5: gatewayctl's contracts: design, section 7, and conventions.md."""

import json
import os
import signal
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


def test_postsuper_as_postfix_hands_use_it(kept, tmp_path):
    (tmp_path / "postsuper").symlink_to(BIN / "gatewayctl")
    (tmp_path / "postqueue").symlink_to(BIN / "gatewayctl")
    ids = [row["queue_id"] for row in kept.queue()]

    def typed(name, *words, stdin=""):
        return subprocess.run([tmp_path / name, "--config", kept.file, *words], capture_output=True, text=True, timeout=20, input=stdin)

    def held():
        return sorted(row["queue_id"] for row in kept.queue("--state", "held"))
    done = typed("postsuper", "-v", "-h", ids[0], "-h", ids[1])
    assert (done.returncode, done.stdout) == (0, "2 messages held\n") and held() == sorted(ids[:2])
    done = typed("postsuper", "-h", "-", "-H", ids[0], stdin=f"{ids[2]}\n\n {ids[3]} \n")
    assert (done.returncode, done.stdout) == (0, "2 messages held\n1 message released\n") and held() == sorted(ids[1:4])
    assert typed("postsuper", "-d", "-", stdin="").returncode == 0, "a pipe that found nothing"
    done = typed("postsuper", "-d", "-", stdin="ALL\n")
    assert done.returncode == 64 and len(kept.queue()) == 5, "ALL is a word of the command line"
    assert typed("postsuper", "-H", "ALL").stdout == "3 messages released\n" and held() == []
    done = typed("postsuper", "-h", "ALL", "--nonsense")
    assert (done.returncode, done.stdout) == (64, "") and held() == [], "wrong words do nothing"
    for wrong in (["-d", "all"], ["-d", ids[0], "hold"], ["-d", "ALL", "nonsense"], ["-d", ""], ["-d"], []):
        assert typed("postsuper", *wrong).returncode == 64, wrong
    assert typed("postqueue", "-i", "").returncode == 64, "an empty id is not all of them"
    assert typed("postsuper", "-d", "1").returncode == 67
    kept.wait_queue(5)
    assert typed("postsuper", "-h", ids[0]).returncode == 0
    assert typed("postsuper", "-d", "ALL", "hold").stdout == "1 message deleted\n"
    assert typed("postsuper", "-d", "ALL", "deferred").stdout == "4 messages deleted\n"
    kept.wait_queue(0)


def test_dest(kept, destination):
    (row,) = kept.json("dest", "list")
    assert set(row) >= {"name", "state", "since", "servers", "last_probe", "capabilities", "catch_all"}
    (shown,) = kept.json("dest", "show", "office")
    assert shown["name"] == "office" and len(shown["servers"]) == 1
    assert kept.ctl("dest", "show", "nowhere").returncode == 67
    assert kept.ctl("dest", "pause", "office", "--reason", "x" * 501).returncode == 64
    assert kept.state() == "down"
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
    assert kept.json("rcpt", "flush", "--all", "--dry-run")[0]["changed"] == 1
    assert kept.json("rcpt", "flush", "Example.test", "--dry-run")[0]["changed"] == 1
    assert kept.ctl("rcpt", "check", "learnt@example.test").returncode == 0
    assert kept.json("rcpt", "flush", "--all", "--yes")[0]["changed"] == 1
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


EMPTY = [["queue", command, name, "", *more]
         for command, more in (("list", []), ("shape", []), ("delete", ["--all", "--dry-run"]), ("hold", ["--all", "--dry-run"]))
         for name in ("--destination", "--domain", "--sender", "--recipient", "--older", "--younger", "--held-by")]
EMPTY += [["rcpt", "list", "--domain", ""], ["rcpt", "export", "--domain", ""], ["filter", "bypass", "on", "--domain", ""],
          ["filter", "bypass", "on", "--dest", ""], ["dest", "pause", "office", "--for", ""], ["greylist", "list", "--network", ""],
          ["quarantine", "list", "--reason", ""], ["web", "token", "add", "t", "--for", ""], ["queue", "export", "--all", "--to", ""]]


def test_what_is_empty_does_not_choose_everything(gateway):
    """As an empty variable of a script makes it."""
    for words in EMPTY:
        done = gateway.ctl(*words)
        assert (done.returncode, done.stdout) == (64, "") and "it is empty" in done.stderr, (words, done)


def test_numbers_below_nothing(gateway):
    for words in (["queue", "list", "--limit"], ["queue", "shape", "--limit"], ["dest", "history", "office", "--limit"],
                  ["rcpt", "refused", "--limit"], ["log", "tail", "--once", "-n"], ["top", "-n"], ["support-bundle", "--lines"]):
        for number in ("-1", "x", "", "99999999999999999999"):
            done = gateway.ctl(*words, number)
            assert (done.returncode, done.stdout) == (64, "") and done.stderr, (words, number, done)


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


# what becomes of the answer

def printing(gateway, words, out):
    return subprocess.run([BIN / "gatewayctl", "--config", gateway.file, *words], stdout=out, stderr=subprocess.PIPE, text=True,
                          timeout=60, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("words", [["status"], ["mailq"], ["queue", "list", "--json"], ["rcpt", "export"], ["config", "reference"],
                                   ["support-bundle", "-o", "-"], ["--help"], ["top", "--every", "1"]])
def test_an_answer_that_is_not_written_is_an_error(kept, words):
    with open("/dev/full", "wb") as full:
        done = printing(kept, words, full)
    assert done.returncode == 75 and "gatewayctl: standard output" in done.stderr, done


def test_a_reader_that_has_had_enough_is_no_error(kept):
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb") as pipe:
        done = printing(kept, ["config", "reference"], pipe)
        assert (done.returncode, done.stderr) == (-signal.SIGPIPE, "")
        done = subprocess.run(["sh", "-c", 'trap "" PIPE; exec "$@"', "sh", BIN / "gatewayctl", "config", "reference"], stdout=pipe,
                              stderr=subprocess.PIPE, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")


def test_a_closed_standard_output_is_no_file_of_ours(kept):
    """The first file opened would be descriptor 1, and be printed into."""
    done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", BIN / "gatewayctl", "--config", kept.file, "mailq"],
                          stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 75 and "standard output" in done.stderr
    assert len(kept.queue()) == 5


# daemons that hang

def test_a_daemon_that_hangs_is_not_waited_for(kept):
    (row, *_) = kept.queue()
    kept.kill("qmgr", signal.SIGSTOP)
    kept.kill("prober", signal.SIGSTOP)
    asked = [subprocess.Popen([BIN / "gatewayctl", "--config", kept.file, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) for words in (["queue", "hold", row["queue_id"]], ["dest", "pause", "office"],
                                                       ["rcpt", "add", "added@example.test"])]
    for one, daemon in zip(asked, ("qmgr", "prober", "prober")):
        out, err = one.communicate(timeout=50)
        assert (one.returncode, out) == (69, "") and err == f"gatewayctl: {daemon} does not answer: no answer in time\n"
    assert kept.status()["queue"]["messages"] == 5
    for daemon in ("qmgr", "prober"):
        kept.kill(daemon, signal.SIGCONT)


# exit codes that no other test sees

def as_nobody(gateway, *words, file=None):
    return subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", BIN / "gatewayctl", "--config",
                           file or gateway.file, *words], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be nobody")
def test_who_may_not_look_is_told_so(kept):
    (row, *_) = kept.queue()
    kept.folder.chmod(0o755)
    for words in (["status"], ["mailq"], ["dest", "list"], ["domain", "list"], ["rcpt", "coverage"], ["rcpt", "list"], ["stats"],
                  ["metrics"], ["top"], ["queue", "hold", row["queue_id"]], ["dest", "pause", "office"], ["trace", "boss@client.test"],
                  ["support-bundle", "-o", "-"], ["config", "reload"], ["selftest", "--to", "local@example.test"]):
        done = as_nobody(kept, *words)
        assert (done.returncode, done.stdout) == (77, ""), (words, done)
        assert done.stderr.startswith("gatewayctl: ") and done.stderr.count("\n") == 1 and "Permission denied" in done.stderr, (words, done)
    kept.file.chmod(0o640)
    for words in (["status"], ["config", "check"], ["config", "show"]):
        assert as_nobody(kept, *words).returncode == 77, words


def test_a_damaged_index_is_bad_data_and_one_out_of_reach_an_internal_error(kept):
    kept.stop()
    index = kept.folder / "spool" / "index"
    (index / "data.mdb").write_bytes(b"nonsense" * 4096)
    done = kept.ctl("queue", "list")
    assert done.returncode == 65 and "queue rebuild" in done.stderr, done
    index.rename(index.with_name("old"))
    index.symlink_to("index")
    done = kept.ctl("queue", "list")
    assert done.returncode == 70 and done.stderr.startswith("gatewayctl: "), done


def test_try_again_while_another_has_the_index(kept):
    done = kept.ctl("queue", "rebuild")
    assert done.returncode == 75 and "stop the gateway first" in done.stderr
