"""Issue 2, item 1: master and what it watches over."""

import os
import signal
import subprocess

import pytest

from support import ports
from support.gateway import BIN
from support.waiting import holds, until

DAEMONS = ["smtpd", "qmgr", "deliver", "prober", "alertd"]


def test_every_program_says_of_itself_what_it_is(gateway):
    daemons = gateway.status()["daemons"]
    names = [d["name"] for d in daemons]
    assert names.count("smtpd") == 2 and names.count("deliver") == 2
    assert names.count("qmgr") == 1 and names.count("prober") == 1
    for daemon in daemons:
        assert daemon["state"] == "running" and daemon["restarts"] == 0
        assert os.path.exists(f"/proc/{daemon['pid']}")


@pytest.mark.parametrize("name", DAEMONS)
def test_a_daemon_that_dies_is_restarted_and_takes_none_with_it(gateway, destination, name):
    others = {pid for other in DAEMONS if other != name for pid in gateway.pids(other)}
    old = gateway.kill(name)
    gateway.wait_restarted(name, old)
    assert others <= set(gateway.session())
    assert all(d["restarts"] >= 1 for d in gateway.status()["daemons"] if d["name"] == name)
    assert gateway.send("local@example.test").text == "250 2.0.0 Taken"


def test_restarts_come_with_growing_delay(gateway):
    """A daemon that dies at once, again and again, does not keep the machine busy."""
    seen = set(gateway.pids("qmgr"))
    deaths = []

    def killed():
        for pid in gateway.pids("qmgr"):
            os.kill(pid, signal.SIGKILL)
            if not deaths or deaths[-1] != pid:
                deaths.append(pid)
        seen.update(deaths)
        return False
    try:
        until(killed, "", 4, every=0.01)
    except AssertionError:
        pass
    assert 2 <= len(set(deaths)) <= 8, f"{len(set(deaths))} starts in 4 s: 0.1, 0.2, 0.4, 0.8, 1.6 s"
    gateway.wait_running(30)


def test_mail_flows_while_qmgr_and_prober_are_dead(gateway, destination):
    """SIGSTOP holds them as dead men who are not restarted."""
    gateway.teach(destination, "learnt@example.test")
    stopped = gateway.kill("qmgr", signal.SIGSTOP) + gateway.kill("prober", signal.SIGSTOP)
    try:
        assert gateway.send("stranger@example.test").text == "250 2.0.0 Taken"
        destination.close()
        assert gateway.send("learnt@example.test").text.startswith("250 2.0.0 Ok: queued as ")
        assert gateway.send("stranger@example.test").code == 451
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    gateway.wait_queue(1)
    destination.start()
    gateway.wait_queue(0, 30)


def test_sighup_reloads_without_dropping_a_connection(gateway, destination):
    client = gateway.client()
    client.ehlo()
    client.mail("a@client.test")
    assert client.rcpt("new@new.test").code == 554
    assert client.rcpt("local@example.test").code == 250
    pids = gateway.pids("smtpd")
    gateway.config["domains"]["new.test"] = {"destination": "office", "local_recipients": ["new"]}
    gateway.reload()
    until(lambda: gateway.send("new@new.test").code == 250, "the new domain is known", 10)
    assert client.data(b"x\r\n").code == 250
    assert client.mail("a@client.test").code == 250
    assert client.rcpt("local@example.test").code == 250
    assert client.data(b"x\r\n").code == 250
    client.quit()
    assert gateway.pids("smtpd") == pids


def test_sighup_with_a_bad_configuration_changes_nothing(gateway, destination):
    good = dict(gateway.config)
    gateway.config = {**good, "domain": {}}
    gateway.reload()
    line = gateway.wait_log("master", "domain")
    assert "domains" in line or "gateway.yaml" in line
    assert gateway.send("local@example.test").code == 250
    old = gateway.kill("smtpd")
    gateway.wait_restarted("smtpd", old)
    assert gateway.send("local@example.test").code == 250
    gateway.config = good
    gateway.write_config()
    done = gateway.ctl("config", "reload")
    assert done.returncode == 0, done.stderr


