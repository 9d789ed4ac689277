"""Issue 5, item 6: `client: xclient` and `client: proxy`. A real Postfix as the destination judges the real client, live
and when the queue is handed over."""

import re

import pytest

from support.peers import RealPostfix, needs_root
from support.waiting import until

POSTFIX = {"xclient": {"smtpd_authorized_xclient_hosts": "127.0.0.1"},
           "proxy": {"smtpd_upstream_proxy_protocol": "haproxy"}}


def postfix_and_gateway(world, client, settings=None, **parameters):
    postfix = world.keep(RealPostfix(smtpd_client_port_logging="yes", smtpd_client_restrictions=
                                     "check_client_access inline:{ {127.0.0.66 = REJECT not from there} }",
                                     **POSTFIX[client], **parameters)).start()
    gateway = world.gateway(destinations={"office": {"servers": [postfix.server], "client": client,
                                                     "retry": [{"until": "1h", "every": "1s"}]}},
                            settings={"smtpd": {"lookup": "off"}, **(settings or {})}, local=("bob", "local"))
    gateway.wait_probed()
    return postfix, gateway


def send_from(gateway, source, subject, recipient="local@example.test", helo="their.helo"):
    """The last answer, and the port that the client had."""
    with gateway.client(source=(source, 0)) as client:
        client.ehlo(helo)
        assert client.mail("a@client.test").code == 250
        rcpt = client.rcpt(recipient)
        if rcpt.code != 250:
            return rcpt, client.socket.getsockname()[1]
        return client.data(f"Subject: {subject}\r\n\r\nx\r\n".encode()), client.socket.getsockname()[1]


def seen_by(postfix, source):
    """The clients of messages that Postfix took from there: address and port."""
    return re.findall(rf"client=unknown\[({re.escape(source)})\]:(\d+)", postfix.log())


@needs_root
@pytest.mark.parametrize("client", POSTFIX)
def test_the_server_judges_the_real_client(world, client):
    postfix, gateway = postfix_and_gateway(world, client)
    ports = {}
    for source in ("127.0.0.9", "127.0.0.10", "127.0.0.9"):
        answer, port = send_from(gateway, source, f"live {source}")
        assert answer.code == 250, answer
        ports.setdefault(source, []).append(str(port))
    refused, _ = send_from(gateway, "127.0.0.66", "never")
    assert refused.text.startswith("554 5.7.1 ") and "not from there" in refused.text, refused
    postfix.close()
    gateway.wait_state("down")
    for source in ("127.0.0.11", "127.0.0.12"):
        answer, port = send_from(gateway, source, f"kept {source}")
        assert "queued as" in answer.text
        ports[source] = [str(port)]
    gateway.wait_queue(2)
    postfix.start()
    gateway.wait_queue(0)
    until(lambda: len(postfix.mail("local")) == 5, "all of them are there", 30)
    for source, expected in ports.items():
        assert sorted(port for _, port in seen_by(postfix, source)) == sorted(expected), postfix.log()
    mails = b"".join(postfix.mail("local"))
    for source in ports:
        by_us = rb"unknown \[%s\]" % source.encode()
        assert re.search(rb"Received: from (their\.helo|mx\.example\.test) \(" + by_us, mails), "Postfix' own Received"
    if client == "xclient":
        assert b"Received: from their.helo (" in mails.replace(b"by mx.example.test", b"")
    gateway.wait_state("up")


@needs_root
@pytest.mark.parametrize("client", POSTFIX)
def test_a_client_who_is_turned_away_at_the_door_harms_nobody_else(world, client):
    """Refused at the banner or at XCLIENT, before MAIL: it is his affair, live and when the queue is handed over."""
    relay = world.destination()
    postfix, gateway = postfix_and_gateway(world, client, {"bounces": {"relay": relay.server}}, smtpd_delay_reject="no")
    for _ in range(4):
        refused, _ = send_from(gateway, "127.0.0.66", "never")
        assert refused.code in (503, 554) and "127.0.0.66" in refused.text, refused
        answer, _ = send_from(gateway, "127.0.0.9", "live")
        assert answer.code == 250 and "queued as " in answer.text and len(answer.text.rsplit(" ", 1)[1]) < 12, "Postfix' own id"
    until(lambda: len(postfix.mail("local")) == 4, "they are there")
    assert gateway.queue() == [] and gateway.state() == "up"
    postfix.close()
    gateway.wait_state("down")
    for source in ("127.0.0.66", "127.0.0.11", "127.0.0.12"):
        assert "queued as" in send_from(gateway, source, f"kept {source}")[0].text
    postfix.start()
    until(lambda: len(postfix.mail("local")) == 6, "the others have come", 30)
    (report,) = relay.wait_for(1, 30)
    assert report.recipients == ["a@client.test"] and b"127.0.0.66" in report.content
    gateway.wait_queue(0)
    gateway.wait_state("up")


@needs_root
@pytest.mark.parametrize("client", POSTFIX)
def test_what_is_ours_comes_as_ours(world, client):
    """Probes, and a bounce of ours: the server takes us for its client."""
    postfix, gateway = postfix_and_gateway(world, client)
    until(lambda: re.search(r"connect from unknown\[127\.0\.0\.1\]", postfix.log()), "the probe", 10)
    assert send_from(gateway, "127.0.0.9", "live")[0].code == 250
    postfix.close()
    gateway.wait_state("down")
    with gateway.client(source=("127.0.0.9", 0)) as sender:
        sender.ehlo("their.helo")
        sender.mail("local@example.test")
        sender.rcpt("bob@example.test")
        answer = sender.data(b"Subject: will bounce\r\n\r\nx\r\n")
        assert "queued as" in answer.text
    assert gateway.ctl("queue", "bounce", answer.text.rsplit(" ", 1)[1], "--yes").returncode == 0
    postfix.start()
    until(lambda: any(b"will bounce" in mail for mail in postfix.mail("local")), "the report", 30)
    report = next(mail for mail in postfix.mail("local") if b"will bounce" in mail)
    assert b"(unknown [127.0.0.1])" in report or b"([127.0.0.1])" in report, report


def test_a_server_without_xclient_gets_the_mail_all_the_same(world, destination):
    gateway = world.gateway(destinations={"office": {"servers": [destination.server], "client": "xclient"}})
    gateway.wait_probed()
    for source in ("127.0.0.9", "127.0.0.10"):
        assert send_from(gateway, source, "x")[0].code == 250
    assert len(destination.wait_for(2)) == 2
    assert destination.saw("XCLIENT") == []


def test_xclient_that_is_refused_keeps_no_mail_back(world, destination):
    destination.capabilities = [*destination.capabilities, "XCLIENT NAME ADDR"]  # and it knows no such command
    gateway = world.gateway(destinations={"office": {"servers": [destination.server], "client": "xclient"}})
    gateway.wait_probed()
    assert send_from(gateway, "127.0.0.9", "x")[0].code == 250
    assert [c.text for c in destination.saw("XCLIENT")] == ["XCLIENT NAME=[UNAVAILABLE] ADDR=127.0.0.9"]
    gateway.wait_log("smtpd", "XCLIENT was refused by ")
