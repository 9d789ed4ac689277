"""Issue 2: kill -9 of each daemon in turn under load, restarts with 10,000 queued: what got 250 arrives."""

import os
import random
import signal
import threading
import time

import pytest

from many import fill, numbered, subjects
from support.kept_mail import Senders, number_of, times
from support.waiting import holds, until

DAEMONS = ["smtpd", "qmgr", "deliver", "prober"]


def all_arrived(gateway, destination, promised, timeout=60):
    """Waits until the queue is empty; every promise is kept, and at most what was in flight came twice."""
    gateway.wait_running(30)
    gateway.wait_queue(0, timeout)
    until(lambda: promised <= set(times(destination.messages)), "every 250 has arrived", 10)
    return sum(n - 1 for n in times(destination.messages).values())


def load_of(gateway, clients=4, per_connection=20):
    """Senders that go on until stop()."""
    return Senders(gateway.port, per_connection=per_connection, bounces=False).start(clients)


@pytest.mark.parametrize("name", DAEMONS)
def test_kill_9_while_it_is_proxied(gateway, destination, name):
    load = load_of(gateway)
    until(lambda: len(load.promised) > 100, "the load runs", 20)
    for _ in range(3):
        old = gateway.kill(name)
        gateway.wait_restarted(name, old)
        before = len(load.promised)
        until(lambda: len(load.promised) > before + 50, "mail flows", 20)
    promised = load.stop()
    repeated = all_arrived(gateway, destination, promised)
    assert repeated <= 3 * 4, f"{repeated} came twice: at most one a client and kill"
    if name != "smtpd":
        assert load.refused == 0 and load.broken == 0


@pytest.mark.parametrize("name", DAEMONS)
def test_kill_9_while_it_is_down_and_while_it_drains(gateway, destination, name):
    destination.close()
    gateway.wait_state("down")
    load = load_of(gateway)
    until(lambda: len(load.promised) > 100, "the load runs", 20)
    for _ in range(2):
        old = gateway.kill(name)
        gateway.wait_restarted(name, old)
        before = len(load.promised)
        until(lambda: len(load.promised) > before + 100, "mail is taken", 20)
    until(lambda: len(load.promised) > 600, "there is something to drain", 30)
    destination.start()
    for stop_at in (50, 250, 450):
        until(lambda: len(destination.messages) > stop_at, "the drain goes on", 40, every=0.005)
        old = gateway.kill(name)
        gateway.wait_restarted(name, old)
    promised = load.stop()
    repeated = all_arrived(gateway, destination, promised)
    # In flight: up to half of max_connections at a kill of deliver; outcomes of 50 ms at a kill of qmgr.
    assert repeated <= 3 * 40, f"{repeated} came twice"
    gateway.wait_state("up")


def test_a_crash_of_the_whole_loses_nothing(gateway, destination):
    """All processes die at once, three times, while mail is taken and while it is handed over."""
    destination.close()
    gateway.wait_state("down")
    load = load_of(gateway)
    for target in (200, 400):
        until(lambda: len(load.promised) > target, "mail is taken", 30)
        gateway.crash()
        gateway.start()
    until(lambda: len(load.promised) > 600, "mail is taken", 30)
    promised = load.stop()
    destination.start()
    until(lambda: len(destination.messages) > 100, "the drain goes on", 40, every=0.005)
    crashed = time.monotonic()
    gateway.crash()
    gateway.start()
    all_arrived(gateway, destination, promised)
    # Only what was on its way, or whose outcome was not on disk yet (50 ms, and the disk's own time), comes twice.
    first, repeated = {}, set()
    for message in destination.messages:
        number = number_of(message)
        if number in first:
            repeated.add(number)
        first.setdefault(number, message.at)
    assert all(first[number] > crashed - 1 for number in repeated), f"{len(repeated)} came twice"


