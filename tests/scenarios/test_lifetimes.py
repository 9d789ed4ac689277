"""Issue 3, "Lifetimes": schedules, expiry, warnings, frozen mail's end, on time and whatever happens."""

import email
import time

import pytest

from support.waiting import holds, patient, until

FULL = "452 4.2.2 Mailbox full"  # speaks of the mailbox only: the destination is not slowed down by it


def seconds(count):
    """As a setting: more for a slow build, which is not yet ready with one thing when the next is due."""
    return f"{patient(count):g}s"


def lasting(count, every=None, **more):
    return {"retry": [{"until": seconds(count), "every": every or seconds(1)}], **more}


class Setting:
    """A gateway in front of one destination, and a relay that takes its bounces."""

    def __init__(self, world, settings=None, start=True, **destination_settings):
        self.relay = world.destination()
        self.destination = world.destination()
        self.gateway = world.gateway(
            destinations={"office": {"servers": [self.destination.server], **destination_settings}},
            settings={"bounces": {"relay": self.relay.server}, **(settings or {})})
        self.gateway.wait_probed()

    def down(self):
        self.destination.close()
        self.gateway.wait_state("down")

    def send(self, **options):
        """Returns when it was taken, once it is in the queue."""
        reply = self.gateway.send("local@example.test", **options)
        assert reply.code == 250 and "queued as" in reply.text, reply
        taken = time.monotonic()
        self.id = reply.text.rsplit(" ", 1)[1]
        until(self.row, "it is in the queue")
        return taken

    def row(self):
        return next((row for row in self.gateway.queue() if row["queue_id"] == self.id), None)

    def attempts(self):
        """When the local recipient was tried, but for the session in which it was taken."""
        return [c.at for c in self.destination.commands if "local@example.test" in c.text.lower()][1:]


@pytest.fixture
def setting(world):
    return lambda *args, **options: Setting(world, *args, **options)


def report(message):
    """A bounce as a MIME message, and its delivery-status as text."""
    mime = email.message_from_bytes(message.body)
    assert mime.get_content_type() == "multipart/report", mime.get_content_type()
    return mime, mime.get_payload()[1].as_string()


def test_attempts_follow_the_schedule_and_end_with_it(setting):
    s = setting(retry=[{"until": seconds(3), "every": seconds(1)}, {"until": seconds(12), "start": seconds(1), "factor": 2}], retry_jitter=0)
    s.destination.on("rcpt", {"local@example.test": FULL})
    begin = s.send()
    until(lambda: s.relay.messages, "it has expired", 30)
    ages = [at - begin for at in s.attempts()]
    # At once, 1, 2, 3; then after 1, 2, 4 s: 4, 6, 10; the next is cut at the end, just before 12 s.
    wanted = [patient(at) for at in (0, 1, 2, 3, 4, 6, 10, 11.2)]
    assert len(ages) == len(wanted), ages
    for age, want in zip(ages, wanted):
        assert -0.3 <= age - want <= patient(1.2), f"{ages} instead of {wanted}"
    assert patient(11.5) <= s.relay.messages[0].at - begin <= patient(15), "given up when its time was over"
    s.gateway.wait_queue(0)


def test_jitter_moves_the_waits(setting):
    s = setting(**lasting(60, every=seconds(4), retry_jitter=50))
    s.destination.on("rcpt", {"local@example.test": FULL})
    for _ in range(12):
        s.send()
    until(lambda: len(s.attempts()) >= 12 + 11 + 12, "each has been tried at once and again", 40)
    first = {row["queue_id"]: row["next_attempt"] for row in s.gateway.queue()}
    # Twelve equal chances between 2 and 6 s that would all fall into the same second: less than one in 10^6.
    assert len(set(first.values())) > 1


def test_mail_expires_on_time_while_its_destination_is_down(setting):
    s = setting(**lasting(4))
    s.down()
    begin = s.send(sender="boss@elsewhere.test")
    bounce = until(lambda: s.relay.messages, "the sender hears of it", 20)[0]
    assert patient(3.5) <= bounce.at - begin <= patient(8)
    assert (bounce.sender, bounce.recipients) == ("", ["boss@elsewhere.test"])
    mime, status = report(bounce)
    assert "Status: 5.4.7" in status and "Action: failed" in status and "local@example.test" in status
    s.gateway.wait_queue(0)
    s.gateway.wait_log("qmgr", f"{s.id}: from=<boss@elsewhere.test>, status=expired, returned to sender")
    s.gateway.wait_log("qmgr", f"{s.id}: removed")
    assert s.attempts() == [], "a destination that is down gets none"
    holds(lambda: len(s.relay.messages) == 1, "told once", 2)


def test_an_outage_counts_no_attempts_and_then_all_is_due_at_once(setting):
    s = setting(retry=[{"until": "1h", "every": "30m"}])
    s.down()
    s.send()
    row = s.row()
    assert row["attempts"] == 0
    assert 3000 < row["expires"] - time.time() <= 3600
    s.destination.start()
    s.destination.wait_for(1, 20)


