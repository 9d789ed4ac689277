"""What the scenarios about bounces share: a gateway whose kept mail is tried every second, and whose bounces go to
a scripted server; and bounces as Python's own parser reads them."""

import email
import email.policy

from support.waiting import until

QUICKLY = [{"until": "1h", "every": "1s"}]


def gateway_with_relay(world, destination, relay, local=("local",), bounces=None, settings=None, **domains):
    made = world.gateway(destinations={"office": {"servers": [destination.server], "retry": QUICKLY}},
                         domains={"example.test": {"destination": "office", "local_recipients": list(local)}, **domains},
                         settings={"bounces": {"relay": relay.server, **(bounces or {})}, **(settings or {})})
    made.wait_probed()
    return made


def keep(gateway, destination, recipient="local@example.test", sender="alice@client.test", content=b"Subject: hello\r\n\r\nsecret\r\n"):
    """A message that is kept though its destination is up; returns its id."""
    destination.on("dot", "451 4.3.0 Not now")
    answer = gateway.send(recipient, sender=sender, content=content)
    assert answer.text.startswith("250 2.0.0 Ok: queued as "), answer
    return answer.text.rsplit(" ", 1)[1]


def keep_while_down(gateway, destination, recipients, sender="alice@client.test"):
    """One message for all of them, kept because the destination is down; returns its id."""
    if gateway.state() != "down":
        destination.close()
        gateway.wait_state("down")
    with gateway.client() as client:
        client.ehlo()
        client.mail(sender)
        for recipient in recipients:
            assert client.rcpt(recipient).code == 250
        return client.data(b"Subject: hello\r\n\r\nsecret\r\n").text.rsplit(" ", 1)[1]


def parse(message):
    """A bounce as it arrived, checked for what every one must have."""
    assert message.sender == "", "from the null sender"
    parsed = email.message_from_bytes(message.content, policy=email.policy.default)
    assert parsed["Auto-Submitted"] == "auto-replied"
    assert parsed["From"].addresses[0].addr_spec == "MAILER-DAEMON@mx.example.test"
    assert parsed["To"].addresses[0].addr_spec == message.recipients[0]
    assert parsed["Date"].datetime is not None and parsed["Message-ID"]
    assert parsed.get_content_type() == "multipart/report"
    assert parsed.get_param("report-type") == "delivery-status"
    assert not parsed.defects and all(not part.defects for part in parsed.walk()), [p.defects for p in parsed.walk()]
    text, status, *rest = parsed.iter_parts()
    assert text.get_content_type() == "text/plain" and status.get_content_type() == "message/delivery-status"
    about, *recipients = status.get_payload()
    assert about["Reporting-MTA"] == "dns; mx.example.test" and about["Arrival-Date"]
    parsed.text = text.get_content()
    parsed.recipients = {r["Final-Recipient"].split("; ")[1]: r for r in recipients}
    parsed.original = rest[0] if rest else None
    return parsed


def frozen(gateway, count=1, timeout=20):
    """The frozen messages, once there are so many."""
    def look():
        rows = [row for row in gateway.queue() if row["queue_name"] == "frozen"]
        return rows if len(rows) == count else None
    return until(look, f"{count} are frozen: {gateway.queue()}", timeout)
