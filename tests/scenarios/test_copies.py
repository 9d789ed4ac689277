"""Issue 7, item 6: while the destination is down, a copy goes to another mailbox at once; the original waits for its server."""

import json
import re

import pytest

from support.milter import Milter
from support.waiting import until

CONTENT = b"Message-Id: <1@client.test>\r\nSubject: x\r\n\r\nx\r\n"


def copying(world, office, elsewhere, copy=None, **settings):
    """A gateway whose `bounces.relay` is the way to elsewhere.test, and which has seen its destination."""
    settings = {"bounces": {"relay": elsewhere.server},
                "while_down": {"copy": copy or {"ceo@example.test": "ceo@elsewhere.test"}}, **settings}
    gateway = world.gateway(office, local=("ceo", "cfo", "local"), settings=settings)
    gateway.wait_probed()
    return gateway


def goes_down(gateway, office):
    office.close()
    gateway.wait_state("down")


@pytest.fixture
def elsewhere(world):
    return world.destination()


def copies_made(gateway):
    return re.findall(r": copy=(\w+), to=<(.*?)>, for=<(.*?)>", gateway.log("smtpd"))


def test_a_copy_goes_at_once_and_the_original_waits(world, destination, elsewhere):
    gateway = copying(world, destination, elsewhere)
    assert gateway.send("ceo@example.test", content=CONTENT).code == 250
    assert len(destination.wait_for(1)) == 1 and not elsewhere.messages
    goes_down(gateway, destination)
    reply = gateway.send(["local@example.test", "ceo@example.test"], content=CONTENT)
    original = reply.lines[-1].split()[-1]
    [copy] = elsewhere.wait_for(1)
    assert (copy.sender, copy.recipients) == ("ceo@example.test", ["ceo@elsewhere.test"])
    head = copy.content.decode()
    assert head.startswith(f"X-Holdfast-Copy-Of: {original}\r\nReceived: ") and head.endswith(CONTENT.decode())
    gateway.wait_queue(1)
    [entry] = gateway.queue()
    assert entry["queue_id"] == original and len(entry["recipients"]) == 2
    [(copy_id, to, of)] = copies_made(gateway)
    assert (to, of) == ("ceo@elsewhere.test", "ceo@example.test")
    assert f"{copy_id}: copy_of={original}, for=<ceo@example.test>" in gateway.log("smtpd")
    traced = gateway.ctl("trace", original).stdout
    assert f"copy={copy_id}" in traced
    gateway.wait_log("qmgr", f"{copy_id}: removed")
    [told] = json.loads(gateway.ctl("queue", "show", original, "--json").stdout)["copies"]
    assert told == {"queue_id": copy_id, "address": "ceo@elsewhere.test", "for": "ceo@example.test", "queued": False}
    destination.start()
    message = destination.wait_for(2)[1]
    assert sorted(message.recipients) == ["ceo@example.test", "local@example.test"] and b"Copy-Of" not in message.content
    gateway.wait_queue(0)
    assert len(elsewhere.messages) == 1


def test_one_for_each_mailbox_and_none_for_others(world, destination, elsewhere):
    gateway = copying(world, destination, elsewhere, {"ceo@example.test": "boss@elsewhere.test", "cfo@example.test": "boss@elsewhere.test"})
    assert gateway.ctl("dest", "force", "office", "down").returncode == 0
    gateway.wait_state("down")
    assert gateway.send("local@example.test").code == 250
    assert gateway.send("ceo@example.test", sender="").code == 250
    assert gateway.send(["cfo@example.test", "ceo@example.test"]).code == 250
    [copy] = elsewhere.wait_for(1)
    assert (copy.sender, copy.recipients) == ("cfo@example.test", ["boss@elsewhere.test"])
    gateway.wait_queue(3)
    assert len(copies_made(gateway)) == 1


def test_what_comes_back_is_not_copied_again(world, destination, elsewhere):
    """The other mailbox forwards to the first one, from whatever sender."""
    gateway = copying(world, destination, elsewhere)
    goes_down(gateway, destination)
    assert gateway.send("ceo@example.test", content=CONTENT).code == 250
    [copy] = elsewhere.wait_for(1)
    assert gateway.send("ceo@example.test", sender=copy.sender, content=b"Received: by elsewhere.test; now\r\n" + copy.content).code == 250
    gateway.wait_queue(2)
    assert len(copies_made(gateway)) == 1
    destination.start()
    for message in destination.wait_for(2):
        assert b"Copy-Of" not in message.content
    assert len(elsewhere.messages) == 1


def test_a_pause_is_no_emergency(world, destination, elsewhere):
    gateway = copying(world, destination, elsewhere)
    assert gateway.ctl("dest", "pause", "office").returncode == 0
    gateway.wait_state("paused")
    assert gateway.send("ceo@example.test").code == 250
    gateway.wait_queue(1)
    assert not copies_made(gateway)


def test_a_copy_that_is_refused_is_gone_and_nobody_hears_of_it(world, destination, elsewhere):
    elsewhere.on("rcpt", {"ceo@elsewhere.test": "550 5.7.1 No mail from you"})
    filter_ = Milter()
    try:
        gateway = copying(world, destination, elsewhere, filters=[{"name": "f", "milter": filter_.where}])
        goes_down(gateway, destination)
        assert gateway.send("ceo@example.test").code == 250
        gateway.wait_log("deliver", "to=<ceo@elsewhere.test>")
        [(copy_id, _, _)] = copies_made(gateway)
        gateway.wait_log("qmgr", f"{copy_id}: removed")
        gateway.wait_queue(1)
        assert gateway.queue()[0]["queue_name"] == "deferred" and not elsewhere.messages
    finally:
        filter_.close()