def test_sighup_adds_and_removes_listeners(gateway, destination):
    second = ports.free_port()
    client = gateway.client()
    client.ehlo()
    gateway.config["listen"].append(f"127.0.0.1:{second}")
    gateway.reload()
    until(lambda: not ports.refused(second), "the new port is open", 15)
    first, gateway.port = gateway.port, second
    assert gateway.send("local@example.test").code == 250
    assert client.command("NOOP").code == 250, "the old connection lives"
    gateway.config["listen"] = [f"127.0.0.1:{second}"]
    gateway.reload()
    until(lambda: ports.refused(first), "the old port is closed", 15)
    assert client.mail("a@client.test").code == 250
    assert client.rcpt("local@example.test").code == 250
    assert client.data(b"x\r\n").code == 250
    client.quit()


def test_sighup_reopens_the_logs(gateway, destination):
    folder = gateway.folder / "log"
    assert gateway.send("local@example.test").code == 250
    gateway.wait_log("smtpd", "client=")
    for path in list(folder.glob("*.log")):
        path.rename(path.with_suffix(".log.1"))
    gateway.reload()
    until(lambda: {"master.log", "smtpd.log", "qmgr.log", "prober.log", "deliver.log"}
          <= {path.name for path in folder.glob("*.log")}, "all logs are there again")
    assert gateway.send("local@example.test").code == 250
    gateway.wait_log("smtpd", "client=")


def test_sigterm_ends_all_within_10_seconds_whatever_goes_on(gateway, destination):
    idle = [gateway.client() for _ in range(20)]
    for client in idle:
        client.ehlo()
    busy = gateway.client()
    busy.ehlo()
    busy.mail("a@client.test")
    busy.rcpt("local@example.test")
    busy.command("DATA")
    busy.send(b"half a message")
    gateway.stop(timeout=10)


def test_sigterm_lets_a_transaction_finish(gateway, destination):
    client = gateway.client()
    client.ehlo()
    client.mail("a@client.test")
    client.rcpt("local@example.test")
    client.command("DATA")
    client.send(b"Subject: x\r\n\r\n")
    gateway.process.send_signal(signal.SIGTERM)
    until(lambda: ports.refused(gateway.port), "it takes no new connections")
    client.send(b"x\r\n.\r\n")
    assert client.read().code == 250
    gateway.process.wait(10)
    assert len(destination.messages) == 1
    gateway.stop()


def test_sigterm_tells_idle_clients(gateway):
    client = gateway.client()
    client.ehlo()
    gateway.process.send_signal(signal.SIGTERM)
    assert client.read().code == 421
    gateway.stop()


def test_children_end_when_master_is_killed(gateway):
    os.kill(gateway.process.pid, signal.SIGKILL)
    gateway.process.wait(10)
    gateway.process = None
    gateway.assert_gone(timeout=12)
    gateway.start()
    assert gateway.send("local@example.test").code == 250


def test_a_second_master_is_refused(gateway):
    done = subprocess.run([BIN / "master", "--config", gateway.file], capture_output=True, text=True, timeout=20)
    assert done.returncode != 0
    assert "running" in done.stderr or "lock" in done.stderr
    assert gateway.send("local@example.test").code == 250


def test_a_port_that_is_taken_is_named(world, destination):
    first = world.gateway(destination)
    second = world.gateway(destination, start=False)
    second.config["listen"] = first.config["listen"]
    second.write_config()
    done = subprocess.run([BIN / "master", "--config", second.file], capture_output=True, text=True, timeout=20)
    assert done.returncode in (69, 77)
    assert f"127.0.0.1:{first.port}" in done.stderr


def test_writer_numbers_are_never_used_twice(gateway, destination):
    destination.close()
    gateway.wait_state("down")
    ids = set()
    for _ in range(3):
        for _ in range(3):
            reply = gateway.send("local@example.test")
            queue_id = reply.text.rsplit(" ", 1)[1]
            assert queue_id not in ids and queue_id == queue_id.upper()
            ids.add(queue_id)
        old = gateway.kill("smtpd")
        gateway.wait_restarted("smtpd", old)
    names = [path.name for path in (gateway.spool / "segments").iterdir()]
    assert len(names) == len(set(names)) >= 3
    gateway.wait_queue(9)
    assert {row["queue_id"] for row in gateway.queue()} == ids


def test_idle_daemons_use_no_processor(gateway):
    """Of one processor's time, over 5 calm seconds of one-second probes."""
    def used():
        total = 0
        for pid in gateway.session():
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rsplit(b")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")
    before = used()
    holds(lambda: True, "", 5)
    assert used() - before < 0.25
