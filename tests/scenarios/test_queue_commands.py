"""Issue 3, item 5: what an admin does to the queue: each verb by id and by each filter, --dry-run, exit codes, many messages."""

import json
import os
import pathlib
import signal
import subprocess
import threading

import pytest

from many import fill
from support.destination import HANG, After
from support.gateway import BIN
from support.waiting import holds, patient, until

FILTERS = [
    ["--all"],
    ["--destination", "office"],
    ["--domain", "EXAMPLE.test"],
    ["--sender", "@client.test"],
    ["--recipient", "local@example.test"],
    ["--state", "deferred"],
    ["--younger", "1h", "--domain", "example.test"],
]


@pytest.fixture
def kept(world):
    """A gateway with two destinations, both down, and four messages for the first, one of the null sender."""
    office, branch = world.destination(), world.destination()
    gateway = world.gateway(
        destinations={"office": {"servers": [office.server]}, "branch": {"servers": [branch.server], "retry": "week"}},
        domains={"example.test": {"destination": "office", "local_recipients": ["local", "second"]},
                 "branch.test": {"destination": "branch", "local_recipients": ["local"]}})
    gateway.office, gateway.branch = office, branch
    office.close(), branch.close()
    gateway.wait_state("down", name="office")
    gateway.wait_state("down", name="branch")
    for sender in ("one@client.test", "two@client.test", "boss@other.test", ""):
        assert gateway.send("local@example.test", sender=sender).code == 250
    gateway.wait_queue(4)
    return gateway


def changed(gateway, *words):
    return gateway.json("queue", *words)[0]["changed"]


def row_of(gateway, sender):
    (row,) = [row for row in gateway.queue() if row["sender"] == sender]
    return row


def count(gateway, *filter):
    return len(gateway.queue(*filter))


def test_each_filter(kept):
    """`--dry-run` tells beforehand what each does, and changes nothing."""
    for filter in FILTERS:
        meant = count(kept, *(filter if filter != ["--all"] else []))
        assert meant == (2 if "@client.test" in filter else 4)
        for verb in ("hold", "retry", "delete", "bounce"):
            told = kept.json("queue", verb, *filter, "--dry-run")[0]
            nobody = told.get("null_sender", 0)
            assert told["changed"] + nobody == meant, verb
            assert nobody == (1 if verb == "bounce" and meant == 4 else 0)
        assert {row["queue_name"] for row in kept.queue()} == {"deferred"}
        for verb in ("delete", "bounce"):
            assert kept.ctl("queue", verb, *filter).returncode == 64, "it destroys, and wants to hear --yes"
        assert changed(kept, "retry", *filter) == meant
        assert changed(kept, "extend", *filter, "--by", "1d") == meant
        assert changed(kept, "hold", *filter) == meant
        assert count(kept, "--state", "held") == meant
        # A filter by state means others now.
        filter = ["--state", "held"] if "--state" in filter else filter
        assert changed(kept, "release", *filter, "--dry-run") == meant
        assert changed(kept, "release", *filter) == meant
        assert count(kept, "--state", "held") == 0


def test_by_age(kept):
    """An age is the index's to find: what is listed is what a deed is done to."""
    until(lambda: count(kept, "--older", "1s") == 4, "all are a second old")
    assert count(kept, "--older", "1h") == 0
    assert count(kept, "--older", "1s", "--sender", "@client.test") == 2
    assert changed(kept, "hold", "--older", "1h") == 0
    assert changed(kept, "hold", "--older", "1s", "--sender", "@client.test") == 2
    assert kept.ctl("queue", "delete", "--older", "1s").returncode == 64, "it destroys, and wants to hear --yes"
    for words in (["--older", "soon"], ["--older", "1s", "--all"], ["--older", "1s", "FFFF"]):
        assert kept.ctl("queue", "retry", *words).returncode == 64, words
    told = kept.json("queue", "bounce", "--older", "1s", "--yes", "--dry-run")[0]
    assert told == {"changed": 3, "null_sender": 1}
    assert changed(kept, "delete", "--older", "1s", "--yes") == 4
    assert kept.queue() == []
    assert kept.ctl("queue", "shape", "--younger", "2h").returncode == 0


def test_rerouting_and_deleting_by_filter(kept):
    assert changed(kept, "reroute", "--sender", "@client.test", "--to", "branch") == 2
    assert count(kept, "--destination", "branch") == 2
    assert changed(kept, "reroute", "--all", "--to", "branch") == 2, "the others are there already"
    assert changed(kept, "delete", "--destination", "office", "--yes") == 0
    assert changed(kept, "delete", "--sender", "<>", "--yes") == 1
    kept.wait_queue(3)
    assert changed(kept, "delete", "--all", "--yes") == 3
    kept.wait_queue(0)


