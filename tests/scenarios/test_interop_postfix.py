"""Issue 5, "interoperation": Postfix as a client, with a queue of its own, in front of us and Postfix as the destination
behind us: verified TLS on both roads, pipelining, SMTPUTF8, and delivery status notifications from end to end."""

import re

import pytest

from support.certificates import Certificates
from support.peers import RealPostfix, needs_root
from support.smtp_client import SmtpClient
from support.waiting import holds, until
from support.world import World

pytestmark = needs_root


class Chain:
    """client (client.test, its mail goes to us) -> gateway -> server (example.test, its reports go to the client)."""

    def __init__(self, world):
        certificates = world.keep(Certificates())
        pairs = {name: certificates.make(name) for name in ("mx.example.test", "postfix.test")}
        self.server = world.keep(RealPostfix(smtpd_tls_security_level="may", smtpd_tls_cert_file=pairs["postfix.test"]["certificate"],
                                             smtpd_tls_key_file=pairs["postfix.test"]["key"], smtpd_tls_received_header="yes"))
        self.client = world.keep(RealPostfix(mailboxes=("sender",), domain="client.test", smtp_tls_security_level="secure",
                                             smtp_tls_secure_cert_match="mx.example.test", smtp_tls_CAfile=certificates.ca,
                                             smtp_tls_loglevel="1", minimal_backoff_time="5s", queue_run_delay="5s"))
        self.server.set("transport_maps", f"inline:{{client.test=smtp:[127.0.0.1]:{self.client.port}}}")
        self.server.start()
        self.gateway = world.gateway(
            destinations={"office": {"servers": [self.server.server],
                                     "tls": {"policy": "verify", "ca_file": str(certificates.ca), "name": "postfix.test"}}},
            domains={"example.test": {"destination": "office", "local_recipients": ["bob"]}},
            settings={"tls": pairs["mx.example.test"], "bounces": {"relay": self.client.server}})
        self.gateway.wait_probed()
        self.client.set("relayhost", f"[127.0.0.1]:{self.gateway.port}")
        self.client.start()

    def send(self, recipient, mail="", rcpt="", content=b"Subject: x\r\n\r\nbody-of-it\r\n"):
        with SmtpClient(self.client.port) as smtp:
            smtp.ehlo()
            assert smtp.mail("sender@client.test", mail).code == 250
            assert smtp.command(f"RCPT TO:<{recipient}> {rcpt}".strip()).code == 250
            assert smtp.data(content).code == 250

    def reports(self, count=1):
        """What has come to the sender, when so many have."""
        until(lambda: len(self.client.mail("sender")) >= count, "the report has come", 40)
        return self.client.mail("sender")


    def forget(self):
        """For the next test: empty mailboxes, and the server is up."""
        if self.server.process is None:
            self.server.start()
        self.gateway.wait_state("up")
        for postfix in (self.client, self.server):
            for path in (postfix.folder / "mail").glob("*/new/*"):
                path.unlink()


@pytest.fixture(scope="module")
def standing():
    world = World()
    try:
        yield Chain(world)
    finally:
        world.end(failed=False)


@pytest.fixture
def chain(standing):
    standing.forget()
    return standing


def went_down(chain, kept):
    if kept:
        chain.server.close()
        chain.gateway.wait_state("down")


def came_back(chain, kept):
    if kept:
        chain.gateway.wait_queue(1)
        chain.server.start()


@pytest.mark.parametrize("kept", [False, True], ids=["live", "kept"])
def test_a_success_is_told_once_with_all_that_was_asked(chain, kept):
    went_down(chain, kept)
    chain.send("bob@example.test", "RET=HDRS ENVID=QQ+2B314", "NOTIFY=SUCCESS ORCPT=rfc822;original+2Bname@elsewhere.test")
    came_back(chain, kept)
    (report,) = chain.reports()
    assert b"Subject: Successful Mail Delivery Report" in report
    for line in (b"Original-Envelope-Id: QQ+314", b"Original-Recipient: rfc822;original+name@elsewhere.test",
                 b"Final-Recipient: rfc822; bob@example.test", b"Action: delivered", b"Status: 2.0.0"):
        assert line in report, line
    assert b"body-of-it" not in report, "RET=HDRS"
    (mail,) = chain.server.mail("bob")
    by_tls = re.findall(rb"using TLSv1.3 with cipher", mail)
    assert len(by_tls) == 2, "on both roads"
    holds(lambda: len(chain.client.mail("sender")) == 1, "one report", 2)


@pytest.mark.parametrize("kept", [False, True], ids=["live", "kept"])
def test_nobody_is_told_who_did_not_ask(chain, kept):
    went_down(chain, kept)
    chain.send("bob@example.test")
    came_back(chain, kept)
    until(lambda: chain.server.mail("bob"), "bob has it", 40)
    holds(lambda: not chain.client.mail("sender"), "no report", 2)


def test_a_refusal_is_told_by_who_heard_it(chain):
    chain.send("nobody@example.test", "RET=FULL ENVID=QQ1", "NOTIFY=FAILURE")
    (report,) = chain.reports()
    assert b"Subject: Undelivered Mail Returned to Sender" in report
    for line in (b"Original-Envelope-Id: QQ1", b"Action: failed", b"Status: 5.1.1", b"body-of-it"):
        assert line in report, line


def test_never_means_never(chain):
    chain.send("nobody@example.test", "", "NOTIFY=NEVER")
    until(lambda: "status=bounced" in chain.client.log(), "the client has heard of it")
    holds(lambda: not chain.client.mail("sender"), "no report", 2)


def test_what_we_give_up_is_told_by_us(chain):
    went_down(chain, True)
    chain.send("bob@example.test", "RET=HDRS ENVID=QQ+2B2", "NOTIFY=FAILURE ORCPT=rfc822;bob+2Bx@elsewhere.test")
    chain.gateway.wait_queue(1)
    assert chain.gateway.ctl("queue", "bounce", "--all", "--yes").returncode == 0
    (report,) = chain.reports()
    for line in (b"Original-Envelope-Id: QQ+2", b"Original-Recipient: rfc822; bob+x@elsewhere.test", b"Final-Recipient: rfc822; bob@example.test",
                 b"Action: failed", b"Reporting-MTA: dns; mx.example.test"):
        assert line in report, (line, report)
    assert b"body-of-it" not in report, "RET=HDRS"


@pytest.mark.parametrize("kept", [False, True], ids=["live", "kept"])
def test_smtputf8(chain, kept):
    went_down(chain, kept)
    chain.send("bob@example.test", "SMTPUTF8", content="Subject: Grüße\r\n\r\nä\r\n".encode())
    came_back(chain, kept)
    (mail,) = until(lambda: chain.server.mail("bob"), "bob has it", 40)
    assert "\nSubject: Grüße\n".encode() in mail and mail.endswith("\n\nä\n".encode())
    assert b" with UTF8SMTPS id " in mail or b" with UTF8SMTP id " in mail


def test_many_messages_over_few_connections(chain):
    for number in range(30):
        chain.send("bob@example.test", content=f"Subject: {number}\r\n\r\n.{number}\r\n".encode())
    until(lambda: len(chain.server.mail("bob")) == 30, "all have arrived", 40)
    seen = [re.search(rb"\nSubject: (\d+)\n.*\n\n\.(\d+)\n$", mail, re.S).groups() for mail in chain.server.mail("bob")]
    assert sorted(int(a) for a, _ in seen) == list(range(30)) and all(a == b for a, b in seen)
    assert chain.gateway.queue() == []
