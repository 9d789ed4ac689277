"""Issue 5, item 1: NOTIFY=SUCCESS is carried to the destination or honoured by us (RFC 3461 section 5.2, decision 15)."""

import pytest

from bounced import QUICKLY, gateway_with_relay, parse
from support.waiting import holds

USUAL = ["PIPELINING", "SIZE 52428800", "8BITMIME", "ENHANCEDSTATUSCODES"]
CONTENT = b"Subject: hello\r\nMessage-ID: <one@client.test>\r\n\r\nsecret\r\n"


def send(gateway, notifies, sender="alice@client.test"):
    """A message whose recipients ask for these words; returns the answer to its end."""
    with gateway.client() as client:
        client.ehlo()
        assert client.mail(sender, "RET=FULL ENVID=QQ+2B1").code == 250
        for recipient, notify in notifies.items():
            assert client.command(f"RCPT TO:<{recipient}>{notify}").code == 250
        return client.data(CONTENT)


def two(world, dsn=False):
    destination, relay = world.destination(start=False), world.destination()
    destination.capabilities = USUAL + (["DSN"] if dsn else [])
    return destination.start(), relay


@pytest.mark.parametrize("kept", [False, True], ids=["live", "kept"])
def test_a_destination_without_dsn(world, kept):
    destination, relay = two(world)
    gateway = gateway_with_relay(world, destination, relay, local=("one", "two", "three"))
    if kept:
        destination.close()
        gateway.wait_state("down")
    answer = send(gateway, {"one@example.test": " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;One+2Bx@else.test",
                            "two@example.test": " NOTIFY=FAILURE", "three@example.test": ""})
    assert answer.code == 250
    destination.start()
    destination.wait_for(1)
    (message,) = relay.wait_for(1)
    report = parse(message)
    assert message.recipients == ["alice@client.test"]
    assert report["Subject"] == "Successful Mail Delivery Report"
    assert report["In-Reply-To"] == "<one@client.test>"
    assert set(report.recipients) == {"one@example.test"}, "the others have not asked"
    fields = report.recipients["one@example.test"]
    assert fields["Action"] == "relayed" and fields["Status"].startswith("2.")
    assert fields["Original-Recipient"] == "rfc822; One+x@else.test"
    assert fields["Diagnostic-Code"].startswith("smtp; 250 ")
    assert fields["Remote-MTA"] == "dns; [127.0.0.1]"
    assert b"Original-Envelope-Id: QQ+1" in message.content
    assert report.original.get_content_type() == "text/rfc822-headers", "RET is about failures"
    assert "Subject: hello" in report.original.get_content() and b"secret" not in message.content
    log = gateway.wait_log("qmgr" if kept else "smtpd", ": sender delivery status notification: ")
    gateway.wait_log("qmgr", f"{log.rsplit(' ', 1)[1]}: removed")
    gateway.wait_queue(0)
    holds(lambda: len(relay.messages) == 1, "it is said once", 1)


@pytest.mark.parametrize("kept", [False, True], ids=["live", "kept"])
def test_a_destination_with_dsn_reports_itself(world, kept):
    destination, relay = two(world, dsn=True)
    gateway = gateway_with_relay(world, destination, relay)
    if kept:
        destination.close()
        gateway.wait_state("down")
    assert send(gateway, {"local@example.test": " NOTIFY=SUCCESS"}).code == 250
    destination.start()
    destination.wait_for(1)
    gateway.wait_queue(0)
    holds(lambda: not relay.messages, "we say nothing", 1)
    assert any("NOTIFY=SUCCESS" in c.text for c in destination.saw("RCPT TO:<local@"))


def test_only_those_that_were_reached(world):
    destination, relay = two(world)
    gateway = gateway_with_relay(world, destination, relay, local=("good", "gone", "late"))
    destination.close()
    gateway.wait_state("down")
    everything = " NOTIFY=SUCCESS,FAILURE,DELAY"
    send(gateway, {f"{name}@example.test": everything for name in ("good", "gone", "late")})
    destination.on("rcpt", {"gone@example.test": "550 5.1.1 No such user", "late@example.test": "450 4.2.1 Not now"})
    destination.start()
    reports = [parse(message) for message in relay.wait_for(2)]
    told = {address: fields["Action"] for report in reports for address, fields in report.recipients.items()}
    assert told == {"good@example.test": "relayed", "gone@example.test": "failed"}
    destination.on("rcpt", "250 2.1.5 Ok")
    last = parse(relay.wait_for(3)[2])
    assert {a: f["Action"] for a, f in last.recipients.items()} == {"late@example.test": "relayed"}
    gateway.wait_queue(0)


def test_nobody_is_told_of_bounces_that_arrive(world):
    destination, relay = two(world)
    gateway = gateway_with_relay(world, destination, relay)
    assert send(gateway, {"local@example.test": " NOTIFY=SUCCESS"}, sender="").code == 250
    destination.wait_for(1)
    holds(lambda: not relay.messages and not gateway.queue(), "the null sender gets no report", 1)


def test_by_lmtp_it_is_delivered_to_those_who_have_it(world):
    """RFC 3461 section 5.2.3."""
    destination, relay = two(world)
    gateway = world.gateway(destinations={"office": {"servers": [destination.server], "protocol": "lmtp", "retry": QUICKLY}},
                            domains={"example.test": {"destination": "office", "local_recipients": ["one", "full"]}},
                            settings={"bounces": {"relay": relay.server}})
    gateway.wait_probed()
    destination.on("dot", {"full@example.test": "452 4.2.2 Over quota", None: "250 2.0.0 Taken"})
    assert send(gateway, {"one@example.test": " NOTIFY=SUCCESS", "full@example.test": " NOTIFY=SUCCESS"}).code == 250
    first = parse(relay.wait_for(1)[0])
    assert {a: f["Action"] for a, f in first.recipients.items()} == {"one@example.test": "delivered"}
    destination.behave()
    second = parse(relay.wait_for(2)[1])
    assert {a: f["Action"] for a, f in second.recipients.items()} == {"full@example.test": "delivered"}
    gateway.wait_queue(0)
