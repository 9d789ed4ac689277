"""Issue 7: filters in smtpd, by a scripted one: each answer and each change, its failures, and the bypass while down."""

import pytest

from support import milter
from support.milter import CLOSE, HANG, Milter, packet
from support.waiting import until

BODY = b"Subject: x\r\nX-Old: 1\r\n\r\nbody\r\n.dot\r\n"


@pytest.fixture
def filter_():
    made = Milter()
    yield made
    made.close()


def gateway_with(world, destination, *filters, **more):
    settings = {"filters": [{"name": f"f{i}", "milter": f.where, **more} for i, f in enumerate(filters)]}
    made = world.gateway(destination, settings=settings)
    made.wait_probed()
    return made


def test_it_hears_all_stages_and_changes_nothing(world, destination, filter_):
    gateway = gateway_with(world, destination, filter_)
    assert gateway.send("local@example.test", content=BODY).code == 250
    message = destination.wait_for(1)[0]
    assert message.body == BODY
    assert filter_.stages() == ["connect", "helo", "mail", "rcpt", "data", "header", "header", "eoh", "body", "end"]
    assert dict(filter_.heard)["body"] == b"body\r\n.dot\r\n"
    assert filter_.macros["j"] == "mx.example.test" and filter_.macros["{client_addr}"] == "127.0.0.1"
    assert filter_.macros["{rcpt_addr}"] == "local@example.test" and filter_.macros["i"]


@pytest.mark.parametrize("stage", ["connect", "helo", "mail", "rcpt"])
@pytest.mark.parametrize("words", ["550 5.7.1 Not from you", "451 4.7.1 Come again"])
def test_a_refusal_before_the_content_is_the_answer_to_rcpt(world, destination, filter_, stage, words):
    filter_.on(stage, milter.reply(words))
    gateway = gateway_with(world, destination, filter_)
    with gateway.client() as client:
        client.ehlo()
        assert client.mail("a@client.test").code == 250
        reply = client.rcpt("local@example.test")
    assert f"{reply.code} {reply.lines[-1]}" == words
    gateway.wait_log("smtpd", "NOQUEUE: milter-reject: RCPT from ")
    assert not destination.saw("RCPT TO:<local@")


@pytest.mark.parametrize("stage", ["data", "header", "eoh", "body", "end"])
def test_a_refusal_of_the_content_is_the_answer_to_the_dot(world, destination, filter_, stage):
    filter_.on(stage, milter.reply("554 5.7.1 Spam"))
    gateway = gateway_with(world, destination, filter_)
    reply = gateway.send("local@example.test", content=BODY)
    assert (reply.code, reply.lines[-1]) == (554, "5.7.1 Spam")
    gateway.wait_log("smtpd", ": milter-reject: END-OF-MESSAGE from ")
    assert destination.messages == [] and gateway.queue() == []


def test_header_and_body_are_changed(world, destination, filter_):
    filter_.on("end", milter.insert_header("X-Top", "t") + milter.add_header("X-End", "e") + milter.change_header("X-Old", "2") +
               milter.replace_body(b"new\n.line\n"))
    gateway = gateway_with(world, destination, filter_)
    assert gateway.send("local@example.test", content=BODY).code == 250
    head, _, rest = destination.wait_for(1)[0].content.partition(b"\r\n\r\n")
    assert head.startswith(b"Received: ") and head.endswith(b"X-Top: t\r\nSubject: x\r\nX-Old: 2\r\nX-End: e")
    assert rest == b"new\r\n.line\r\n"


def test_two_in_their_order(world, destination, filter_):
    second = Milter()
    try:
        filter_.on("end", milter.add_header("X-First", "1"))
        gateway = gateway_with(world, destination, filter_, second)
        assert gateway.send("local@example.test", content=BODY).code == 250
        assert any(data.startswith(b"X-First\0") for stage, data in second.heard if stage == "header")
        assert not any(data.startswith(b"X-First\0") for stage, data in filter_.heard if stage == "header")
    finally:
        second.close()


@pytest.mark.parametrize("stage", ["mail", "rcpt", "end"])
def test_discard(world, destination, filter_, stage):
    filter_.on(stage, packet("d"))
    gateway = gateway_with(world, destination, filter_)
    assert gateway.send("local@example.test", content=BODY).code == 250
    gateway.wait_log("smtpd", "milter-discard: ")
    assert destination.messages == [] and gateway.queue() == []


def test_quarantine_is_held(world, destination, filter_):
    filter_.on("end", milter.quarantine("looks bad"))
    gateway = gateway_with(world, destination, filter_)
    assert gateway.send("local@example.test", content=BODY).code == 250
    gateway.wait_queue(1)
    assert gateway.queue()[0]["queue_name"] == "held"
    assert destination.messages == []
    gateway.wait_log("smtpd", "milter-hold: ")


def test_the_envelope_is_changed(world, destination, filter_):
    filter_.on("end", milter.add_rcpt("copy@example.test") + milter.delete_rcpt("local@example.test") + milter.change_from("new@client.test"))
    gateway = gateway_with(world, destination, filter_)
    assert gateway.send("local@example.test", content=BODY).code == 250
    message = destination.wait_for(1)[0]
    assert message.sender == "new@client.test" and message.recipients == ["copy@example.test"]


@pytest.mark.parametrize("failure", ["closes", "lies", "hangs", "is not there"])
@pytest.mark.parametrize("choice, code", [("tempfail", 451), ("accept", 250), ("reject", 550)])
def test_failures(world, destination, filter_, failure, choice, code):
    filter_.on("mail", {"closes": CLOSE, "lies": packet("Z"), "hangs": HANG}.get(failure))
    if failure == "is not there":
        filter_.close()
    gateway = gateway_with(world, destination, filter_, on_failure=choice, timeouts={"command": "1s", "connect": "2s"})
    with gateway.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        assert client.rcpt("local@example.test").code == code
    gateway.wait_log("smtpd", "filter f0: ")


def test_shutdown_closes_the_connection(world, destination, filter_):
    filter_.on("rcpt", packet("4"))
    gateway = gateway_with(world, destination, filter_)
    with gateway.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        assert client.rcpt("local@example.test").code == 421


def test_bypassed_while_down_and_back_afterwards(world, destination, filter_):
    filter_.on("rcpt", milter.reply("550 5.7.1 No"))
    gateway = world.gateway(destination, settings={"filters": [{"name": "f", "milter": filter_.where}],
                                                   "while_down": {"rescan_on_drain": False}})
    gateway.wait_probed()
    assert gateway.send("local@example.test").code == 550
    destination.close()
    gateway.wait_state("down")
    before = len(filter_.heard)
    assert gateway.send("local@example.test", content=BODY).code == 250
    assert len(filter_.heard) == before
    gateway.wait_log("smtpd", "unfiltered: kept without asking the filters")
    destination.start()
    assert destination.wait_for(1)[0].body.startswith(b"X-Holdfast-Unfiltered: yes\r\n")
    gateway.wait_state("up")
    until(lambda: gateway.send("local@example.test").code == 550, "the filter is asked again")


def test_run_asks_them_while_down(world, destination, filter_):
    filter_.on("rcpt", milter.reply("550 5.7.1 No"))
    gateway = world.gateway(destination, settings={"filters": [{"name": "f", "milter": filter_.where}], "while_down": {"filtering": "run"}})
    gateway.wait_probed()
    destination.close()
    gateway.wait_state("down")
    assert gateway.send("local@example.test", content=BODY).code == 550