def test_a_delay_is_told_once_and_then_the_failure(setting):
    s = setting({"delay_warning": seconds(2)}, **lasting(8))
    s.down()
    begin = s.send(sender="boss@elsewhere.test")
    notice = until(lambda: s.relay.messages, "the sender hears of the delay", 20)[0]
    assert patient(1.5) <= notice.at - begin <= patient(6)
    _, status = report(notice)
    assert "Action: delayed" in status and "Will-Retry-Until:" in status
    assert s.row() is not None, "it is still tried"
    until(lambda: len(s.relay.messages) == 2, "and then of the failure", 20)
    _, status = report(s.relay.messages[1])
    assert "Action: failed" in status
    s.gateway.wait_queue(0)
    holds(lambda: len(s.relay.messages) == 2, "nothing more", 2)


def test_no_delay_is_told_without_the_setting_nor_to_nobody(setting):
    quiet, null = setting(**lasting(60)), setting({"delay_warning": "1s"}, **lasting(60))
    for s in (quiet, null):
        s.down()
    quiet.send()
    null.send(sender="")
    holds(lambda: not quiet.relay.messages and not null.relay.messages, "no notice", 3)


def test_a_null_senders_message_is_frozen_and_then_deleted(setting):
    s = setting({"frozen": {"keep": seconds(3)}}, **lasting(2))
    s.down()
    s.send(sender="")
    until(lambda: (row := s.row()) and row["queue_name"] == "frozen", "it is frozen", 15)
    s.gateway.wait_log("qmgr", "event=frozen")
    s.gateway.wait_queue(0, 15)
    s.gateway.wait_log("qmgr", "event=discarded")
    assert s.relay.messages == []


def test_who_is_given_more_time_has_it(setting):
    s = setting(**lasting(4))
    s.down()
    s.send()
    assert s.gateway.json("queue", "extend", s.id, "--by", "1h")[0]["changed"] == 1
    holds(lambda: s.row() is not None and not s.relay.messages, "it is kept", patient(6))
    s.destination.start()
    s.destination.wait_for(1)
    s.gateway.wait_queue(0)


def test_held_mail_does_not_expire_and_gets_its_attempt_when_released(setting):
    s = setting(**lasting(3))
    s.down()
    s.send()
    assert s.gateway.ctl("queue", "hold", s.id).returncode == 0
    holds(lambda: s.row() and s.row()["queue_name"] == "held", "held mail stays", patient(5))
    s.destination.start()
    s.gateway.wait_state("up", "draining")
    assert s.gateway.ctl("queue", "release", s.id).returncode == 0
    s.destination.wait_for(1)
    assert s.relay.messages == []


@pytest.mark.parametrize("how", ["reload", "restart"])
def test_another_lifetime_counts_for_what_is_kept_already(setting, how):
    s = setting(**lasting(3600, every="15m"))
    s.down()
    s.send()
    first = s.row()["expires"]
    own = s.id
    s.send()
    assert s.gateway.ctl("queue", "extend", s.id, "--by", "2h").returncode == 0
    s.gateway.config["destinations"]["office"].update(lasting(3))
    if how == "reload":
        s.gateway.reload()
    else:
        s.gateway.stop()
        s.gateway.write_config()
        s.gateway.start()
    until(lambda: len(s.gateway.queue()) == 1, "the first is given up", 20)
    assert s.row() is not None, "an admin's word stands"
    assert s.gateway.log("qmgr").count("status=expired") == 1
    assert f"{own}: from=<sender@client.test>, status=expired" in s.gateway.log("qmgr")
    assert first - time.time() > 3000, "by the first configuration it had long to live"


def test_expiry_outlives_qmgr(setting):
    s = setting(**lasting(6))
    s.down()
    begin = s.send()
    s.gateway.wait_queue(1)
    s.gateway.wait_restarted("qmgr", s.gateway.kill("qmgr"))
    bounce = until(lambda: s.relay.messages, "it has expired", 20)[0]
    assert patient(5.5) <= bounce.at - begin <= patient(12)


def test_an_admin_hears_that_mail_expires_soon(setting):
    s = setting(**lasting(3600, every="15m"))
    s.down()
    s.send()
    assert "mail_expires_soon" not in s.gateway.log("qmgr")
    s.gateway.config["destinations"]["office"].update(lasting(20, every="15m"))
    s.gateway.reload()
    # Once half of its life is over; looked for once a minute, and after a reload.
    holds(lambda: s.row(), "it is kept", 1)
    until(lambda: time.time() >= s.row()["arrival_time"] + patient(11), "half of its life is over", 20)
    s.gateway.reload()
    s.gateway.wait_log("qmgr", 'event=mail_expires_soon destination="office"')
    assert s.gateway.log("qmgr").count("event=mail_expires_soon") == 1
