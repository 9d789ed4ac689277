"""kill -9 of any daemon, or of all at once, at random moments under load (issue 3; design.md section 4).

Clients send without a pause while the destination goes down and comes back, and daemons are killed at moments that
HOLDFAST_SEED chooses: 8 kills, 200 in the long form (HOLDFAST_LONG=1). Every message that got 250 arrives, or its
bounce does, within 60 s of the last kill and without a restart of the whole. Twice come only what was in flight at a
kill, outcomes not committed then, and what a client was not answered; they are counted.

Tried with protections taken out, in a copy of the tree (22 Nov): with Indexer::recover() that does nothing messages are
missing at the end. Not noticed here, since something else does it as well, but elsewhere: Couriers::look() that does not
give back the jobs of the dead (a deliver that comes back says what it has; CouriersTest sees it), an smtpd that does not
tell a new qmgr of its segments (its next message does; scenarios/test_kill.py sees it).
"""

import collections
import os
import random
import time

import pytest

from support.kept_mail import GONE, QUICK_RETRY, Peers, Senders, domains, settings
from support.waiting import until

LONG = os.environ.get("HOLDFAST_LONG") == "1"
SEED = int(os.environ.get("HOLDFAST_SEED") or random.SystemRandom().randint(1, 10 ** 6))
KILLS = 200 if LONG else 8
CLIENTS = 4
MAX_CONNECTIONS = 8  # so many are in flight at most, with `workers` delivers and smtpds
WITHIN = 60

# What is killed, by how often.
TARGETS = ["smtpd", "qmgr", "deliver"] * 3 + ["prober", "all but master", "all"]


@pytest.fixture
def peers(world):
    return world.keep(Peers().start())


@pytest.fixture
def gateway(world, peers):
    destinations = {"office": {"servers": [peers.office.server], "max_connections": MAX_CONNECTIONS, **QUICK_RETRY}}
    made = world.gateway(destinations=destinations, domains=domains(), settings=settings(peers.relay))
    made.wait_probed()
    return made


def kill(gateway, target, rng):
    """Kills; without waiting for what comes back. A whole gateway is started again by its admin."""
    if target == "all":
        gateway.crash()
        gateway.start()
        return
    names = ["smtpd", "qmgr", "deliver", "prober"] if target == "all but master" else [target]
    for name in names:
        pids = gateway.pids(name)
        for pid in pids if target == "all but master" else rng.sample(pids, min(len(pids), rng.randint(1, 2))):
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass


def move_destination(peers, rng, is_up):
    """Down, up, or as it is; returns how it is now."""
    if rng.random() < 0.5:
        return is_up
    if is_up:
        peers.office.close()
    else:
        peers.office.start()
    return not is_up


def test_kills_at_random_moments(gateway, peers):
    print(f"HOLDFAST_SEED={SEED}")
    rng = random.Random(SEED)
    senders = Senders(gateway.port).start(CLIENTS)
    is_up = True
    for number in range(KILLS):
        wanted = len(senders.promised) + rng.randint(1, 60)
        # While half of the gateway is away nothing may be taken; then the next kill comes all the same.
        deadline = time.monotonic() + rng.uniform(0.3, 4)
        until(lambda: len(senders.promised) >= wanted or time.monotonic() > deadline, "the load goes on", 60, every=0.002)
        is_up = move_destination(peers, rng, is_up)
        target = rng.choice(TARGETS)
        kill(gateway, target, rng)
        print(f"{number}: {target}, destination {'up' if is_up else 'down'}, {len(senders.promised)} promised")
    last_kill = time.monotonic()
    senders.stop()
    peers.office.start()
    within(last_kill, lambda: senders.to_arrive() <= set(peers.arrived()), "every 250 has arrived")
    # A refusal while the transaction is live is the client's to hear: only kept mail of GONE bounces.
    within(last_kill, lambda: senders.to_bounce() <= set(peers.bounced()), "every bounce has come")
    within(last_kill, lambda: not gateway.queue(), "the queue is empty")
    gateway.wait_state("up")
    twice = {n: times for n, times in collections.Counter(peers.arrived() + peers.bounced()).items() if times > 1}
    print(f"{len(senders.promised)} promised, {senders.broken} connections broke, {sum(twice.values()) - len(twice)} repeats")
    in_flight = 2 * MAX_CONNECTIONS + CLIENTS
    assert sum(twice.values()) - len(twice) <= KILLS * in_flight, f"more came twice than was in flight: {twice}"
    assert GONE not in {address for m in peers.office.messages for address in m.recipients}


def within(last_kill, condition, what):
    until(condition, f"{what}, {WITHIN} s after the last kill", max(1.0, last_kill + WITHIN - time.monotonic()), every=0.05)