def test_a_crash_at_any_moment_finds_each_message_again(gateway, destination):
    """Ten crashes at random moments; what was promised is counted each time."""
    rng = random.Random(11)
    destination.close()
    gateway.wait_state("down")
    load = load_of(gateway, clients=2, per_connection=5)
    for _ in range(10):
        target = len(load.promised) + rng.randint(1, 30)
        until(lambda: len(load.promised) >= target, "mail is taken", 30, every=0.001)
        gateway.crash()
        gateway.start()
    promised = load.stop()
    gateway.wait_running()
    queued = until(lambda: (n := gateway.status()["queue"]["messages"]) >= len(promised) and n, "all are indexed", 20)
    assert queued <= len(promised) + load.broken, "nothing is invented"
    destination.start()
    all_arrived(gateway, destination, promised)


def test_restart_with_10000_queued(gateway, destination):
    destination.close()
    gateway.wait_state("down")
    fill(gateway, 10000, connections=16, size=160)
    gateway.wait_queue(10000, 60)
    gateway.stop()
    gateway.start()
    assert gateway.status()["queue"]["messages"] == 10000
    assert gateway.send("local@example.test", content=b"Subject: after\r\n\r\nx\r\n").code == 250
    destination.start()
    destination.wait_for(10001, 120)
    gateway.wait_queue(0, 30)
    gateway.wait_state("up")
    assert subjects(destination.messages) == numbered(10000) | {"Subject: after": 1}
    until(lambda: gateway.segment_bytes() < 3 * 2 ** 20, "the segments are reclaimed", 20, every=0.2)


def test_learnt_recipients_and_states_survive_a_restart(gateway, destination):
    gateway.teach(destination, "learnt@example.test")
    gateway.stop()
    destination.close()
    gateway.start()
    assert gateway.learnt() == {"learnt@example.test"}
    assert gateway.send("learnt@example.test").text.startswith("250 2.0.0 Ok: queued as ")
    down = gateway.wait_state("down")
    gateway.stop()
    gateway.start()
    again = gateway.destination()
    assert (again["state"], again["since"]) == ("down", down["since"])
    gateway.wait_queue(1)
    destination.start()
    gateway.wait_queue(0)


def test_deliver_dies_after_the_dot(gateway, destination):
    """Its answer was on the way: the message is repeated at most, never lost."""
    destination.close()
    gateway.wait_state("down")
    fill(gateway, 5)
    gateway.wait_queue(5)
    hit = threading.Event()

    def stall(session, message):
        if not hit.is_set():
            hit.set()
            for pid in gateway.pids("deliver"):
                os.kill(pid, signal.SIGKILL)
        return None
    destination.on("dot", stall).start()
    gateway.wait_queue(0, 40)
    assert set(subjects(destination.messages)) == set(numbered(5))
    assert sum(subjects(destination.messages).values()) <= 6


def test_what_is_taken_while_qmgr_is_dead_is_found_by_the_next(gateway, destination):
    """smtpd lives on, and has told nobody but the dead one of what it took.

    Tried with smtpd's Spool::on_peer() telling nothing (22 Nov): it is never indexed. The random kills do not notice that,
    since each smtpd tells of all of its segment with the next message.
    """
    destination.close()
    gateway.wait_state("down")
    stopped = gateway.kill("qmgr", signal.SIGSTOP)
    fill(gateway, 5)
    for pid in stopped:
        os.kill(pid, signal.SIGKILL)
    gateway.wait_restarted("qmgr", stopped)
    gateway.wait_queue(5)
    destination.start()
    gateway.wait_queue(0)
    assert subjects(destination.messages) == numbered(5)


def test_qmgr_dead_while_deliver_finishes(gateway, destination):
    """deliver keeps each outcome until qmgr says it is committed: nothing comes twice."""
    destination.close()
    gateway.wait_state("down")
    fill(gateway, 40)
    gateway.wait_queue(40)
    from support.destination import After
    destination.on("dot", After(0.2, "250 2.0.0 Taken")).start()
    destination.wait_for(3, 20)
    stopped = gateway.kill("qmgr", signal.SIGSTOP)
    seen = len(destination.messages)
    holds(lambda: len(destination.messages) <= seen + 40, "running jobs finish", 1.5)
    for pid in stopped:
        os.kill(pid, signal.SIGKILL)
    gateway.wait_queue(0, 40)
    assert subjects(destination.messages) == numbered(40)
