"""Issue 5, item 4 and "how it is shown": the hostile cases of hostile/*.yaml (support/hostile.py), all at once.

What we answer is the case's; and the destination has got, byte for byte, what it should, nothing that nobody sent, and
never a bare CR or LF. The cases that say so are played once more while the destination is down: the drain delivers the
same. Long waits are cut short on a gateway of their own ("short").
"""

import collections
import concurrent.futures
import re

import pytest

from support.certificates import Certificates
from support.hostile import Player, differs, far_side, load, never_ambiguous
from support.waiting import until
from support.world import World

CASES = load()
GROUPS = sorted({case.group for case in CASES})
DOWN = [case for case in CASES if case.down]
AT_ONCE = 24

LIMITS = {"message_size_limit": "1MiB", "header_size_limit": "64KiB", "max_header_fields": 200, "max_recipients": 100,
          "max_hops": 20, "soft_errors": 20, "max_errors": 20, "max_junk": 100, "lookup": "off"}
SMTPD = {"trusted_networks": [], "proxy_networks": ["127.2.0.0/16"], "proxy_timeout": "2s",
         "xclient_networks": ["127.3.0.0/16"], "per_client": {"connections": "none"}, **LIMITS}
SHORT = {**SMTPD, "banner_delay": "1s", "command_timeout": "3s", "data_timeout": "3s", "content_timeout": "5s"}

Ran = collections.namedtuple("Ran", "played destination gateway")


def play(gateway, case):
    return Player(case, gateway.port).play()


def play_all(cases, gateways):
    """{case: Played}; the slowest first."""
    order = sorted(cases, key=lambda case: case.gateway != "short")
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(order, pool.map(lambda case: play(gateways[case.gateway], case), order)))


def recording(world):
    made = world.destination(start=False)
    made.capabilities = [*made.capabilities, "DSN"]
    made.wire = {}
    return made.start()


def gateway_for(world, destination, smtpd, certificates):
    return world.gateway(destination, settings={"tls": certificates.make("mx.example.test"), "smtpd": smtpd})


@pytest.fixture(scope="module")
def rooms():
    world = World()
    yield world
    world.end(failed=False)


@pytest.fixture(scope="module")
def certificates(rooms):
    return rooms.keep(Certificates())


@pytest.fixture(scope="module")
def up(rooms, certificates):
    """All cases, played while the destination is up."""
    destination = recording(rooms)
    gateways = {"main": gateway_for(rooms, destination, SMTPD, certificates),
                "short": gateway_for(rooms, destination, SHORT, certificates)}
    for gateway in gateways.values():
        gateway.wait_probed()
    pids = {name: gateway.pids("smtpd") for name, gateway in gateways.items()}
    played = play_all(CASES, gateways)
    for name, gateway in gateways.items():
        wait_gone(gateway)
        assert gateway.pids("smtpd") == pids[name], "no worker has died"
        assert gateway.queue() == []
    until(lambda: all(session.sender is None for session in list(destination._sessions)),
          "no transaction of theirs lives on at the destination", 30)
    return Ran(played, destination, gateways)


@pytest.fixture(scope="module")
def down(rooms, certificates):
    """The same, for those that say so, while it is down; then it comes back."""
    destination = recording(rooms)
    gateway = gateway_for(rooms, destination, SMTPD, certificates)
    gateway.wait_probed()
    destination.close()
    gateway.wait_state("down")
    played = play_all(DOWN, {"main": gateway})
    wait_gone(gateway)
    assert destination.messages == []
    destination.start()
    gateway.wait_queue(0, 60)
    return Ran(played, destination, {"main": gateway})


def wait_gone(gateway):
    """Until no client of ours is served any more: whatever was under way has ended."""
    until(lambda: gateway.status()["clients"]["now"] == 0, "all clients have gone", 30)


def faults(ran, cases, group):
    found = []
    for case in cases:
        if case.group == group:
            found += [f"{case.name}: {fault}" for fault in
                      (ran.played[case].surprise, differs(case.far, far_side(ran.destination, case))) if fault]
    return found


@pytest.mark.parametrize("group", GROUPS)
def test_while_up(up, group):
    found = faults(up, CASES, group)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("group", sorted({case.group for case in DOWN}))
def test_while_down(down, group):
    found = faults(down, DOWN, group)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("which", ["up", "down"])
def test_nothing_that_nobody_sent(request, which):
    """Over all cases: no message but theirs, no command of a smuggler, no byte that is no line's end to all."""
    ran = request.getfixturevalue(which)
    theirs = {case.me for case in ran.played}
    assert [m for m in ran.destination.messages if m.sender not in theirs] == []
    assert ran.destination.saw("MAIL FROM:<evil") == []
    assert never_ambiguous(ran.destination.wire) == []
    assert ran.destination.faults == []


@pytest.mark.parametrize("which", ["up", "down"])
def test_the_logs_are_lines_of_ours(request, which):
    """What clients say cannot forge a line, nor hide one."""
    line = re.compile(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ holdfast/[a-z]+\[\d+\]: [^\x00-\x1f\x7f]+")
    for gateway in request.getfixturevalue(which).gateway.values():
        for name, text in gateway.logs().items():
            assert [each for each in text.split("\n")[:-1] if not line.fullmatch(each)] == [], name


def test_there_are_enough():
    assert len(CASES) >= 150
