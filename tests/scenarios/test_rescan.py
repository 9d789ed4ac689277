"""Issue 7, item 5: what was taken without asking filters while the destination was down, is put through them before it goes."""

import pytest

from support import milter
from support.filters import EICAR, ClamAv
from support.milter import HANG, Milter
from support.waiting import holds, until

CLEAN = b"Subject: clean\r\n\r\nbody\r\n"
BAD = b"Subject: bad\r\n\r\nvirus\r\n"


def refuses_bad(made, words="554 5.7.1 Virus"):
    """By the content of its messages."""
    made.on("body", lambda data, _: milter.reply(words) if b"virus" in data else None)


def down_with(world, destination, *contents, wheres, while_down=None, **more):
    """A gateway that has taken these without its filters, and whose destination is back in a moment."""
    settings = {"filters": [{"name": f"f{i}", "milter": where, **more} for i, where in enumerate(wheres)],
                "while_down": while_down or {}}
    gateway = world.gateway(destination, settings=settings)
    gateway.wait_probed()
    destination.close()
    gateway.wait_state("down")
    for content in contents:
        assert gateway.send("local@example.test", content=content).code == 250
    gateway.wait_queue(len(contents))
    return gateway


def held(gateway):
    return [entry for entry in gateway.queue() if entry["queue_name"] == "held"]


def test_clean_mail_goes_and_the_bad_one_is_held(world, destination, filter_):
    refuses_bad(filter_)
    filter_.on("end", milter.add_header("X-Scanned", "by f0"))
    gateway = down_with(world, destination, CLEAN, BAD, CLEAN, wheres=[filter_.where])
    assert filter_.heard == []
    destination.start()
    for message in destination.wait_for(2):
        head = message.content.partition(b"\r\n\r\n")[0]
        assert b"\r\nX-Holdfast-Unfiltered: rescanned\r\nSubject: clean\r\nX-Scanned: by f0" in head
    until(lambda: len(held(gateway)) == 1, "one is held")
    gateway.wait_log("qmgr", "held: rescan: f0: 554 5.7.1 Virus")
    gateway.wait_log("deliver", "rescan: passed")
    assert filter_.macros["{client_addr}"] == "127.0.0.1" and filter_.macros["{rcpt_addr}"] == "local@example.test"
    gateway.wait_state("up")
    asked = len(filter_.heard)
    [entry] = held(gateway)
    assert gateway.ctl("queue", "release", entry["queue_id"]).returncode == 0
    last = destination.wait_for(3)[2]
    assert b"X-Holdfast-Unfiltered: yes\r\n" in last.content and last.content.endswith(b"virus\r\n")
    gateway.wait_queue(0)
    assert len(filter_.heard) == asked, "what an admin has released is not asked about again"
    assert gateway.reports() == []


@pytest.mark.parametrize("answer", [milter.packet("d"), milter.quarantine("odd"), milter.delete_rcpt("local@example.test")],
                         ids=["discard", "quarantine", "recipient away"])
def test_other_words_against_it_hold_it_too(world, destination, filter_, answer):
    filter_.on("end", answer)
    gateway = down_with(world, destination, CLEAN, wheres=[filter_.where])
    destination.start()
    until(lambda: len(held(gateway)) == 1, "one is held")
    gateway.wait_log("qmgr", "held: rescan: ")
    assert destination.messages == []


def test_a_refusal_of_the_sender_holds_it(world, destination, filter_):
    filter_.on("mail", milter.reply("550 5.7.1 Not from you"))
    gateway = down_with(world, destination, CLEAN, wheres=[filter_.where])
    destination.start()
    gateway.wait_log("qmgr", "held: rescan: f0: 550 5.7.1 Not from you")
    assert destination.messages == []


@pytest.mark.parametrize("how", ["dead", "not now"])
def test_tempfail_waits(world, destination, filter_, how):
    gateway = down_with(world, destination, CLEAN, wheres=[filter_.where])
    filter_.on("mail", milter.CLOSE if how == "dead" else milter.reply("451 4.7.1 Later"))
    destination.start()
    gateway.wait_log("deliver", "status=deferred (rescan: f0: 451 4.7.1 ")
    assert destination.messages == [] and held(gateway) == []
    gateway.wait_state("up")
    [entry] = gateway.queue()  # which waits as long as the filter is no better
    filter_.on("mail", None)
    gateway.ctl("queue", "retry", entry["queue_id"])
    assert b"X-Holdfast-Unfiltered: rescanned" in destination.wait_for(1)[0].content


