"""Issue 6, item 1: alerts while the disk is what fails. The spool's reserve is told of; when alertd cannot write what it has
to tell (state/alerts is full) it tells it all the same, and writes it once it can.

Tried with the protection taken out (22 Nov): when Service::pump() never sends what is not written, the second fails.
"""

import errno
import json

import pytest

from support.receivers import WebReceiver
from support.waiting import until

GIB = 1 << 30


@pytest.fixture
def web(world):
    return world.keep(WebReceiver())


def alerts(gateway):
    return [row for row in gateway.json("alert", "list") if row["type"] == "alert"]


def test_the_spools_reserve(world, destination, faults, web):
    faults.room = faults.free("", 100 * GIB)
    gateway = world.gateway(destination, env=faults.env, settings={"spool": {"reserve": "1GiB"}, "alerts": {"webhooks": [{"url": web.url}]}})
    gateway.wait_probed()
    full = faults.free("", GIB - 4096)
    faults.room.off()
    told = web.wait_for("opened", "spool_reserve")
    assert told["severity"] == "critical" and "free" in told["cause"]
    faults.free("", 100 * GIB)
    full.off()
    web.wait_for("cleared", "spool_reserve", 60)  # a fault that qmgr never met is seen to be over at alertd's next look


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=errno.errorcode.get)
def test_what_cannot_be_written_is_told_all_the_same(world, destination, faults, web, error):
    gateway = world.gateway(destination, env=faults.env, settings={"alerts": {"webhooks": [{"url": web.url}]}})
    gateway.wait_probed()
    pids = gateway.pids("alertd")
    with faults.fail("write fdatasync fsync msync", gateway.folder / "state" / "alerts", error, program="alertd") as full:
        destination.close()
        gateway.wait_state("down")
        web.wait_for("opened", "destination_down")
        full.wait_hit(1)
        gateway.wait_log("alertd", "alerts: cannot commit, will try again")
        assert [a["kind"] for a in alerts(gateway)] == ["destination_down"]
    gateway.wait_log("alertd", "alerts: commits work again")
    assert gateway.pids("alertd") == pids
    number = alerts(gateway)[0]["id"]
    gateway.wait_restarted("alertd", gateway.kill("alertd"))
    assert until(lambda: alerts(gateway), "it is still known")[0]["id"] == number
    destination.start()
    gateway.wait_state("up")
    web.wait_for("cleared", "destination_down")
    assert len([t for t in web.told() if t["what"] == "opened" and t["kind"] == "destination_down"]) == 1, json.dumps(web.told())
