"""Issue 2, "a half-restored server": it answers, and is not whole yet. Nothing may be bounced or forgotten."""

import pytest

from many import fill, numbered, subjects
from support.destination import DROP
from support.waiting import holds, until

LEARNT = [f"learnt{n}@example.test" for n in range(4)]


def refuses_all_recipients(destination):
    destination.on("rcpt", "550 5.1.1 No such user here")


def refuses_at_mail(destination):
    destination.on("mail", "550 5.7.1 No mail today")


def refuses_real_senders_at_mail(destination):
    """Probes come from <>, so that they pass."""
    destination.on("mail", lambda session, sender: "550 5.7.1 No mail today" if sender else None)


def banner_554(destination):
    destination.on("banner", "554 5.3.2 No SMTP service here")


def disk_full_at_mail(destination):
    destination.on("mail", "452 4.3.1 Insufficient system storage")


def tempfails_everything(destination):
    for stage in ("mail", "rcpt", "data", "dot", "rset"):
        destination.on(stage, "451 4.3.0 Try later")


def tempfails_recipients(destination):
    destination.on("rcpt", "451 4.3.0 Temporary lookup failure")


def drops_at_mail(destination):
    destination.on("mail", lambda session, sender: DROP if sender else None)


CASES = [refuses_all_recipients, refuses_at_mail, refuses_real_senders_at_mail, banner_554, disk_full_at_mail,
         tempfails_everything, tempfails_recipients, drops_at_mail]


@pytest.mark.parametrize("half", CASES, ids=lambda f: f.__name__)
def test_all_stays_queued_until_it_is_whole(gateway, destination, half):
    gateway.teach(destination, *LEARNT)
    before = len(destination.messages)
    destination.close()
    gateway.wait_state("down")
    for number, recipient in enumerate(LEARNT):
        fill(gateway, 6, recipient=recipient, prefix=f"to {number}")
    gateway.wait_queue(24)

    half(destination)
    destination.start()
    seen = len(destination.commands)
    until(lambda: destination.connections > 1 and len(destination.commands) >= seen, "it is looked at")

    def all_is_kept():
        return len(gateway.queue()) == 24 and set(LEARNT) <= gateway.learnt() and gateway.state() != "up"
    holds(all_is_kept, "24 queued, all recipients known, not up", 8)
    row = gateway.destination()
    assert row["state"] in ("down", "draining") and row["reason"], row

    destination.behave()
    destination.cut()
    messages = destination.wait_for(before + 24, 60)[before:]
    gateway.wait_queue(0, 30)
    gateway.wait_state("up")
    expected = {}
    for number in range(4):
        expected |= numbered(6, f"to {number}")
    assert subjects(messages) == expected
    assert set(LEARNT) <= gateway.learnt()
    logs = "".join(gateway.logs().values())
    assert "status=bounced" not in logs and "returned to sender" not in logs


def test_refuses_known_recipients_is_the_reason(gateway, destination):
    gateway.teach(destination, *LEARNT)
    destination.close()
    gateway.wait_state("down")
    for recipient in LEARNT:
        fill(gateway, 3, recipient=recipient)
    destination.on("rcpt", "550 5.1.1 No such user here").start()
    until(lambda: "refuses known recipients" in gateway.destination()["reason"], "the state says so", 30, every=0.2)
    destination.behave()
    gateway.wait_state("up", timeout=40)
    gateway.wait_queue(0)


@pytest.mark.parametrize("what, end", [("554 5.6.0 I choke on this content", "frozen"), (DROP, "held")],
                         ids=["refused", "kills the connection"])
def test_a_poisonous_canary_does_not_stop_the_rest(world, destination, what, end):
    gateway = world.gateway(destinations={"office": {"servers": [destination.server],
                                                     "retry": [{"until": "1h", "every": "1s"}]}})
    gateway.wait_probed()
    destination.close()
    gateway.wait_state("down")
    assert gateway.send("local@example.test", content=b"Subject: poison\r\n\r\nx\r\n").code == 250
    fill(gateway, 50)
    gateway.wait_queue(51)
    destination.on("dot", lambda session, message: what if b"poison" in message.content else None)
    destination.start()
    messages = destination.wait_for(50, 40)
    assert subjects(messages) == numbered(50)
    gateway.wait_queue(1, 30)
    # Refused for its content: bounced, and nobody takes the bounce. Lost three times: held, with the reason.
    until(lambda: [r["queue_name"] for r in gateway.queue()] == [end], f"it is {end}", 30, every=0.1)
    (row,) = gateway.queue()
    assert row["recipients"][0]["delay_reason"]
    gateway.wait_state("up")


def test_poison_behind_others_is_held_too(gateway, destination):
    destination.close()
    gateway.wait_state("down")
    fill(gateway, 30)
    assert gateway.send("local@example.test", content=b"Subject: poison\r\n\r\nx\r\n").code == 250
    fill(gateway, 30, prefix="later")
    destination.on("dot", lambda session, message: DROP if b"poison" in message.content else None)
    destination.start()
    messages = destination.wait_for(60, 60)
    assert subjects(messages) == numbered(30) | numbered(30, "later")
