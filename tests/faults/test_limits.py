"""Issue 3: free space or inodes under spool.reserve. 452 4.3.1 at MAIL, and for a SIZE that would go under it; the
queue still drains; `status` shows it; an event at each change; it is over by itself.

Tried with the protection taken out (22 Nov): without the question in smtpd's Session::on(Mail) all three fail, without
Space's inodes the one of inodes does. Without SpoolCare::note_space() the events are missing.
"""

import pytest

from support.waiting import until

GIB = 1 << 30
LOCAL = "local@example.test"


@pytest.fixture
def down(world, destination, faults):
    """Its spool keeps 1 GiB, and its destination is down."""
    faults.room = faults.free("", 100 * GIB)  # every path: the spool itself is not made yet
    gateway = world.gateway(destination, env=faults.env, settings={"spool": {"reserve": "1GiB"}})
    gateway.wait_probed()
    destination.close()
    gateway.wait_state("down")
    return gateway


def set_free(faults, free_bytes, inodes=2 ** 31):
    new = faults.free("", free_bytes, inodes)
    faults.room.off()
    faults.room = new


def mail(gateway, parameters=""):
    with gateway.client() as client:
        client.ehlo()
        return client.command(f"MAIL FROM:<a@client.test>{parameters}")


def wait_mail(gateway, code, parameters=""):
    """Each smtpd asks once a second, so that the answer follows soon; several times, for several workers."""
    return until(lambda: all((reply := mail(gateway, parameters)).code == code for _ in range(6)) and reply,
                 f"MAIL is answered {code}")


@pytest.mark.parametrize("what", ["bytes", "inodes"])
def test_under_the_reserve(down, destination, faults, what):
    assert down.send(LOCAL).code == 250
    down.wait_queue(1)
    set_free(faults, *((GIB - 4096, 2 ** 31) if what == "bytes" else (100 * GIB, 900)))
    assert wait_mail(down, 452).lines[0].startswith("4.3.1 ")
    assert "reject: MAIL from" in down.log("smtpd")
    until(lambda: down.status()["spool"]["accepting"] is False, "status shows it")
    down.wait_log("qmgr", "event=spool_reserve_reached")
    destination.start()
    until(lambda: len(destination.messages) == 1, "the queue drains", 20)
    set_free(faults, 100 * GIB)
    wait_mail(down, 250)
    down.wait_log("qmgr", "event=spool_reserve_free", timeout=20)
    assert down.status()["spool"]["accepting"] is True
    assert down.send(LOCAL).code == 250


def test_a_size_that_would_go_under_it(down, faults):
    set_free(faults, GIB + (1 << 20))
    wait_mail(down, 250, " SIZE=500000")
    assert wait_mail(down, 452, f" SIZE={2 << 20}").lines[0].startswith("4.3.1 ")
    assert down.send(LOCAL).code == 250, "what fits is taken"