def test_each_verb_by_id(kept):
    one, two, boss, null = (row_of(kept, s)["queue_id"] for s in ("one@client.test", "two@client.test", "boss@other.test", "MAILER-DAEMON"))
    assert changed(kept, "hold", one, two) == 2
    assert changed(kept, "hold", one) == 0, "it is held already"
    assert row_of(kept, "one@client.test")["reason"].startswith("held by ")
    assert changed(kept, "release", one) == 1
    assert changed(kept, "thaw", one) == 0, "it is not frozen"
    assert changed(kept, "retry", one, boss) == 2
    before = row_of(kept, "boss@other.test")["expires"]
    assert changed(kept, "extend", boss, "--by", "36h") == 1
    assert row_of(kept, "boss@other.test")["expires"] == before + 36 * 3600
    assert changed(kept, "extend", boss, "--until", "2030-01-01T00:00Z") == 1
    assert row_of(kept, "boss@other.test")["expires"] == 1893456000
    assert changed(kept, "extend", boss, "--until", "2029-01-01") == 0, "it never shortens"
    assert changed(kept, "reroute", boss, "--to", "branch") == 1
    moved = row_of(kept, "boss@other.test")
    assert moved["destination"] == "branch" and moved["expires"] == moved["arrival_time"] + 7 * 86400
    assert changed(kept, "delete", two) == 1
    done = kept.ctl("queue", "bounce", null, "--json")
    assert done.returncode == 65 and json.loads(done.stdout) == {"changed": 0, "null_sender": 1}
    assert "null sender" in done.stderr
    kept.wait_queue(3)


def test_rerouted_mail_arrives_there(kept):
    assert changed(kept, "reroute", "--destination", "office", "--to", "branch") == 4
    kept.branch.start()
    kept.wait_queue(0)
    assert len(kept.branch.messages) == 4
    assert not kept.office.messages


def test_bounce_tells_the_sender(kept):
    """A sender of ours, so that the bounce has a destination here: it waits for it, and arrives once."""
    assert kept.send("second@example.test", sender="local@branch.test").code == 250
    row = until(lambda: next((r for r in kept.queue() if r["sender"] == "local@branch.test"), None), "it is indexed")
    assert changed(kept, "hold", row["queue_id"]) == 1
    assert changed(kept, "bounce", row["queue_id"]) == 1
    bounce = until(lambda: next((r for r in kept.queue("--recipient", "local@branch.test")), None), "the bounce is queued")
    assert bounce["sender"] == "MAILER-DAEMON"
    assert row["queue_id"] not in {r["queue_id"] for r in kept.queue()}, "the original has gone"
    story = [line["text"] for line in kept.json("trace", row["queue_id"])]
    assert any("notification: " + bounce["queue_id"] in text for text in story), story
    kept.branch.start()
    kept.branch.wait_for(1)
    kept.wait_queue(4)
    (message,) = kept.branch.messages
    assert message.sender == "" and message.recipients == ["local@branch.test"]
    assert b"given up by the administrator" in message.content and b"second@example.test" in message.content


def test_wrong_words_have_their_exit_codes(kept):
    one = row_of(kept, "one@client.test")["queue_id"]
    for words in (["hold"], ["retry", one, "--all"], ["retry", "xyz"], ["extend", one], ["extend", one, "--by", "soon"],
                  ["extend", one, "--by", "1d", "--until", "2030-01-01"], ["extend", one, "--until", "1999-01-01"],
                  ["reroute", one], ["hold", "--state", "sad"], ["delete", one, "--sideways"], ["delete", "--all"],
                  ["bounce", "--sender", "one@client.test"]):
        assert kept.ctl("queue", *words).returncode == 64, words
    assert kept.ctl("queue", "reroute", one, "--to", "nowhere").returncode == 67
    assert kept.ctl("queue", "reroute", one, "--to", "bounces").returncode == 67, "that road is for bounces"
    for verb in ("hold", "release", "retry", "delete", "bounce", "thaw"):
        done = kept.ctl("queue", verb, one, "ABC", "--dry-run", "--json")
        assert done.returncode == 67 and "ABC" in done.stderr, verb
        assert json.loads(done.stdout)["changed"] in (0, 1)
    kept.wait_queue(4)
    kept.stop()
    for words in (["retry", one], ["bounce", one], ["extend", one, "--by", "1d"], ["thaw", "--all"]):
        assert kept.ctl("queue", *words).returncode == 69, words
    assert kept.ctl("queue", "shape").returncode == 0
    kept.start()


def test_what_is_being_handed_over(kept):
    """Such a message is not bounced or rerouted; a hold counts from the end of its attempt; a deletion does not stop it."""
    kept.office.on("dot", HANG)
    kept.office.start()
    (row,) = until(lambda: kept.queue("--state", "active"), "the canary is being handed over")
    for words in (["bounce"], ["reroute", "--to", "branch"]):
        done = kept.ctl("queue", words[0], row["queue_id"], *words[1:], "--json")
        assert done.returncode == 75 and json.loads(done.stdout) == {"changed": 0, "busy": 1}, done
        assert "handed over" in done.stderr
    assert changed(kept, "hold", row["queue_id"]) == 1
    kept.office.on("dot", "451 4.3.0 not now")
    kept.office.cut()
    until(lambda: row["queue_id"] not in {r["queue_id"] for r in kept.queue("--state", "active")}, "its attempt has ended", 30)
    assert row_of(kept, row["sender"])["queue_name"] == "held"


