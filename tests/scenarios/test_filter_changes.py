"""Issue 7: what filters change of a message, by a scripted one: header, body, envelope; and what a lying one cannot do."""

import pytest

from support import milter
from support.waiting import until

BODY = b"Subject: x\r\nX-Old: 1\r\nX-Old: 2\r\n\r\nbody\r\n.dot\r\n"


@pytest.fixture
def gateway(world, destination, filter_):
    made = world.gateway(destination, settings={"filters": [{"name": "f", "milter": filter_.where}]})
    made.wait_probed()
    return made


def test_header_and_body(gateway, destination, filter_):
    """Our Received field stays on top of all."""
    head = b"Subject: x\r\nX-Old: 1\r\nX-Old: 2\r\n"
    rest = b"\r\nbody\r\n.dot\r\n"
    for edits, content in (
        (milter.add_header("X-End", "e"), head + b"X-End: e\r\n" + rest),
        (milter.insert_header("X-Top", "t"), b"X-Top: t\r\n" + head + rest),
        (milter.insert_header("X-Second", "s", 1), b"Subject: x\r\nX-Second: s\r\n" + head[12:] + rest),
        (milter.change_header("X-Old", "new", 2), b"Subject: x\r\nX-Old: 1\r\nX-Old: new\r\n" + rest),
        (milter.change_header("x-old", ""), b"Subject: x\r\nX-Old: 2\r\n" + rest),
        (milter.change_header("X-New", "n"), head + b"X-New: n\r\n" + rest),
        (milter.add_header("X-Folded", "one\n two"), head + b"X-Folded: one\r\n two\r\n" + rest),
        (milter.replace_body(b"new\n.line\n"), head + b"\r\nnew\r\n.line\r\n"),
        (milter.replace_body(b"a" * 60_000 + b"\r\n") + milter.replace_body(b"b" * 60_000),
         head + b"\r\n" + b"a" * 60_000 + b"\r\n" + b"b" * 60_000 + b"\r\n"),
        (milter.replace_body(b""), head + b"\r\n"),
        (milter.replace_body(b"both\r\n") + milter.add_header("X-End", "e"), head + b"X-End: e\r\n\r\nboth\r\n"),
    ):
        filter_.reset(end=edits)
        before = len(destination.messages)
        assert gateway.send("local@example.test", content=BODY).code == 250
        message = destination.wait_for(before + 1)[-1]
        assert message.content.startswith(b"Received: ") and message.body == content, edits[:80]
    assert gateway.queue() == []


def test_what_lies_in_values_becomes_no_second_message(gateway, destination, filter_):
    evil = "v\r\n.\r\nMAIL FROM:<evil@client.test>\r\n\r\n.\r\n"
    filter_.on("end", milter.add_header("X-Evil", evil) +
               milter.replace_body(b"x\r\n.\r\nMAIL FROM:<evil@client.test>\n.\nQUIT\r.\r\n"))
    assert gateway.send("local@example.test", content=BODY).code == 250
    message = destination.wait_for(1)[0]
    assert message.sender == "sender@client.test" and not destination.saw("MAIL FROM:<evil")
    assert message.body.endswith(b"\r\n\r\nx\r\n.\r\nMAIL FROM:<evil@client.test>\r\n.\r\nQUIT\r\n.\r\n")
    assert b"X-Evil: v\r\n\t.\r\n\tMAIL FROM:<evil@client.test>\r\n\t.\r\n\r\n" in message.body


def test_the_envelope(gateway, destination, filter_):
    """By the queue, which hands it over at once; a recipient of whom nothing is known here goes nowhere."""
    filter_.on("end", milter.add_rcpt("copy@example.test") + milter.delete_rcpt("LOCAL@example.test") +
               milter.add_rcpt("him@elsewhere.test") + milter.change_from("new@client.test"))
    reply = gateway.send(["local@example.test", "other@example.test"], content=BODY)
    assert reply.code == 250 and "queued as" in reply.text
    message = destination.wait_for(1)[0]
    assert message.sender == "new@client.test" and sorted(message.recipients) == ["copy@example.test", "other@example.test"]
    assert message.body == BODY
    gateway.wait_log("smtpd", "a filter wants the recipient <him@elsewhere.test>, who is not of destination office: left out")
    gateway.wait_queue(0)

    # Nothing that is no address gets into the queue.
    filter_.reset(end=milter.change_from("a b@client.test") + milter.add_rcpt("x SIZE=1@example.test"))
    assert gateway.send("local@example.test", content=BODY).code == 250
    message = destination.wait_for(2)[1]
    assert message.sender == "sender@client.test" and message.recipients == ["local@example.test"]
    gateway.wait_log("smtpd", "a filter wants the sender <a b@client.test>, which is no address: left out")
    filter_.reset(end=milter.change_from("a@client.test>\r\nDATA"))
    assert gateway.send("local@example.test", content=BODY).code == 451, "a line end there is a lie"

    filter_.reset(end=milter.change_from(""))
    assert gateway.send("local@example.test", content=BODY).code == 250
    assert destination.wait_for(3)[2].sender == ""


def test_without_recipients_it_goes_nowhere(gateway, destination, filter_):
    filter_.on("end", milter.delete_rcpt("local@example.test"))
    assert gateway.send("local@example.test", content=BODY).code == 250
    gateway.wait_log("smtpd", "milter-discard: ")
    assert destination.messages == [] and gateway.queue() == []


def test_quarantine_is_held(gateway, destination, filter_):
    """Until the admin releases it: then it goes out as the filters left it."""
    filter_.on("end", milter.add_header("X-Seen", "1") + milter.quarantine("looks bad"))
    assert gateway.send("local@example.test", content=BODY).code == 250
    gateway.wait_queue(1)
    held = gateway.queue()[0]
    assert held["queue_name"] == "held" and destination.messages == []
    assert "filter: looks bad" in held["reason"]
    gateway.wait_log("smtpd", "milter-hold: END-OF-MESSAGE from ")
    assert gateway.ctl("queue", "release", held["queue_id"]).returncode == 0
    assert b"X-Seen: 1\r\n" in destination.wait_for(1)[0].body
    until(lambda: gateway.queue() == [], "it has gone")
