"""Issue 2, "down": whatever way the destination fails, known recipients' mail is kept, and nothing is lost or
doubled when it is back."""

import pytest

from support.destination import DROP, HANG, Cut
from support.smtp_client import send
from support.waiting import holds, until

# Hanging servers are waited for, for less long than the defaults' 20 s and 5 min.
TIMEOUTS = {"connect": "1s", "command": "3s", "dot": "2s"}


def refused(destination):
    destination.close()


def silent(destination):
    destination.silence()


def hangs_after_connect(destination):
    destination.on("banner", HANG)
    destination.cut()


def hangs_after_the_dot(destination):
    destination.on("dot", HANG)


def banner_421(destination):
    destination.on("banner", "421 4.3.2 Shutting down")
    destination.cut()


def closes_in_mid_data(destination):
    destination.on("content", Cut(500))


def drops_after_the_dot(destination):
    destination.on("dot", DROP)


def tempfails_after_the_dot(destination):
    destination.on("dot", "451 4.3.0 Queue file write error")


def tempfails_data(destination):
    destination.on("data", "451 4.3.0 Not now")


def tempfails_all_recipients(destination):
    destination.on("rcpt", "451 4.3.0 Temporary lookup failure")


def tempfails_mail(destination):
    destination.on("mail", lambda session, sender: "452 4.3.1 Insufficient system storage")


def speaks_garbage(destination):
    destination.on("banner", b"\x00\xffHTTP/1.1 400 Bad Request\r\n\r\n")
    destination.cut()


# Those in which no recipient can be asked: an unknown one gets our own 451.
DEAD = [refused, silent, hangs_after_connect, banner_421, speaks_garbage]
# Those that fail later, or in part: unknown recipients get the destination's own answer.
AILING = [hangs_after_the_dot, closes_in_mid_data, drops_after_the_dot, tempfails_after_the_dot, tempfails_data,
          tempfails_all_recipients, tempfails_mail]


@pytest.fixture
def office(world, destination):
    gateway = world.gateway(destination, destinations={"office": {"servers": [destination.server], "timeouts": TIMEOUTS}})
    gateway.wait_probed()
    return gateway


def subjects(messages):
    return sorted(line for m in messages for line in m.content.split(b"\r\n") if line.startswith(b"Subject: "))


@pytest.mark.parametrize("fail", DEAD + AILING, ids=lambda f: f.__name__)
def test_known_mail_is_kept_and_arrives_once(office, destination, fail):
    office.teach(destination, "learnt@example.test")
    already = len(destination.messages)
    fail(destination)

    bodies = []
    for number, recipient in enumerate(["learnt@example.test", "local@example.test", "Postmaster@example.test"]):
        body = f"Subject: kept {number}\r\n\r\n".encode() + b"text\r\n" * 500
        reply, _ = send(office.port, "a@client.test", recipient, body)
        assert reply.code == 250, reply
        assert reply.text.startswith("250 2.0.0 Ok: queued as ")
        bodies.append(body)
    if fail in DEAD:
        _, (stranger, foreign) = send(office.port, "a@client.test", ["stranger@example.test", "x@elsewhere.test"])
        assert stranger.text.startswith("451 4.4.1 ")
        assert foreign.text.startswith("554 5.7.1 ")
    queue = office.wait_queue(3)
    assert {row["sender"] for row in queue} == {"a@client.test"}
    assert {r["address"] for row in queue for r in row["recipients"]} == {
        "learnt@example.test", "local@example.test", "Postmaster@example.test"}
    assert all(row["message_size"] > 3000 and row["destination"] == "office" and row["domain"] == "example.test"
               for row in queue)
    assert len(destination.messages) == already

    destination.behave()
    destination.cut()
    destination.start()
    if fail in AILING:  # the retry schedule's first wait is minutes: hurry it
        def hurried():
            office.ctl("queue", "retry", "--all", "--yes")
            return len(destination.messages) >= already + 3
        until(hurried, "the mail arrives", 30, every=0.3)
    messages = destination.wait_for(already + 3, 30)[already:]
    office.wait_queue(0)
    assert sorted(m.body for m in messages) == sorted(bodies)
    office.wait_state("up")
    holds(lambda: len(destination.messages) == already + 3, "nothing comes twice", 1)
    assert {"learnt@example.test"} <= office.learnt()


