"""Kept mail that is refused later (design, section 3, Retries and Recovery): what is the destination's fault
bounces nobody; mail that skipped the filters is held."""

import json

from bounced import frozen, gateway_with_relay, keep_while_down, parse
from many import fill, numbered, subjects
from support.waiting import holds, until

GOOD = 12


def kept(world, destination, relay, local=("local", "a", "b", "c")):
    gateway = gateway_with_relay(world, destination, relay, local=local)
    destination.close()
    gateway.wait_state("down")
    for name in ("a", "b", "c"):
        keep_while_down(gateway, destination, [f"{name}@example.test"], sender=f"to-{name}@client.test")
    fill(gateway, GOOD)
    gateway.wait_queue(GOOD + 3)
    return gateway


def nobody_was_bounced(gateway, relay):
    assert not relay.messages
    assert "non-delivery" not in gateway.log("qmgr")
    assert gateway.status()["queue"]["frozen"] == 0 and gateway.status()["queue"]["held"] == 0


def all_arrive(gateway, destination):
    destination.behave()
    messages = destination.wait_for(GOOD + 3, 60)
    assert numbered(GOOD).items() <= subjects(messages).items()
    gateway.wait_queue(0)
    gateway.wait_state("up")


def refused_for_a_while(world, destination, stage, action):
    relay = world.destination()
    gateway = kept(world, destination, relay)
    destination.on(stage, action).start()
    until(lambda: gateway.destination()["reason"] and gateway.state() != "up" and len(destination.commands) > 5,
          "the destination's state says why", 30)
    holds(lambda: gateway.status()["queue"]["messages"] == GOOD + 3, "all of it stays", 6)
    nobody_was_bounced(gateway, relay)
    all_arrive(gateway, destination)
    nobody_was_bounced(gateway, relay)


def test_at_mail_for_three_senders(world, destination):
    """All senders but the prober's null sender are refused."""
    refused_for_a_while(world, destination, "mail",
                        lambda session, sender: "550 5.7.1 I do not like you" if sender else None)


def test_at_banner(world, destination):
    refused_for_a_while(world, destination, "banner", "554 5.3.2 No service here")


def test_everybody_at_rcpt(world, destination):
    """A server that lost its list of users: a burst on known recipients."""
    refused_for_a_while(world, destination, "rcpt",
                        lambda session, recipient: None if recipient.startswith("postmaster") else "550 5.1.1 No such user")


def test_after_the_dot_by_a_broken_filter(world, destination):
    refused_for_a_while(world, destination, "dot", "554 5.7.1 Everything is spam today")


def import_unfiltered(gateway, folder, recipient, count=1):
    """Mail that skipped the filters, as an emergency of issue 7 will leave it."""
    folder.mkdir()
    for n in range(count):
        content = b"Subject: unfiltered %d\r\n\r\nx\r\n" % n
        (folder / f"m{n}.eml").write_bytes(content)
        (folder / f"m{n}.json").write_text(json.dumps(
            {"format": 1, "eml_bytes": len(content), "sender": "forged@client.test", "destination": "office",
             "recipients": [{"address": recipient, "known": True}], "unfiltered": True}))
    done = gateway.ctl("queue", "import", folder)
    assert done.returncode == 0, done


def test_unfiltered_mail_is_held_when_it_is_refused_for_what_it_is(world, destination, tmp_path):
    relay = world.destination()
    gateway = gateway_with_relay(world, destination, relay)
    destination.on("dot", "550 5.7.1 Looks like spam")
    import_unfiltered(gateway, tmp_path / "in", "local@example.test")
    row = until(lambda: next((r for r in gateway.queue() if r["queue_name"] in ("hold", "held")), None), "it is held", 20)
    assert "550 5.7.1 Looks like spam" in row["recipients"][0]["delay_reason"]
    gateway.wait_log("qmgr", "held: it skipped the filters and was refused: 550 5.7.1 Looks like spam")
    holds(lambda: not relay.messages, "nobody is told", 2)
    destination.behave()
    assert gateway.ctl("queue", "release", row["queue_id"]).returncode == 0
    destination.wait_for(1)
    gateway.wait_queue(0)


def test_but_bounced_when_there_is_no_such_mailbox(world, destination, tmp_path):
    relay = world.destination()
    gateway = gateway_with_relay(world, destination, relay)
    destination.on("rcpt", {"gone@example.test": "550 5.1.1 No such user"})
    import_unfiltered(gateway, tmp_path / "in", "gone@example.test")
    bounce = parse(relay.wait_for(1)[0])
    assert set(bounce.recipients) == {"gone@example.test"}
    gateway.wait_queue(0)


def test_nor_that_if_bounces_of_unfiltered_mail_are_suppressed(world, destination, tmp_path):
    relay = world.destination()
    gateway = gateway_with_relay(world, destination, relay, bounces={"suppress": ["unfiltered", "spam"]})
    destination.on("rcpt", {"gone@example.test": "550 5.1.1 No such user"})
    import_unfiltered(gateway, tmp_path / "in", "gone@example.test")
    gateway.wait_log("qmgr", "sender not notified: it skipped the filters", 20)
    gateway.wait_queue(0)
    assert not relay.messages
