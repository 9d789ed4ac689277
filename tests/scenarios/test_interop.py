"""Issue 5, "interoperation": swaks with each option that concerns a relay, Python's smtplib, and aiosmtpd behind us.
(test_other_clients.py: the plain ways of swaks and smtp-source; test_tls.py: swaks and openssl by TLS.)"""

import email.message
import email.policy
import smtplib

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as Handler

from support import ports
from support.certificates import Certificates, client_context
from support.peers import swaks
from support.waiting import until

ENVELOPE = ["--from", "a@client.test", "--to", "local@example.test"]


@pytest.fixture
def certificates(world):
    return world.keep(Certificates())


@pytest.fixture
def open_door(world, certificates):
    """A gateway with all that a client may meet, and its destination."""
    destination = world.destination(start=False)
    destination.capabilities = [*destination.capabilities, "SMTPUTF8", "DSN"]
    destination.start()
    made = world.gateway(destination, settings={
        "tls": certificates.make("mx.example.test"),
        "smtpd": {"xclient_networks": ["127.0.0.1"], "lookup": "off"}})
    made.wait_probed()
    return made, destination


def sent(gateway, *options):
    done = swaks(gateway.port, *ENVELOPE, *options)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    return done.stdout


def test_swaks_says_who_it_is_in_each_way(open_door):
    gateway, destination = open_door
    ways = [("--protocol", "SMTP"), ("--protocol", "ESMTP"), ("--helo", "[192.0.2.1]"), ("--ehlo", "x.client.test"), ("--pipeline",),
            ("--tls",), ("--tls-optional",), ("--tls-optional-strict",), ("--tls", "--tls-protocol", "tlsv1_2"),
            ("--tls", "--tls-sni", "other.test"), ("--tls", "--pipeline"), ("--from", "<>"), ("--suppress-data",)]
    for way in ways:
        out = sent(gateway, *way)
        assert "<~  250" in out if "--tls" in way else "<-  250" in out or "<~  250" in out, (way, out[-1500:])
    messages = destination.wait_for(len(ways))
    protocols = [m.received.split(" with ")[-1].split(" ")[0] for m in messages]
    assert protocols == ["SMTP", *["ESMTP"] * 4, *["ESMTPS"] * 6, "ESMTP", "ESMTP"]
    assert messages[11].sender == "" and messages[2].received.startswith("Received: from [192.0.2.1] ")


def test_swaks_sends_bodies_of_each_kind(open_door, tmp_path):
    gateway, destination = open_door
    (tmp_path / "dots").write_bytes(b"Subject: dots\n\n.\n..\n...\nFrom x\n.x\n" + b"y" * 2000 + b"\n")
    out = sent(gateway, "--data", f"@{tmp_path}/dots")
    assert "<-  250 2.0.0 Taken" in out
    sent(gateway, "--body", "ä", "--add-header", "X-Long: " + "z" * 900)
    sent(gateway, "--attach-type", "application/octet-stream", "--attach", f"@{tmp_path}/dots", "--attach-body", "text")
    first, second, third = destination.wait_for(3)
    assert first.body.rstrip(b"\r\n") == b"Subject: dots\r\n\r\n.\r\n..\r\n...\r\nFrom x\r\n.x\r\n" + b"y" * 2000
    assert b"X-Long: " + b"z" * 900 in second.body and "ä".encode() in second.body
    assert b"multipart/mixed" in third.body


def test_swaks_names_its_client_by_xclient(open_door):
    gateway, destination = open_door
    sent(gateway, "--xclient-addr", "192.0.2.77", "--xclient-name", "real.client.test", "--xclient-helo", "their.helo", "--xclient-port", "4711")
    sent(gateway, "--xclient", "ADDR=IPV6:2001:db8::77 NAME=[UNAVAILABLE]", "--tls")
    first, second = destination.wait_for(2)
    assert "from their.helo (real.client.test [192.0.2.77])" in first.received
    assert "(unknown [IPv6:2001:db8::77])" in second.received and "with ESMTPS" in second.received


@pytest.mark.parametrize("version", ["1", "2"])
def test_swaks_behind_a_balancer(world, destination, version):
    gateway = world.gateway(destination, settings={"smtpd": {"proxy_networks": ["127.0.0.0/8"], "lookup": "off"}})
    gateway.wait_probed()
    protocols = {"4": ("TCP4", "AF_INET"), "6": ("TCP6", "AF_INET6")}
    for family, source, dest, shown in (("4", "192.0.2.10", "192.0.2.1", "192.0.2.10"), ("6", "2001:db8::7", "2001:db8::1", "IPv6:2001:db8::7")):
        name = protocols[family][0 if version == "1" else 1]
        more = ["--proxy-protocol", "STREAM", "--proxy-command", "PROXY"] if version == "2" else []
        sent(gateway, "--proxy-version", version, "--proxy-family", name, "--proxy-source", source, "--proxy-source-port", "4711",
             "--proxy-dest", dest, "--proxy-dest-port", "25", *more)
        assert f"(unknown [{shown}])" in destination.messages[-1].received


