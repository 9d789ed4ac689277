"""Bounces to senders elsewhere go by the MX of the sender's domain, asked of a real name server (nsd)."""

import pytest

from support import ports
from support.name_server import NameServer
from support.waiting import until

SENDERS = {  # MX of the senders' domains, below away.test
    "one": "one IN MX 10 a\n",
    "two": "two IN MX 20 b\ntwo IN MX 10 dead\n",
    "bare": "bare IN A 127.0.0.21\n",
    "none": "none IN MX 0 .\n",
    "loop": "loop IN MX 10 mx.example.test.\nloop IN MX 20 a\n",
    "backup": "backup IN MX 10 a\nbackup IN MX 20 mx.example.test.\nbackup IN MX 30 b\n",
    "lost": "lost IN MX 10 nowhere\n",
}
HOSTS = "a IN A 127.0.0.21\nb IN A 127.0.0.22\ndead IN A 127.0.0.23\n"


@pytest.fixture
def names(world):
    return world.keep(NameServer({"away.test": "".join(SENDERS.values()) + HOSTS})).start()


@pytest.fixture
def away(world):
    """The senders' own servers, 127.0.0.21 and .22, on one port."""
    port = ports.free_port()
    return [world.destination(port=port, address=address) for address in ("127.0.0.21", "127.0.0.22")]


@pytest.fixture
def office(world, destination, names, away):
    gateway = world.gateway(destination, settings={"dns": {"resolvers": [names.server]},
                                                   "bounces": {"mx_port": away[0].port}})
    gateway.wait_probed()
    return gateway


def keep_and_bounce(gateway, destination, *senders):
    """Mail is kept for a moment, and its admin returns it: each sender is owed a bounce."""
    destination.on("dot", "451 4.3.0 later")
    for sender in senders:
        assert gateway.send("local@example.test", sender=sender).text.startswith("250 2.0.0 Ok: queued as ")
    gateway.wait_queue(len(senders))

    def returned():  # 75: one is being handed over just now
        return gateway.ctl("queue", "bounce", "--recipient", "local@example.test", "--yes").returncode in (0, 67)
    until(returned, "all are returned", 30, every=0.3)


def bounced(server, to):
    return until(lambda: next((m for m in server.messages if m.recipients == [to]), None), f"the bounce to {to}", 20)


def test_to_the_most_preferred_server_that_stands(office, destination, away):
    keep_and_bounce(office, destination, "x@one.away.test", "y@two.away.test", "z@bare.away.test")
    assert bounced(away[0], "x@one.away.test").sender == ""
    assert bounced(away[1], "y@two.away.test").sender == ""  # dead.away.test refuses connections
    assert bounced(away[0], "z@bare.away.test").sender == ""  # no MX: the domain's own address
    office.wait_queue(0)
    assert len(away[0].messages) == 2 and len(away[1].messages) == 1
    office.wait_log("deliver", "relay=a.away.test[127.0.0.21]:")
    office.wait_log("deliver", "relay=b.away.test[127.0.0.22]:")


def frozen(gateway, count):
    def look():
        rows = [row for row in gateway.queue() if row["queue_name"] == "frozen"]
        return rows if len(rows) == count else None
    return until(look, f"{count} bounces are frozen", 20)


# What the bounce's one attempt says, of a domain that has no server for us.
HOPELESS = {
    "x@none.away.test": ("5.1.10", "takes no mail (null MX)"),
    "x@nobody.away.test": ("5.1.2", "does not exist"),
    "x@loop.away.test": ("5.4.6", "loops back"),
    "x@lost.away.test": ("5.4.4", "none of the mail servers"),
}


def test_what_has_no_server_is_frozen_and_says_why(office, destination, away):
    keep_and_bounce(office, destination, *HOPELESS)
    frozen(office, len(HOPELESS))
    for address, (dsn, words) in HOPELESS.items():
        line = office.wait_log("deliver", f"to=<{address}>")
        assert f"dsn={dsn}, " in line and words in line and "relay=none" in line
    assert [m for server in away for m in server.messages] == []


def test_behind_ourselves_nobody_is_tried(office, destination, away):
    away[0].close()
    keep_and_bounce(office, destination, "x@backup.away.test")
    frozen(office, 1)
    assert away[1].connections == 0, "it is less preferred than we are"


def test_without_a_name_server_it_is_a_temporary_failure(world, destination):
    gateway = world.gateway(destination, settings={"dns": {"resolvers": [f"127.0.0.1:{ports.free_port()}"]},
                                                   "bounces": {"mx_port": ports.free_port()}})
    gateway.wait_probed()
    keep_and_bounce(gateway, destination, "x@one.away.test")
    line = gateway.wait_log("deliver", "to=<x@one.away.test>", timeout=30)
    assert "dsn=4.4.3, " in line and "status=deferred" in line
    frozen(gateway, 1)  # tried once


def test_many_domains_at_once(world, destination, away):
    """Each has its own pool; their number is bounded, and all bounces arrive."""
    names = world.keep(NameServer({"away.test": "*.many IN MX 10 a\n" + HOSTS})).start()
    gateway = world.gateway(destination, settings={"dns": {"resolvers": [names.server]},
                                                   "bounces": {"mx_port": away[0].port}})
    gateway.wait_probed()
    senders = [f"x@d{i}.many.away.test" for i in range(120)]
    keep_and_bounce(gateway, destination, *senders)
    away[0].wait_for(len(senders), 40)
    gateway.wait_queue(0)
    assert sorted(m.recipients[0] for m in away[0].messages) == sorted(senders)
    assert away[0].open_connections <= 120
