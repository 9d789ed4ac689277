"""Issue 3, faults: the clock jumps a day forward and back. No mass expiry, no stuck schedule, and it is logged.

Tried with the protections taken out (13:08, 22 Nov): a ClockWatch::judge() that never doubts makes
test_a_day_ahead_expires_nothing, test_a_clock_that_stays_is_believed_after_the_second_look and
test_a_start_after_a_long_absence_doubts_the_clock fail (the queue is given up at once); a Replanner whose
cap_waits() and clock_jumped() do nothing makes test_a_schedule_is_not_stuck_when_the_clock_goes_back fail.
"""

import time

import pytest

from support.clock import Clock
from support.waiting import holds, until

RETRY = [{"until": "36h", "every": "2s"}]  # a day of age is much, but not the end; 13 hours more are


@pytest.fixture
def clock(world):
    return world.keep(Clock())


def gateway_with(world, clock, destination, second_look, retry):
    gateway = world.gateway(destinations={"office": {"servers": [destination.server], "retry": retry}},
                            settings={"clock": {"second_look": second_look}}, env=clock.env)
    gateway.wait_probed()
    return gateway


def keep(gateway, count):
    for _ in range(count):
        assert "queued as" in gateway.send("local@example.test").text
    gateway.wait_queue(count)


def test_a_day_ahead_expires_nothing(world, destination, clock):
    """An hour's lifetime, a day's jump: all of it would be over."""
    gateway = gateway_with(world, clock, destination, "10m", [{"until": "1h", "every": "15m"}])
    destination.close()
    gateway.wait_state("down")
    keep(gateway, 20)
    clock.set(hours=24)
    line = gateway.wait_log("qmgr", "event=clock_jump", 20)
    assert 'direction="forward" by="1d"' in line
    holds(lambda: "expired" not in gateway.log("qmgr"), "nothing expires", 4)
    assert len(gateway.queue()) == 20
    clock.set()
    gateway.wait_log("qmgr", 'direction="back" by="1d"', 20)
    holds(lambda: "expired" not in gateway.log("qmgr"), "nothing expires", 2)
    destination.start()
    destination.wait_for(20, 30)
    gateway.wait_queue(0)


def test_a_clock_that_stays_is_believed_after_the_second_look(world, destination, clock):
    gateway = gateway_with(world, clock, destination, "4s", [{"until": "1h", "every": "15m"}])
    destination.close()
    gateway.wait_state("down")
    keep(gateway, 3)
    clock.set(hours=24)
    gateway.wait_log("qmgr", "event=clock_jump", 20)
    seen = time.monotonic()
    until(lambda: gateway.log("qmgr").count("status=expired") == 3, "all are given up", 20)
    assert time.monotonic() - seen >= 3


def test_a_schedule_is_not_stuck_when_the_clock_goes_back(world, destination, clock):
    """Attempts that were planned by a clock a day ahead."""
    clock.set(hours=24)
    gateway = gateway_with(world, clock, destination, "10m", RETRY)
    destination.on("rcpt", {"local@example.test": "452 4.2.2 Mailbox full"})
    keep(gateway, 3)
    until(lambda: all(row["attempts"] >= 2 for row in gateway.queue()), "they are tried again and again", 20)
    clock.set()
    gateway.wait_log("qmgr", 'direction="back"', 20)
    tried = sum(row["attempts"] for row in gateway.queue())
    until(lambda: sum(row["attempts"] for row in gateway.queue()) >= tried + 6, "and again", 20)
    destination.behave()
    destination.wait_for(3, 20)
    gateway.wait_queue(0)


def test_a_forward_jump_makes_a_schedule_faster_at_most_once(world, destination, clock):
    """What was due in 10 minutes is due now; then it waits as before."""
    gateway = gateway_with(world, clock, destination, "10m", [{"until": "3d", "every": "10m"}])
    destination.on("rcpt", {"local@example.test": "452 4.2.2 Mailbox full"})
    keep(gateway, 1)
    until(lambda: gateway.queue()[0]["attempts"] == 1, "it was tried", 20)
    clock.set(hours=24)
    until(lambda: gateway.queue()[0]["attempts"] == 2, "it is tried again", 20)
    holds(lambda: gateway.queue()[0]["attempts"] == 2, "and not yet once more", 4)


def test_a_start_after_a_long_absence_doubts_the_clock(world, destination, clock):
    """The machine was off, or its clock is wrong: qmgr cannot know. The index was last written a day ago."""
    gateway = gateway_with(world, clock, destination, "10m", [{"until": "1h", "every": "15m"}])
    destination.close()
    gateway.wait_state("down")
    keep(gateway, 5)
    gateway.stop()
    clock.set(hours=24)
    gateway.start()
    gateway.wait_log("qmgr", "the queue was last worked on 1d ago", 20)
    holds(lambda: len(gateway.queue()) == 5, "nothing expires", 3)
    destination.start()
    destination.wait_for(5, 30)
    gateway.wait_queue(0)
