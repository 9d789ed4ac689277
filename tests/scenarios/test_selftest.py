"""Issue 3, item 5: selftest --to ADDRESS keeps a message as if its destination were down, delivers it, reports each step."""

import json

from support.destination import HANG


def steps(done):
    return {row["step"]: row for row in map(json.loads, done.stdout.splitlines())}


def test_every_step_passes(gateway, destination):
    done = gateway.ctl("selftest", "--to", "anyone@example.test", "--json")
    assert done.returncode == 0, done
    said = steps(done)
    assert list(said) == ["configured", "destination", "spooled", "indexed", "handed over", "outcome"]
    assert all(row["pass"] for row in said.values())
    assert [row["seconds"] for row in said.values()] == sorted(row["seconds"] for row in said.values())
    assert "status=sent" in said["outcome"]["text"]
    (message,) = destination.wait_for(1)
    assert message.sender == "" and message.recipients == ["anyone@example.test"]
    assert b"Subject: Holdfast self-test" in message.content and b"Auto-Submitted: auto-generated" in message.content
    shown = gateway.ctl("selftest", "--to", "anyone@example.test")
    assert shown.returncode == 0 and shown.stdout.count("pass") == 6 and "FAIL" not in shown.stdout
    gateway.wait_queue(0)


def test_a_refusal_fails_and_leaves_nothing_behind(gateway, destination):
    destination.on("rcpt", {"nobody@example.test": "550 5.1.1 No such user"})
    done = gateway.ctl("selftest", "--to", "nobody@example.test", "--json")
    assert done.returncode == 75
    said = steps(done)
    assert not said["outcome"]["pass"] and "550 5.1.1 No such user" in said["outcome"]["text"]
    assert said["taken back"]["pass"]
    gateway.wait_queue(0)


def test_a_destination_that_is_down_or_hangs(gateway, destination):
    destination.on("dot", HANG)
    done = gateway.ctl("selftest", "--to", "x@example.test", "--timeout", "2", "--json")
    assert done.returncode == 75
    assert steps(done)["outcome"]["text"] == "no answer in time"
    destination.close()
    gateway.wait_state("down")
    done = gateway.ctl("selftest", "--to", "x@example.test", "--timeout", "1", "--json")
    assert done.returncode == 75
    said = steps(done)
    assert "office is down" in said["destination"]["text"]
    assert said["indexed"]["pass"] and not said["handed over"]["pass"] and "office is down" in said["handed over"]["text"]
    gateway.wait_queue(0)


def test_words_and_dead_daemons(gateway):
    assert gateway.ctl("selftest").returncode == 64
    assert gateway.ctl("selftest", "--to", "no address").returncode == 64
    assert gateway.ctl("selftest", "--to", "x@elsewhere.test").returncode == 65
    gateway.stop()
    assert gateway.ctl("selftest", "--to", "x@example.test").returncode == 69, "nobody gives a writer number"
    gateway.start()