def test_a_copy_is_tried_again(world, destination, elsewhere):
    elsewhere.on("rcpt", {"ceo@elsewhere.test": "450 4.7.1 Greylisted"})
    gateway = copying(world, destination, elsewhere)
    goes_down(gateway, destination)
    assert gateway.send("ceo@example.test").code == 250
    gateway.wait_log("deliver", "Greylisted")
    [(copy_id, to, _)] = copies_made(gateway)
    original = next(m["queue_id"] for m in gateway.queue() if m["queue_id"] != copy_id)
    assert re.search(rf"^copy of +{original}$", gateway.ctl("queue", "show", copy_id).stdout, re.M)
    assert re.search(rf"^copy +{copy_id} to <{to}>, queued$", gateway.ctl("queue", "show", original).stdout, re.M)
    [(copy_id, _, _)] = copies_made(gateway)
    assert {entry["queue_name"] for entry in gateway.queue()} == {"deferred"}
    elsewhere.behave()
    until(lambda: gateway.ctl("queue", "retry", copy_id).returncode == 0, "it is tried again")
    elsewhere.wait_for(1)
    gateway.wait_queue(1)


def test_to_a_domain_of_ours_it_goes_through_the_filters(world, destination, elsewhere):
    filter_ = Milter()
    try:
        gateway = world.gateway(destinations={"office": {"servers": [destination.server]}, "branch": {"servers": [elsewhere.server]}},
                                domains={"example.test": {"destination": "office", "local_recipients": ["ceo"]},
                                         "branch.test": {"destination": "branch"}},
                                settings={"filters": [{"name": "f", "milter": filter_.where}],
                                          "while_down": {"copy": {"ceo@example.test": "ceo@branch.test"}}})
        gateway.wait_state("up")
        goes_down(gateway, destination)
        assert gateway.send("ceo@example.test", content=CONTENT).code == 250
        [copy] = elsewhere.wait_for(1)
        assert copy.recipients == ["ceo@branch.test"]
        assert b"X-Holdfast-Copy-Of: " in copy.content and b"X-Holdfast-Unfiltered: rescanned\r\nMessage-Id" in copy.content
        assert filter_.macros["{rcpt_addr}"] == "ceo@branch.test"
        gateway.wait_queue(1)
    finally:
        filter_.close()


def test_copies_take_no_more_than_the_original_leaves(world, destination, elsewhere):
    """One message, two copies, room for two in the queue: the original and the first."""
    elsewhere.close()
    gateway = copying(world, destination, elsewhere, {"ceo@example.test": "ceo@elsewhere.test", "cfo@example.test": "cfo@elsewhere.test"},
                      queue={"max_messages": 2}, smtpd={"workers": 1})
    goes_down(gateway, destination)
    assert gateway.send("local@example.test").code == 250  # qmgr's next word to smtpd has the bound in it
    gateway.wait_queue(1)
    assert gateway.ctl("queue", "delete", "--all", "--yes").returncode == 0
    gateway.wait_queue(0)
    with gateway.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        assert [client.rcpt(f"{name}@example.test").code for name in ("ceo", "cfo")] == [250, 250]
        assert client.data(CONTENT).code == 250
    gateway.wait_queue(2)
    assert [to for _, to, _ in copies_made(gateway)] == ["ceo@elsewhere.test"]
    assert "no copy to <cfo@elsewhere.test>: a quota of the queue is reached" in gateway.log("smtpd")


def test_the_sender_of_a_copy_is_not_what_a_stranger_wrote(world, destination, elsewhere):
    gateway = copying(world, destination, elsewhere, recipient_delimiter="+")
    goes_down(gateway, destination)
    assert gateway.send("CEO+anything@Example.Test").code == 250
    [copy] = elsewhere.wait_for(1)
    assert (copy.sender, copy.recipients) == ("ceo@example.test", ["ceo@elsewhere.test"])


def test_a_crash_leaves_both(world, destination, elsewhere):
    """All are killed behind the 250: each original has its copy, which nobody could take before."""
    elsewhere.close()
    gateway = copying(world, destination, elsewhere)
    goes_down(gateway, destination)
    for number in range(5):
        assert gateway.send("ceo@example.test", content=b"Subject: %d\r\n\r\nx\r\n" % number).code == 250
    gateway.crash()
    elsewhere.start()
    gateway.start()

    def all_have_come():  # those that were tried in vain before the crash would wait for their next time
        gateway.ctl("queue", "retry", "--destination", "bounces")
        return len(elsewhere.messages) == 5
    until(all_have_come, "all copies have come", 30, every=0.3)
    gateway.wait_queue(5)
    subjects = {re.search(rb"Subject: (\d)", message.content).group(1) for message in elsewhere.messages}
    assert subjects == {b"0", b"1", b"2", b"3", b"4"}
    destination.start()
    destination.wait_for(5)
    gateway.wait_queue(0)


@pytest.mark.parametrize("copy, words", [({"ceo@example.test": "cfo@example.test"}, "goes down together"),
                                         ({"ceo@elsewhere.test": "a@b.test"}, "is in no domain of ours")])
def test_wrong_configurations(world, destination, copy, words):
    gateway = world.gateway(destination, start=False, settings={"while_down": {"copy": copy}})
    gateway.write_config()
    checked = gateway.ctl("config", "check")
    assert checked.returncode != 0 and words in checked.stdout + checked.stderr
