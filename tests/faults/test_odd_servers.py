"""A destination that stalls, answers too late, or sends what no server should (issue 3, "destination flaps"): bounded
memory and time, nothing lost, on all three roads to it: live (smtpd), queued (deliver) and probes (prober).

How it was tried with the protection taken out: with the bounds on a reply's lines and octets lifted
(smtp/reply_parser.cc, client_session.cc) five kinds of garbage fail, smtpd growing by 20 MiB; with Connection::on_late()
waiting on the stalls fail; with `possible_duplicate` never set by deliver (deliver/outcome.cc) the late answer is not
counted.
"""

import pytest

from support.destination import HANG, After
from support.processes import peak_kib, reset_peak
from support.smtp_client import send
from support.waiting import until

TIMEOUTS = {"connect": "1s", "command": "2s", "dot": "2s"}
GROWTH = 8 << 10  # KiB that a daemon may grow by, whatever is thrown at it


@pytest.fixture
def office(world, destination):
    gateway = world.gateway(destinations={"office": {"servers": [destination.server], "timeouts": TIMEOUTS}})
    gateway.wait_probed()
    return gateway


def number(n):
    return f"Subject: odd {n}\r\n\r\nx\r\n".encode()


def arrives(gateway, destination, content):
    """The destination is whole again: the kept message comes, and the queue is empty."""
    def hurried():
        gateway.ctl("queue", "retry", "--all", "--yes")
        return any(m.body == content for m in destination.messages)
    until(hurried, "the mail arrives", 40, every=0.5)
    gateway.wait_queue(0)
    gateway.wait_state("up")


STAGES = ["connect", "banner", "ehlo", "mail", "rcpt", "data", "content", "dot", "rset", "quit"]


def stall(destination, stage):
    if stage == "connect":
        destination.silence()
    else:
        destination.on(stage, HANG)
        destination.cut()


def recover(destination, stage):
    destination.behave()
    if stage == "connect":
        destination.start()
    destination.cut()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stall_at_any_step_costs_time_and_nothing_else(office, destination, stage):
    """Live first; what is kept then meets the stall again by deliver; the prober meets it every second."""
    stall(destination, stage)
    reply, _ = send(office.port, "a@client.test", "local@example.test", number(stage), timeout=30)
    assert reply.code == 250, reply
    if stage not in ("rset", "quit"):
        assert reply.text.startswith("250 2.0.0 Ok: queued as ")
        attempts = len(destination.commands)
        office.ctl("queue", "retry", "--all", "--yes")
        until(lambda: office.state() != "up" or len(destination.commands) > attempts, "it is tried again", 20)
    recover(destination, stage)
    arrives(office, destination, number(stage))
    bodies = [m.body for m in destination.messages]
    assert bodies.count(number(stage)) == 1, "it had never taken one that it did not answer"


def test_an_answer_after_the_time_out_is_counted_as_a_possible_duplicate(office, destination):
    """The destination takes the message and says so too late: live, then from the queue, then in time."""
    destination.on("dot", After(4, "250 2.0.0 Taken at last"))
    assert office.send("local@example.test", content=number("late")).text.startswith("250 2.0.0 Ok: queued as ")
    until(lambda: office.status()["possible_duplicates"] == 1, "the live one is counted", 10)
    office.wait_log("smtpd", "possible duplicate")
    office.ctl("queue", "retry", "--all", "--yes")
    until(lambda: office.status()["possible_duplicates"] == 2, "the queued one is counted", 20)
    destination.behave()
    destination.cut()
    arrives(office, destination, number("late"))
    copies = [m for m in destination.messages if m.body == number("late")]
    counted = office.status()["possible_duplicates"]
    assert 2 <= counted <= 3, "one more if the cut came behind a third dot"
    assert 1 <= len(copies) <= counted + 1
    pids = office.kill("qmgr")
    office.wait_restarted("qmgr", pids)
    assert office.status()["possible_duplicates"] == counted, "the count survives a restart"
    alert = until(lambda: [a for a in office.json("alert", "list") if a["type"] == "alert" and a["kind"] == "possible_duplicate"],
                  "the admin hears of it")
    assert [(a["subject"], a["count"]) for a in alert] == [("office", counted)], "one alert, which counts"


LINES = 100_000
GARBAGE = {
    "a line of 10 MB": b"250 " + b"x" * (10 << 20) + b"\r\n",
    "10 MB without an end": b"250-" + b"y" * (10 << 20),
    "100,000 lines": b"250-x\r\n" * LINES + b"250 x\r\n",
    "20,000 lines of 500 bytes": (b"250-" + b"z" * 500 + b"\r\n") * 20_000 + b"250 z\r\n",
    "NULs": b"\0" * (1 << 20) + b"\r\n",
    "no code": b"hello, who are you?\r\n" * 1000,
    "bytes of all kinds": bytes(range(256)) * 4096,
    "line ends and nothing else": b"\r\n" * (1 << 20),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_costs_bounded_memory(office, destination, name):
    assert office.send("local@example.test").code == 250  # all that is made once has been made
    pids = [pid for daemon in ("smtpd", "deliver", "prober", "qmgr") for pid in office.pids(daemon)]
    before = {pid: reset_peak(pid) for pid in pids}
    destination.messages.clear()
    for stage in ("banner", "ehlo", "mail", "rcpt", "data", "dot"):
        destination.on(stage, GARBAGE[name])
        destination.cut()
        reply, _ = send(office.port, "a@client.test", "local@example.test", number(f"{name} {stage}"), timeout=30)
        assert reply.code == 250, (stage, reply)
        office.ctl("queue", "retry", "--all", "--yes")
        destination.behave()
    grown = {pid: peak_kib(pid) - before[pid] for pid in pids}
    assert sorted(pids) == sorted(p for d in ("smtpd", "deliver", "prober", "qmgr") for p in office.pids(d)), "none died"
    assert all(kib < GROWTH for kib in grown.values()), grown
    destination.cut()
    arrives(office, destination, number(f"{name} dot"))
    wanted = {number(f"{name} {stage}") for stage in ("banner", "ehlo", "mail", "rcpt", "data", "dot")}
    until(lambda: wanted <= {m.body for m in destination.messages}, "all have arrived", 20)