def test_the_state_says_why(office, destination):
    destination.close()
    down = office.wait_state("down")
    assert "refused" in down["reason"]
    assert down["mode"] == "pass thro'"
    assert down["since"]
    shown = office.ctl("status")
    assert shown.returncode == 0 and "down" in shown.stdout and "office" in shown.stdout
    destination.start()
    up = office.wait_state("up")
    assert up["mode"] == "proxy"


def test_a_known_recipient_first_makes_the_transaction_kept(office, destination):
    """Nothing is ever both live and kept: a recipient that is refused now is refused in the same transaction."""
    office.teach(destination, "learnt@example.test")
    destination.close()
    office.wait_state("down")
    with office.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        assert client.rcpt("stranger@example.test").code == 451
        assert client.rcpt("learnt@example.test").code == 250
        assert client.rcpt("stranger@example.test").code == 451
        destination.start()
        office.wait_state("up")
        # Still the same, kept transaction, though the destination is back.
        assert client.rcpt("stranger@example.test").code == 451
        assert client.rcpt("local@example.test").code == 250
        assert client.data(b"Subject: both\r\n\r\nx\r\n").text.startswith("250 2.0.0 Ok: queued as ")
    before = len(destination.messages)
    until(lambda: len(destination.messages) > 1 or (before, None)[1], "it arrives", 20)
    message = destination.messages[-1]
    assert sorted(message.recipients) == ["learnt@example.test", "local@example.test"]


def test_a_4xx_in_a_live_transaction_is_passed_on(office, destination):
    destination.on("rcpt", {"busy@example.test": "450 4.2.1 Busy", None: "250 2.1.5 Ok"})
    office.teach(destination, "busy2@example.test")
    with office.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        assert client.rcpt("local@example.test").code == 250
        assert client.rcpt("busy@example.test").text == "450 4.2.1 Busy"
        assert client.data(b"x\r\n").text == "250 2.0.0 Taken"
    assert office.queue() == []


def test_connection_lost_between_rcpt_and_data_keeps_the_mail(office, destination):
    with office.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        assert client.rcpt("fresh@example.test").code == 250
        destination.close()
        assert client.rcpt("other@example.test").code == 451
        assert client.data(b"Subject: saved\r\n\r\nx\r\n").text.startswith("250 2.0.0 Ok: queued as ")
    office.wait_queue(1)
    destination.start()
    assert destination.wait_for(1)[0].recipients == ["fresh@example.test"]


def test_a_paused_destination_keeps_its_mail_until_it_is_resumed(office, destination):
    assert office.ctl("dest", "pause", "office", "--reason", "moving house").returncode == 0
    paused = office.wait_state("paused")
    assert "moving house" in paused["reason"]
    assert office.send("local@example.test").text.startswith("250 2.0.0 Ok: queued as ")
    assert office.send("stranger@example.test").code == 451
    office.wait_queue(1)
    holds(lambda: not destination.messages and office.state() == "paused", "nothing is sent", 3)
    assert office.ctl("dest", "resume", "office").returncode == 0
    destination.wait_for(1)
    office.wait_state("up")
    office.wait_queue(0)


def test_ehlo_offers_what_the_destination_offered(world, destination):
    """So that nothing is accepted which it would refuse later (design, section 5)."""
    destination.capabilities = ["SIZE 200000", "PIPELINING"]
    gateway = world.gateway(destination)
    gateway.wait_probed()
    destination.close()
    gateway.wait_state("down")
    body = b"x" * 98 + b"\r\n"
    assert gateway.send("local@example.test", content=body * 3000).code in (552, 554)
    assert gateway.send("local@example.test", content=body * 1000).code == 250


def test_content_that_waited_is_what_was_sent(office, destination):
    """The spool changes no byte, whatever the size."""
    destination.close()
    bodies = [b"", b"x\r\n", b".\r\n..\r\n", bytes(range(128, 256)) * 2000 + b"\r\n",
              b"".join(b"%d" % n * 20 + b"\r\n" for n in range(60000)), b"l" * 10000 + b"\r\n"]
    for body in bodies:
        assert office.send("local@example.test", content=body, params="BODY=8BITMIME").code == 250
    office.wait_queue(len(bodies))
    destination.start()
    messages = destination.wait_for(len(bodies), 30)
    assert sorted(m.body for m in messages) == sorted(bodies)
    assert all(m.received for m in messages)
    office.wait_queue(0)
    office.wait_state("up")
