"""Issue 3, Frozen: a bounce has one attempt; what is frozen waits for the admin, and not for ever."""

from bounced import frozen, gateway_with_relay, keep, parse
from support.waiting import holds, until


def bounce_id(gateway, queue_id):
    return gateway.wait_log("qmgr", f"{queue_id}: sender non-delivery notification: ", 20).rsplit(" ", 1)[1]


def refuse_one(gateway, destination, sender="alice@client.test"):
    queue_id = keep(gateway, destination, sender=sender)
    destination.on("dot", "554 5.6.0 Bad content")
    return bounce_id(gateway, queue_id)


def test_whatever_its_one_attempt_fails_by(world, destination):
    """The relay is away, refuses, defers, or drops the connection: frozen each time; thawed it has one attempt more."""
    relay = world.destination()
    gateway = gateway_with_relay(world, destination, relay)
    faults = [("mail", "550 5.7.1 No bounces"), ("rcpt", "450 4.7.1 Greylisted"), ("dot", "554 5.6.0 No")]
    for number, (stage, reply) in enumerate(faults):
        relay.behave()
        relay.on(stage, reply)
        refuse_one(gateway, destination)
        rows = frozen(gateway, number + 1)
        assert any(reply in r["recipients"][0]["delay_reason"] for r in rows), rows
    relay.close()
    one = refuse_one(gateway, destination)
    frozen(gateway, 4)
    gateway.wait_log("qmgr", f"{one}: frozen: its one attempt failed: ")
    assert gateway.status()["queue"]["frozen"] == 4
    attempts = relay.connections
    relay.behave()
    relay.start()
    holds(lambda: not relay.messages and relay.connections == attempts, "nothing is tried any more", 3)
    assert gateway.ctl("queue", "thaw", one).returncode == 0
    parse(relay.wait_for(1)[0])
    frozen(gateway, 3)
    relay.on("mail", "450 4.7.1 Not yet")
    assert gateway.ctl("queue", "thaw", "--all", "--yes").returncode == 0
    until(lambda: len(relay.saw("MAIL")) >= 3, "each is tried again")
    frozen(gateway, 3)
    relay.behave()
    assert gateway.ctl("queue", "delete", *(r["queue_id"] for r in gateway.queue())).returncode == 0
    gateway.wait_queue(0)
    assert len(relay.messages) == 1


def test_frozen_mail_is_kept_for_a_while(world, destination):
    relay = world.destination()
    gateway = gateway_with_relay(world, destination, relay, settings={"frozen": {"keep": "5s"}})
    relay.close()
    one = refuse_one(gateway, destination)
    gateway.wait_log("qmgr", f"{one}: frozen: ")
    gateway.wait_queue(0, 30)
    gateway.wait_log("qmgr", f"{one}: removed")


def test_with_a_schedule_they_are_tried_like_other_mail(world, destination):
    """For senders that greylist: a 4xx defers, a 5xx freezes."""
    relay = world.destination()
    gateway = gateway_with_relay(world, destination, relay, bounces={"retry": "schedule"})
    relay.on("rcpt", "450 4.7.1 Greylisted")
    one = refuse_one(gateway, destination)
    row = until(lambda: next((r for r in gateway.queue() if r["queue_id"] == one and r["attempts"] == 1), None),
                "it was tried once")
    assert row["queue_name"] == "deferred"
    relay.behave()
    assert gateway.ctl("queue", "retry", one).returncode == 0
    parse(relay.wait_for(1)[0])
    gateway.wait_queue(0)
    relay.on("rcpt", "550 5.1.1 No such sender")
    two = refuse_one(gateway, destination)
    (row,) = frozen(gateway)
    assert row["queue_id"] == two


def test_one_of_our_own_senders_too(world, destination):
    """A bounce to our own destination that is refused is the message's own affair: no brake, no bounce of a bounce."""
    relay = world.destination()
    gateway = gateway_with_relay(world, destination, relay)
    keep(gateway, destination, sender="nobody@example.test")
    destination.on("rcpt", {"nobody@example.test": "550 5.1.1 No such user"})
    destination.on("dot", "554 5.6.0 Bad content")
    (row,) = frozen(gateway)
    assert row["destination"] == "office"
    assert "550 5.1.1" in row["recipients"][0]["delay_reason"]
    assert gateway.state() == "up"
    assert not relay.messages