def test_swaks_leaves_at_each_step(open_door):
    gateway, destination = open_door
    steps = {"--quit-after": ["CONNECT", "FIRST-EHLO", "TLS", "EHLO", "MAIL", "RCPT"],
             "--drop-after": ["CONNECT", "FIRST-EHLO", "TLS", "EHLO", "MAIL", "RCPT", "DATA"],
             "--drop-after-send": ["FIRST-EHLO", "TLS", "EHLO", "MAIL", "RCPT", "DATA"]}
    for way, step in ((way, step) for way in steps for step in steps[way]):
        done = swaks(gateway.port, *ENVELOPE, way, step, *(["--tls"] if step in ("TLS", "EHLO") else []))
        assert done.returncode == 0, (way, step, done.stdout[-1000:])
    until(lambda: gateway.status()["clients"]["now"] == 0, "all have gone")
    assert destination.messages == [] and gateway.queue() == []


def test_swaks_asks_for_what_there_is_not(open_door):
    gateway, destination = open_door
    for options, code, words in ((("--auth", "--auth-user", "u", "--auth-password", "p"), 28, "Host did not advertise authentication"),
                                 (("--protocol", "LMTP"), None, "500 5.5.2"), (("--to", "x@elsewhere.test"), 24, "554 5.7.1"),
                                 (("--to", "x%elsewhere.test@example.test"), 24, "554 5.7.1")):
        done = swaks(gateway.port, *ENVELOPE, *options)
        assert done.returncode == code if code else done.returncode != 0, (options, done.returncode, done.stdout)
        assert words in done.stdout + done.stderr, (options, done.stdout)
    assert destination.messages == []


# smtplib

def test_smtplib_by_tls_with_parameters(open_door, certificates):
    gateway, destination = open_door
    with smtplib.SMTP("127.0.0.1", gateway.port, local_hostname="client.test", timeout=30) as client:
        client._host = "mx.example.test"  # whom the certificate is for
        client.starttls(context=client_context(certificates))
        client.ehlo()
        assert {"size", "8bitmime", "smtputf8", "dsn", "chunking", "pipelining"} <= set(client.esmtp_features)
        refused = client.sendmail("a@client.test", ["local@example.test", "x@elsewhere.test"], b"Subject: x\r\n\r\n.\r\n..\r\n",
                                  mail_options=["BODY=8BITMIME", "RET=HDRS", "ENVID=QQ1"], rcpt_options=["NOTIFY=FAILURE"])
        assert list(refused) == ["x@elsewhere.test"] and refused["x@elsewhere.test"][0] == 554
        assert client.verify("local@example.test")[0] == 252 and client.noop()[0] == 250 and client.rset()[0] == 250
    (message,) = destination.wait_for(1)
    assert message.body == b"Subject: x\r\n\r\n.\r\n..\r\n"
    assert "RET=HDRS ENVID=QQ1" in message.mail_params and destination.saw("RCPT TO:<local@example.test> NOTIFY=FAILURE")


def test_smtplib_in_utf8(open_door):
    gateway, destination = open_door
    message = email.message.EmailMessage(policy=email.policy.SMTPUTF8)
    message["From"], message["To"], message["Subject"] = "ä@client.test", "local@example.test", "Grüße"
    message.set_content("ö\n", cte="8bit")
    with smtplib.SMTP("127.0.0.1", gateway.port, local_hostname="client.test", timeout=30) as client:
        assert client.send_message(message) == {}
    (got,) = destination.wait_for(1)
    assert "SMTPUTF8" in got.mail_params and got.sender == "ä@client.test".encode().decode("latin-1")
    assert "Subject: Grüße\r\n".encode() in got.body and got.body.endswith("\r\n\r\nö\r\n".encode())


# aiosmtpd

class Inbox(Handler):
    def __init__(self):
        super().__init__()
        self.messages = []

    def handle_message(self, message):
        self.messages.append(message)


class Aiosmtpd:
    """It takes anything for names of up to 20 letters, SMTPUTF8 too."""

    def __init__(self):
        self.inbox, self.port = Inbox(), ports.free_port()
        self.server, self.controller = f"127.0.0.1:{self.port}", None

        async def handle_RCPT(server, session, envelope, address, options):
            if len(address.split("@")[0]) > 20:
                return "550 5.1.1 No such user"
            envelope.rcpt_tos.append(address)
            return "250 2.1.5 Ok"
        self.inbox.handle_RCPT = handle_RCPT

    def start(self):
        self.controller = Controller(self.inbox, hostname="127.0.0.1", port=self.port, enable_SMTPUTF8=True)
        self.controller.start()
        return self

    def stop(self):
        if self.controller is not None:
            self.controller.stop()
            self.controller = None


def test_aiosmtpd_as_a_destination_live_and_from_the_queue(world):
    server = world.keep(Aiosmtpd()).start()
    gateway = world.gateway(server)
    gateway.wait_probed()
    body = b"Subject: one\r\n\r\n.\r\n..two\r\n"
    assert gateway.send("local@example.test", content=body).code == 250
    assert gateway.send("nobody-of-that-name-is-here@example.test").text == "550 5.1.1 No such user"
    server.stop()
    gateway.wait_state("down")
    for number in range(5):
        assert gateway.send("local@example.test", content=body).text.startswith("250 2.0.0 Ok: queued as "), number
    server.start()
    until(lambda: len(server.inbox.messages) == 6, "all have come", 30)
    gateway.wait_queue(0)
    for message in server.inbox.messages:
        assert message["X-RcptTo"] == "local@example.test" and message.get_payload() in (".\r\n..two\r\n", ".\n..two\n"), message.as_string()