@pytest.mark.parametrize("how", ["dead", "not now"])
def test_accept_goes_without_it(world, destination, filter_, how):
    second = Milter()
    try:
        gateway = down_with(world, destination, CLEAN, wheres=[filter_.where, second.where], on_failure="accept")
        filter_.on("mail", milter.CLOSE if how == "dead" else milter.reply("451 4.7.1 Later"))
        destination.start()
        assert b"X-Holdfast-Unfiltered: yes" in destination.wait_for(1)[0].content
        assert "end" in second.stages()
        gateway.wait_queue(0)
    finally:
        second.close()


@pytest.mark.parametrize("how", ["dead", "not now"])
def test_reject_holds(world, destination, filter_, how):
    gateway = down_with(world, destination, CLEAN, wheres=[filter_.where], on_failure="reject")
    filter_.on("mail", milter.CLOSE if how == "dead" else milter.reply("451 4.7.1 Later"))
    destination.start()
    until(lambda: len(held(gateway)) == 1, "one is held")
    assert destination.messages == []


def test_not_wanted(world, destination, filter_):
    refuses_bad(filter_)
    gateway = down_with(world, destination, BAD, wheres=[filter_.where], while_down={"rescan_on_drain": False})
    destination.start()
    assert b"X-Holdfast-Unfiltered: yes" in destination.wait_for(1)[0].content
    gateway.wait_queue(0)
    assert filter_.heard == []


def test_deliver_is_killed_while_it_asks(world, destination, filter_):
    filter_.on("end", HANG)
    gateway = down_with(world, destination, CLEAN, BAD, wheres=[filter_.where])
    destination.start()
    until(lambda: "end" in filter_.stages(), "the filter is asked")
    assert destination.messages == []
    filter_.on("end", None)
    refuses_bad(filter_)
    gateway.kill("deliver")
    destination.wait_for(1)
    until(lambda: len(held(gateway)) == 1, "one is held")
    gateway.wait_queue(1)
    holds(lambda: len(destination.messages) == 1, "one message", 1)


def test_a_big_message(world, destination, filter_):
    big = b"Subject: big\r\n\r\n" + b"0123456789abcdef" * 60 + b"\r\n"
    big += (b"x" * 900 + b"\r\n") * 2500
    gateway = down_with(world, destination, big, wheres=[filter_.where])
    destination.start()
    assert destination.wait_for(1)[0].content.endswith(big)
    gateway.wait_queue(0)


def test_clamav_finds_what_came_meanwhile(world, destination):
    clamav = ClamAv().start()
    try:
        gateway = down_with(world, destination, CLEAN, b"Subject: v\r\n\r\n" + EICAR + b"\r\n", wheres=[clamav.milter])
        destination.start()
        assert b"Subject: clean" in destination.wait_for(1)[0].content
        gateway.wait_log("qmgr", "held: rescan: f0: 550 5.7.1 Virus found")
        [entry] = held(gateway)
        gateway.ctl("queue", "release", entry["queue_id"])
        assert EICAR in destination.wait_for(2)[1].content
    finally:
        clamav.stop()


def test_a_bypass_by_hand_lets_go_what_a_broken_filter_keeps_back(world, destination, filter_):
    gateway = down_with(world, destination, CLEAN, wheres=[filter_.where])
    filter_.close()
    destination.start()
    gateway.wait_log("deliver", "status=deferred (rescan: f0: 451 4.7.1 ")
    assert destination.messages == []
    assert gateway.ctl("filter", "bypass", "on", "--domain", "example.test").returncode == 0
    [entry] = gateway.queue()
    assert gateway.ctl("queue", "retry", entry["queue_id"]).returncode == 0
    assert b"\r\nX-Holdfast-Unfiltered: yes\r\n" in destination.wait_for(1)[0].content