def test_postfix_names(kept, tmp_path):
    for name in ("postqueue", "postsuper"):
        (tmp_path / name).symlink_to(BIN / "gatewayctl")

    def typed(*words):
        return subprocess.run([tmp_path / words[0], *words[1:], "--config", kept.file], capture_output=True, text=True, timeout=20)
    one = row_of(kept, "one@client.test")["queue_id"]
    assert typed("postqueue", "-f").stdout == "4 messages to be tried at once\n"
    assert typed("postqueue", "-i", one).stdout == "1 message to be tried at once\n"
    assert typed("postsuper", "-h", one).stdout == "1 message held\n"
    assert typed("postsuper", "-H", "ALL").stdout == "1 message released\n"
    assert typed("postsuper", "-d", one).stdout == "1 message deleted\n"
    assert typed("postsuper", "-d", "ALL").stdout == "3 messages deleted\n"
    for words in (["postsuper"], ["postsuper", "-x", one], ["postqueue", "-p", "-j"]):
        assert typed(*words).returncode == 64, words
    row = typed("postqueue", "-j")
    assert row.returncode == 0 and row.stdout == ""


def test_shape(kept):
    total, *rows = kept.json("queue", "shape")
    assert total["domain"] is None and total["total"] == 4
    assert total["ages"][0] == {"minutes": 5, "messages": 4} and total["ages"][-1] == {"minutes": None, "messages": 0}
    assert [(row["domain"], row["total"]) for row in rows] == [("example.test", 4)]
    _, *rows = kept.json("queue", "shape", "--senders", "--limit", "2")
    assert [(row["domain"], row["total"]) for row in rows][0] == ("client.test", 2) and len(rows) == 2
    assert kept.json("queue", "shape", "--sender", "<>")[0]["total"] == 1
    shown = kept.ctl("queue", "shape").stdout.splitlines()
    assert shown[1].split()[:4] == ["DOMAIN", "TOTAL", "5", "10"] and shown[2].split()[:3] == ["TOTAL", "4", "4"]


def test_five_thousand(world, destination):
    """More than one page of a listing, and many of a command: every message is meant, once."""
    gateway = world.gateway(destination)
    destination.close()
    gateway.wait_state("down")
    fill(gateway, 5000, connections=8, size=80)
    until(lambda: gateway.status()["queue"]["messages"] == 5000, "all are indexed", 60)
    assert changed(gateway, "hold", "--all") == 5000
    assert gateway.status()["queue"]["held"] == 5000
    assert count(gateway, "--state", "held") == 5000
    assert changed(gateway, "release", "--sender", "s4999@client.test") == 1
    assert changed(gateway, "delete", "--state", "held", "--dry-run") == 4999
    assert changed(gateway, "release", "--domain", "example.test") == 4999
    assert gateway.json("queue", "shape")[0]["total"] == 5000
    assert changed(gateway, "reroute", "--all", "--to", "office") == 0, "it is theirs already"
    assert changed(gateway, "delete", "--sender", "@client.test", "--yes") == 5000
    gateway.wait_queue(0)


def has_socket(pid):
    folder = f"/proc/{pid}/fd"
    try:
        return any(os.readlink(f"{folder}/{fd}").startswith("socket:") for fd in os.listdir(folder))
    except FileNotFoundError:  # one was closed while we looked
        return False


def test_a_command_outlives_who_gave_it(kept):
    """gatewayctl is killed while qmgr stands: the command is done all the same, and qmgr lives."""
    (qmgr,) = kept.kill("qmgr", signal.SIGSTOP)
    asking = subprocess.Popen([BIN / "gatewayctl", "--config", kept.file, "queue", "hold", "--all"])
    until(lambda: has_socket(asking.pid), "it has called qmgr")
    holds(lambda: asking.poll() is None, "it waits for qmgr", patient(0.3))
    asking.kill()
    asking.wait()
    kept.kill("qmgr", signal.SIGCONT)
    until(lambda: kept.status()["queue"]["held"] == 4, "all are held")
    assert kept.pids("qmgr") == [qmgr]


def test_the_manual_is_current():
    done = subprocess.run([BIN / "gatewayctl", "manual"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0
    page = pathlib.Path(__file__).resolve().parents[2] / "docs" / "gatewayctl.md"
    assert done.stdout == page.read_text(), "run `make doc`"


def test_retry_while_it_is_being_handed_over_is_not_forgotten(gateway, destination):
    """The attempt under way fails: the admin has asked for one, and need not wait a quarter of an hour."""
    destination.on("dot", "451 4.3.0 Not now")
    assert gateway.send("local@example.test").code == 250
    until(lambda: [m["attempts"] for m in gateway.queue()] == [1], "its first attempt has failed", 20)
    waits, answer = threading.Event(), threading.Event()
    destination.on("dot", lambda *_: waits.set() or After(answer, "451 4.3.0 Not yet"))
    assert changed(gateway, "retry", "--all") == 1
    assert waits.wait(20), "it is handed over"
    assert changed(gateway, "retry", "--all") == 1
    destination.on("dot", None)
    answer.set()
    gateway.wait_queue(0)
    assert len(destination.messages) == 1
