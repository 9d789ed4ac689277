"""Issue 2, item 4: one message with several recipients goes in one transaction, each outcome kept apart; and the
schedule of a destination that is up and tempfails."""

import datetime
import time

from support.waiting import until

BODY = b"Subject: several\r\n\r\nx\r\n"


def send_to(gateway, recipients):
    with gateway.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        assert all(client.rcpt(recipient).code == 250 for recipient in recipients)
        assert client.data(BODY).text.startswith("250 2.0.0 Ok: queued as ")


def addresses(row):
    return {r["address"] for r in row["recipients"]}


def test_each_recipients_outcome_is_kept_apart(world, destination):
    names = ["good", "busy", "other"]
    gateway = world.gateway(destination, local=names)
    gateway.wait_probed()
    destination.close()
    gateway.wait_state("down")
    send_to(gateway, [f"{name}@example.test" for name in names])
    gateway.wait_queue(1)
    destination.on("rcpt", {"busy@example.test": "450 4.2.1 Busy just now"}).start()
    (first,) = destination.wait_for(1)
    assert first.recipients == ["good@example.test", "other@example.test"]
    row = until(lambda: next((r for r in gateway.queue() if addresses(r) == {"busy@example.test"}), None),
                "only the busy one is left")
    assert "450 4.2.1 Busy just now" in row["recipients"][0]["delay_reason"]
    assert 1 <= row["attempts"] <= sum("busy@example.test" in command.text for command in destination.commands)
    destination.behave()
    assert gateway.ctl("queue", "retry", row["queue_id"]).returncode == 0
    assert destination.wait_for(2)[1].recipients == ["busy@example.test"]
    gateway.wait_queue(0)


def test_a_refused_recipient_does_not_vanish(world, destination):
    """Its sender hears of it (test_bounces.py has the rest)."""
    relay = world.destination()
    gateway = world.gateway(destination, local=["good", "gone"], settings={"bounces": {"relay": relay.server}})
    gateway.wait_probed()
    destination.close()
    gateway.wait_state("down")
    send_to(gateway, ["good@example.test", "gone@example.test"])
    gateway.wait_queue(1)
    destination.on("rcpt", {"gone@example.test": "550 5.1.1 No such user"}).start()
    assert destination.wait_for(1)[0].recipients == ["good@example.test"]
    (bounce,) = relay.wait_for(1)
    assert bounce.sender == "" and bounce.recipients == ["a@client.test"]
    assert b"Final-Recipient: rfc822; gone@example.test" in bounce.content
    gateway.wait_queue(0)
    gateway.wait_state("up")


def test_the_default_schedule(gateway, destination):
    """Up, and tempfails: every 15 minutes at first."""
    destination.on("dot", "451 4.3.0 Try later")
    assert gateway.send("local@example.test").text.startswith("250 2.0.0 Ok: queued as ")
    row = until(lambda: next((r for r in gateway.queue() if r["attempts"] >= 1), None), "it is scheduled")
    when = row["next_attempt"]
    if isinstance(when, str):
        when = datetime.datetime.fromisoformat(when.replace("Z", "+00:00")).timestamp()
    assert 10 * 60 < when - time.time() < 20 * 60, "about a quarter of an hour, with jitter"
    assert gateway.state() in ("up", "draining")


def test_a_schedule_of_ones_own(world, destination):
    gateway = world.gateway(destinations={"office": {"servers": [destination.server],
                                                     "retry": [{"until": "1h", "every": "2s"}]}})
    gateway.wait_probed()
    destination.on("dot", "451 4.3.0 Try later")
    assert gateway.send("local@example.test", content=BODY).text.startswith("250 2.0.0 Ok: queued as ")
    until(lambda: len(destination.content_seen) >= 3, "it is tried again and again", 30)
    destination.behave()
    assert destination.wait_for(1, 30)[0].body == BODY
    gateway.wait_queue(0)
