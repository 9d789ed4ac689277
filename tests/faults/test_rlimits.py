"""Descriptors, processes and memory run out (issue 3): new work is refused with 421 or 451, old work ends well, and all
is as before when the limit is raised again. Limits are set on running daemons (prlimit).

How it was tried with the protection taken out: without Listener's kept descriptor (net/listener.cc, turn_away()) the
clients of the first test wait until they time out; with kLocal taken out of Connection::Impl::stage_now()
(upstream/connection.cc) the prober calls a sound destination down; without base::keep_memory_reserve() (daemon.cc) smtpd
dies of std::bad_alloc, and all its sessions with it. That deliver blames nobody is shown by
PoolTest.WithoutASocketNobodyIsBlamed.
"""

import resource

import pytest

from support.processes import Limit, address_space, cpu_seconds, next_descriptor
from support.smtp_client import Closed, SmtpClient
from support.waiting import holds, until

MIB = 1 << 20
CONTENT = b"Subject: limits\r\n\r\n" + b"x" * 70 + b"\r\n"


@pytest.fixture
def office(world, destination):
    """One smtpd and one deliver, so that it is known who serves whom."""
    gateway = world.gateway(destination, settings={"smtpd": {"workers": 1}, "deliver": {"workers": 1}})
    gateway.wait_probed()
    assert gateway.send("local@example.test", content=CONTENT).code == 250
    return gateway


def only(gateway, name):
    pids = gateway.pids(name)
    assert len(pids) == 1
    return pids[0]


def no_descriptor_left(pid):
    return Limit(pid, resource.RLIMIT_NOFILE, next_descriptor(pid))


def greeting(gateway):
    try:
        with SmtpClient(gateway.port, timeout=20) as client:
            return client.banner.code
    except (Closed, ConnectionError):
        return None


def test_smtpd_without_descriptors_says_421_and_serves_who_is_there(office, destination):
    smtpd = only(office, "smtpd")
    with office.client() as here:
        here.ehlo()
        with no_descriptor_left(smtpd):
            assert greeting(office) == 421
            spent = cpu_seconds(smtpd)
            waiting = [SmtpClient(office.port, timeout=20, greet=False) for _ in range(20)]
            assert {client.read().code for client in waiting} == {421}
            holds(lambda: greeting(office) in (421, None), "all that come are turned away", 2)
            assert cpu_seconds(smtpd) - spent < 1, "it does not spin"
            assert here.mail("a@client.test").code == 250
            assert here.rcpt("local@example.test").code in (250, 451)  # its destination has an idle connection
            for client in waiting:
                client.close()
        assert here.command("RSET").code == 250
    until(lambda: greeting(office) == 220, "clients are served again")
    assert office.send("local@example.test").code == 250
    assert only(office, "smtpd") == smtpd
    assert office.state() == "up"


def test_deliver_without_descriptors_blames_nobody_and_loses_nothing(office, destination):
    destination.close()
    office.wait_state("down")
    for _ in range(5):
        assert office.send("local@example.test", content=CONTENT).code == 250
    office.wait_queue(5)
    deliver = only(office, "deliver")
    destination.messages.clear()
    with no_descriptor_left(deliver):
        destination.start()
        office.wait_state("up", "draining")
        office.ctl("queue", "retry", "--all", "--yes")
        until(lambda: "too many open files" in office.log("deliver").lower(), "it has run out", 20)
        assert not destination.messages
        spent = cpu_seconds(deliver)
        holds(lambda: office.state() != "down", "its destination is not called down", 3)
        assert cpu_seconds(deliver) - spent < 2, "it does not spin"
        assert len(office.queue()) == 5
    office.ctl("queue", "retry", "--all", "--yes")

    def hurried():
        office.ctl("queue", "retry", "--all", "--yes")
        return len(destination.messages) >= 5
    until(hurried, "all arrive", 40, every=0.5)
    office.wait_queue(0)
    assert len(destination.messages) == 5
    assert only(office, "deliver") == deliver


