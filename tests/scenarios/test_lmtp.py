"""Issue 5, item 6: destinations that speak LMTP (decision 12). Dovecot's own server, Python's, and a scripted one."""

import asyncio
import threading

import pytest

from bounced import QUICKLY, parse
from support import ports
from support.destination import DROP
from support.dovecot import DovecotLmtp
from support.peers import pflogsumm
from support.waiting import holds, until


def lmtp_gateway(world, server, **options):
    gateway = world.gateway(destinations={"office": {"servers": [server], "protocol": "lmtp", "retry": QUICKLY}},
                            local=("bob", "local"), **options)
    gateway.wait_probed()
    return gateway


def send_to(gateway, *recipients, sender="a@client.test", content=b"Subject: x\r\n\r\n.dot\r\n"):
    with gateway.client() as client:
        client.ehlo()
        client.mail(sender)
        for recipient in recipients:
            assert client.rcpt(recipient).code == 250
        return client.data(content)


def bodies(mails):
    return [mail.split(b"\n\n", 1)[1] for mail in mails]


@pytest.fixture
def dovecot(world):
    return world.keep(DovecotLmtp()).start()


def test_dovecot_live_and_drained(world, dovecot):
    gateway = lmtp_gateway(world, dovecot.server)
    answer = send_to(gateway, "local@example.test")
    assert answer.text.startswith("250 2.0.0 <local@example.test> ") and answer.text.endswith(" Saved")
    with gateway.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        assert client.rcpt("nosuch@example.test").text.startswith("550 5.1.1 <nosuch@example.test>")
    assert send_to(gateway, "local@example.test", "bob@example.test").code == 250
    dovecot.close()
    gateway.wait_state("down")
    assert "queued as" in send_to(gateway, "local@example.test", "bob@example.test").text
    gateway.wait_queue(1)
    dovecot.start()
    gateway.wait_queue(0)
    assert bodies(dovecot.mail("local")) == [b".dot\n"] * 3
    assert bodies(dovecot.mail("bob")) == [b".dot\n"] * 2
    assert "with LMTP" in dovecot.mail("bob")[0].decode()
    gateway.wait_state("up")


@pytest.mark.parametrize("kept", [False, True], ids=["live", "kept"])
def test_dovecot_cannot_store_one_of_two(world, dovecot, kept):
    """Who has it has it once; who has it not gets it when his mailbox is mended."""
    gateway = lmtp_gateway(world, dovecot.server)
    if kept:
        dovecot.close()
        gateway.wait_state("down")
        assert "queued as" in send_to(gateway, "local@example.test", "bob@example.test").text
        gateway.wait_queue(1)
    dovecot.break_mailbox("bob")
    if kept:
        dovecot.start()
    else:
        assert "queued as" in send_to(gateway, "local@example.test", "bob@example.test").text
    until(lambda: dovecot.mail("local"), "the one has it", 30)
    def left():
        return [(row["recipients"][0]["address"], row["recipients"][0].get("delay_reason", "")) for row in gateway.queue()
                if len(row["recipients"]) == 1]
    until(lambda: left() and left()[0][0] == "bob@example.test" and "451 4.2.0" in left()[0][1], "the other waits", 20)
    dovecot.mend_mailbox("bob")
    until(lambda: dovecot.mail("bob"), "the other has it", 30)
    gateway.wait_queue(0)
    assert len(dovecot.mail("local")) == len(dovecot.mail("bob")) == 1
    gateway.wait_state("up")


def test_all_of_one_mind_answer_the_sender(world, destination):
    gateway = lmtp_gateway(world, destination.server)
    two = ("local@example.test", "bob@example.test")
    assert send_to(gateway, *two).text == "250 2.0.0 Taken"
    destination.on("dot", "554 5.7.1 Spam")
    assert send_to(gateway, *two).text == "554 5.7.1 Spam"
    assert gateway.queue() == []
    destination.on("dot", "451 4.3.0 Not now")
    assert "queued as" in send_to(gateway, *two).text
    destination.behave()
    (_, message) = destination.wait_for(2)
    assert message.recipients == list(two)
    gateway.wait_queue(0)
    assert destination.saw("EHLO") == [] and destination.saw("LHLO")


def test_one_takes_it_and_one_refuses_it(world, destination):
    """The sender hears 250 and then, of the one who refused it again, by a report."""
    gateway = lmtp_gateway(world, destination.server)
    destination.on("dot", {"bob@example.test": "554 5.7.1 No", None: "250 2.0.0 Taken"})
    content = b"Subject: to two\r\n\r\nx\r\n"
    answer = send_to(gateway, "bob@example.test", "local@example.test", sender="local@example.test", content=content)
    assert "queued as" in answer.text
    (first, report) = destination.wait_for(2, 40)
    assert first.recipients == ["local@example.test"] and first.body == content
    told = parse(report)
    assert list(told.recipients) == ["bob@example.test"]
    assert told.recipients["bob@example.test"]["Status"] == "5.7.1"
    gateway.wait_queue(0)
    identity = answer.text.rsplit(" ", 1)[1]
    gateway.wait_log("smtpd", f"{identity}: kept for 1 of 2 recipients")
    totals = pflogsumm(*(gateway.folder / "log").glob("*.log"))
    assert (totals["received"], totals["delivered"], totals["bounced"]) == (1, 2, 1), "the report is delivered, too"


def test_lost_between_two_answers(world, destination):
    gateway = lmtp_gateway(world, destination.server)
    destination.on("dot", {"bob@example.test": DROP, None: "250 2.0.0 Taken"})
    assert "queued as" in send_to(gateway, "local@example.test", "bob@example.test").text
    destination.behave()
    gateway.wait_queue(0)
    assert [m.recipients for m in destination.wait_for(2)] == [["local@example.test"], ["bob@example.test"]]
    gateway.wait_log("smtpd", "possible duplicate")


class PythonLmtp:
    """aiosmtpd's, which answers the dot once: for one recipient that is LMTP."""

    def __init__(self):
        LMTP = pytest.importorskip("aiosmtpd.lmtp", reason="python3-aiosmtpd is not installed").LMTP
        self.port, self.messages = ports.free_port(), []
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        handler = self

        async def serve():
            self.server = await self.loop.create_server(lambda: LMTP(handler, hostname="python.test", loop=self.loop),
                                                        "127.0.0.1", self.port)
        asyncio.run_coroutine_threadsafe(serve(), self.loop).result(10)

    async def handle_DATA(self, server, session, envelope):
        self.messages.append((envelope.rcpt_tos, envelope.content))
        return "250 2.0.0 Python has it"

    def stop(self):
        self.loop.call_soon_threadsafe(self.server.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


def test_python(world):
    peer = world.keep(PythonLmtp())
    gateway = lmtp_gateway(world, f"127.0.0.1:{peer.port}")
    assert send_to(gateway, "local@example.test").text == "250 2.0.0 Python has it"
    ((recipients, content),) = peer.messages
    assert recipients == ["local@example.test"] and content.endswith(b"Subject: x\r\n\r\n.dot\r\n")


def test_a_server_that_speaks_smtp_only_is_down(world, destination):
    destination.on("ehlo", "500 5.5.1 I speak SMTP only")  # LHLO too
    gateway = world.gateway(destinations={"office": {"servers": [destination.server], "protocol": "lmtp",
                                                     "probe": {"interval": "1s", "down_after": 1}}})
    gateway.wait_state("down")
    assert "LHLO" in destination.saw("LHLO")[0].text and destination.saw("HELO") == []
    assert "500 5.5.1" in gateway.destination()["reason"]
    holds(lambda: gateway.state() == "down", "it stays so", 1.5)
