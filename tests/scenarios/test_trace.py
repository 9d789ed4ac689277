"""Issue 3, item 5: trace ID|ADDRESS|MESSAGE-ID over the logs, in order of time, rotated ones too."""

import gzip
import json
import subprocess
import threading

import pytest

from support.gateway import BIN
from support.waiting import until


@pytest.fixture
def traced(gateway, destination):
    """A message that was kept and delivered later: its id, and the gateway."""
    gateway.teach(destination, "learnt@example.test")
    destination.close()
    gateway.wait_state("down")
    content = b"Message-ID: <Traced.1@client.test>\r\nSubject: x\r\n\r\nx\r\n"
    assert gateway.send("learnt@example.test", sender="Boss@client.test", content=content).code == 250
    assert gateway.send("learnt@example.test", sender="other@client.test").code == 250
    assert gateway.send("stranger@example.test", sender="boss@client.test").code == 451
    (row,) = until(lambda: gateway.queue("--sender", "boss@client.test"), "it is indexed")
    destination.start()
    gateway.wait_queue(0)
    gateway.wait_log("qmgr", f"{row['queue_id']}: removed")
    return gateway, row["queue_id"]


def texts(gateway, *what):
    return [row["text"] for row in gateway.json("trace", *what)]


def test_a_message_by_its_id_its_sender_and_its_message_id(traced):
    gateway, queue_id = traced
    story = texts(gateway, queue_id)
    assert [line.split("=")[0] for line in story] == ["client", "message-id", "from", "to", "removed"], story
    assert "status=sent" in story[3]
    assert texts(gateway, queue_id.lower()) == story
    assert texts(gateway, "<traced.1@CLIENT.test>") == story
    assert texts(gateway, "Traced.1@client.test") == story
    rows = gateway.json("trace", "boss@client.test")
    assert [row["text"] for row in rows if row["queue_id"]] == story
    (refused,) = [row for row in rows if row["queue_id"] is None]
    assert refused["text"].startswith("NOQUEUE: reject: RCPT") and "stranger@example.test" in refused["text"]
    assert {row["daemon"] for row in rows} == {"smtpd", "qmgr", "deliver"}
    assert {row["queue_id"] for row in gateway.json("trace", "learnt@example.test")} > {queue_id}
    assert len(texts(gateway, "@client.test")) > len(rows)


def test_plain_lines_are_those_of_the_logs(traced):
    gateway, queue_id = traced
    shown = gateway.ctl("trace", queue_id)
    assert shown.returncode == 0
    logs = "".join(gateway.logs().values())
    lines = shown.stdout.splitlines()
    assert len(lines) == 5 and all(line in logs for line in lines)


def test_what_nobody_speaks_of(traced):
    gateway, _ = traced
    assert gateway.ctl("trace", "nobody@nowhere.test").returncode == 67
    assert gateway.ctl("trace", "FFFFFFFFFFF").returncode == 67
    assert gateway.ctl("trace").returncode == 64
    assert gateway.ctl("trace", "").returncode == 64


def test_rotated_and_packed_logs_and_dead_daemons(traced):
    gateway, queue_id = traced
    story = texts(gateway, queue_id)
    gateway.stop()
    logs = gateway.folder / "log"
    for name in ("qmgr", "deliver", "smtpd"):
        (logs / f"{name}.log").rename(logs / f"{name}.log.1")
    (logs / "smtpd.log.2.gz").write_bytes(gzip.compress((logs / "smtpd.log.1").read_bytes()))
    (logs / "smtpd.log.1").unlink()
    (logs / "smtpd.log").write_text("")
    assert texts(gateway, queue_id) == story
    gateway.start()


def test_a_recipient_whose_mail_still_waits(gateway, destination):
    """No log names a recipient before the first attempt: the queue does."""
    destination.close()
    gateway.wait_state("down")
    assert gateway.send("local@example.test", sender="a@client.test").code == 250
    (row,) = gateway.wait_queue(1)
    gateway.wait_log("qmgr", f"{row['queue_id']}: from=")
    for who in ("local@example.test", "@example.test"):
        assert {line["queue_id"] for line in gateway.json("trace", who)} == {row["queue_id"]}
    assert gateway.ctl("trace", "nobody@example.test").returncode == 67


def test_follow(gateway, destination):
    destination.close()
    gateway.wait_state("down")
    follower = subprocess.Popen([BIN / "gatewayctl", "--config", gateway.file, "trace", "--follow", "--json", "late@client.test"],
                                stdout=subprocess.PIPE, text=True)
    rows = []
    reader = threading.Thread(target=lambda: rows.extend(json.loads(line) for line in follower.stdout))
    reader.start()
    try:
        assert gateway.send("local@example.test", sender="late@client.test").code == 250
        until(lambda: any("queue active" in row["text"] for row in rows), "the follower shows that it was queued")
        # The log is rotated under its eyes.
        log = gateway.folder / "log" / "deliver.log"
        log.rename(log.with_name("deliver.log.1"))
        gateway.reload()
        destination.start()
        until(lambda: any("status=sent" in row["text"] for row in rows), "and that it was delivered")
        until(lambda: any(row["text"] == "removed" for row in rows), "and that it has gone")
    finally:
        follower.kill()
        follower.wait()
        reader.join()


def test_the_last_lines_of_the_logs_and_what_is_added(traced):
    gateway, queue_id = traced
    whole = gateway.ctl("log", "tail", "--once", "-n", "10000")
    logs = "".join(gateway.logs().values())
    assert f"{queue_id}: removed" in whole.stdout
    assert {line.split("holdfast/")[1].split("[")[0] for line in whole.stdout.splitlines()} >= {"smtpd", "qmgr", "prober"}
    assert all(line in logs for line in whole.stdout.splitlines())
    one = gateway.json("log", "tail", "qmgr", "--once", "-n", "2")
    assert len(one) == 2 and {row["daemon"] for row in one} == {"qmgr"}
    assert gateway.ctl("log", "tail", "nobody", "--once").returncode == 67

    tail = subprocess.Popen([BIN / "gatewayctl", "--config", gateway.file, "log", "tail", "smtpd", "-n", "0"],
                            stdout=subprocess.PIPE, text=True)
    try:
        # Lines that come before it looks are not shown: it is asked until one is.
        asked = threading.Event()

        def ask():
            while not asked.is_set():
                gateway.send("nobody@elsewhere.test")
                asked.wait(0.5)

        thread = threading.Thread(target=ask)
        thread.start()
        line = tail.stdout.readline()
        asked.set()
        thread.join()
        assert "holdfast/smtpd[" in line
    finally:
        tail.kill()
        tail.wait()
        tail.stdout.close()