def test_prober_without_descriptors_calls_nobody_down(office, destination):
    prober = only(office, "prober")
    with no_descriptor_left(prober):
        spent = cpu_seconds(prober)
        holds(lambda: office.state() == "up", "the destination is still up", 5)
        assert cpu_seconds(prober) - spent < 1
    destination.close()
    office.wait_state("down")
    destination.start()
    office.wait_state("up")
    assert only(office, "prober") == prober


def test_qmgr_without_descriptors_indexes_later(office, destination):
    destination.close()
    office.wait_state("down")
    qmgr = only(office, "qmgr")
    with no_descriptor_left(qmgr):
        for _ in range(3):
            assert office.send("local@example.test", content=CONTENT).code == 250
        spent = cpu_seconds(qmgr)
        holds(lambda: only(office, "qmgr") == qmgr, "it lives", 3)
        assert cpu_seconds(qmgr) - spent < 1.5
    office.wait_queue(3)
    destination.start()
    destination.messages.clear()
    until(lambda: len(destination.messages) == 3, "all arrive", 40)
    office.wait_queue(0)


BIG = b"Subject: big\r\n\r\n" + (b"y" * 78 + b"\r\n") * 11_000  # 880 kB: kept in memory


def begin_big(gateway):
    """None when it is turned away: at the greeting or at MAIL, as memory ran short before or after it came."""
    client = gateway.client(timeout=30)
    if client.banner.code == 421:
        client.close()
        return None
    client.ehlo()
    if client.mail("a@client.test").code != 250:
        client.close()
        return None
    client.rcpt("local@example.test")
    assert client.command("DATA").code == 354
    client.send(BIG)
    return client


def test_smtpd_short_of_memory_takes_nothing_new_and_ends_what_it_has(office, destination):
    """The reserve is given back; when even that is gone the process ends at once, and master starts another: then
    those who had no answer send again. Either way every 250 is true."""
    smtpd = only(office, "smtpd")
    idle = office.client()
    idle.ehlo()
    clients = []
    with Limit(smtpd, resource.RLIMIT_AS, address_space(smtpd) + 4 * MIB):
        for _ in range(8):
            client = begin_big(office)
            if client is None:
                break
            clients.append(client)
        assert clients, "somebody was there before"
        office.wait_log("smtpd", "short of memory: no new work is taken")
        assert greeting(office) == 421
        reply = idle.mail("a@client.test")
        assert (reply.code, reply.lines[0][:5]) == (451, "4.3.2")
        for client in clients:
            client.send(b".\r\n")
            assert client.read().code == 250, "old work ends well"
            client.close()
    office.wait_log("smtpd", "there is memory again", 20)
    until(lambda: greeting(office) == 220, "clients are served again")
    assert idle.mail("a@client.test").code == 250
    idle.close()
    destination.wait_for(1 + len(clients))
    assert only(office, "smtpd") == smtpd, "it never died"


@pytest.mark.parametrize("name", ["smtpd", "qmgr", "deliver", "prober"])
def test_with_no_memory_to_be_had_nothing_that_was_promised_is_lost(office, destination, name):
    """The limit lies under what is in use. The daemon lives on what it has, or ends at once and is started again."""
    destination.on("dot", "451 4.3.0 later")
    for _ in range(5):
        assert office.send("local@example.test", content=CONTENT).code == 250
    office.wait_queue(5)
    with Limit(office.pids(name)[0], resource.RLIMIT_AS, 1 * MIB):
        promised = sum(sent_big(office) for _ in range(6))
        office.ctl("queue", "retry", "--all", "--yes")
        office.ctl("dest", "probe", "office")
    destination.behave()
    office.wait_running(30)

    def hurried():
        office.ctl("queue", "retry", "--all", "--yes")
        bodies = [m.body for m in destination.messages]
        return bodies.count(CONTENT) >= 6 and bodies.count(BIG) >= promised
    until(hurried, "what was promised arrives", 60, every=0.5)
    office.wait_queue(0, 40)
    office.wait_state("up")
    assert not any("bad_alloc" in line for line in office.output)


def sent_big(gateway):
    try:
        return gateway.send("local@example.test", content=BIG).code == 250
    except (Closed, ConnectionError, TimeoutError, AssertionError):
        return False
