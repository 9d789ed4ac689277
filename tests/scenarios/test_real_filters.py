"""Issue 7 with the real ones: rspamd, clamav, opendkim and our own holdfast-filter, asked by smtpd, and an outage with them."""

import contextlib
import email.message

import pytest

from support.filters import EICAR, GTUBE, ClamAv, OpenDkim, Rspamd
from support.milter_judge import MilterJudge
from support.waiting import until

HEADER = b"From: a@client.test\r\nTo: local@example.test\r\nSubject: x\r\nMessage-ID: <x@client.test>\r\nDate: Mon, 23 Nov 2026 01:00:00 +0000\r\n"
CLEAN = HEADER + b"\r\nhello\r\n.dot at the front\r\n"


def mail(line):
    return HEADER + b"\r\n" + line + b"\r\n"


def gateway_with(world, destination, *filters, **settings):
    made = world.gateway(destination, settings={"filters": list(filters), **settings})
    made.wait_probed()
    return made


def real(world, kind, name, **options):
    """Started, and its entry in `filters`."""
    made = world.keep(kind(**options)).start()
    return made, {"name": name, "milter": made.milter}


def test_rspamd(world, destination):
    _, entry = real(world, Rspamd, "rspamd")
    gateway = gateway_with(world, destination, entry)
    reply = gateway.send("local@example.test", content=mail(GTUBE))
    assert reply.text == "554 5.7.1 Gtube pattern"
    gateway.wait_log("smtpd", "milter-reject: END-OF-MESSAGE from ")
    assert gateway.send("local@example.test", content=CLEAN).code == 250
    message = destination.wait_for(1)[0]
    head, _, body = message.content.partition(b"\r\n\r\n")
    assert b"\r\nX-Spamd-Result: " in head and body == CLEAN.partition(b"\r\n\r\n")[2]
    assert len(destination.messages) == 1 and gateway.queue() == []


def test_clamav(world, destination):
    _, entry = real(world, ClamAv, "clamav")
    gateway = gateway_with(world, destination, entry)
    assert gateway.send("local@example.test", content=mail(EICAR)).text.startswith("550 5.7.1 Virus found: Eicar")
    assert gateway.send("local@example.test", content=CLEAN).code == 250
    assert b"\r\nX-Virus-Status: Clean\r\n" in destination.wait_for(1)[0].content
    assert len(destination.messages) == 1


def header_and_body(content):
    head, _, body = content.partition(b"\r\n\r\n")
    fields = head.decode().replace("\r\n\t", "\n\t").replace("\r\n ", "\n ").split("\r\n")
    return [tuple(field.split(": ", 1)) for field in fields], body


def test_opendkim_signs_and_its_signature_holds_after_us(world, destination):
    """Judged by another opendkim, that verifies what the destination has got: live, and out of the queue."""
    signer, entry = real(world, OpenDkim, "opendkim")
    keys = signer.folder / "keys"
    keys.write_text(f"s1._domainkey.client.test v=DKIM1; k=rsa; p={signer.public_key}\n")
    verifier = world.keep(OpenDkim(verifies=keys)).start()
    gateway = gateway_with(world, destination, entry, while_down={"filtering": "run"})

    def verdict(content):
        with contextlib.closing(MilterJudge(verifier.port)) as judge:
            return judge.judge("a@client.test", ["local@example.test"], *header_and_body(content))[1].get("Authentication-Results", "")

    assert gateway.send("local@example.test", sender="a@client.test", content=CLEAN).code == 250
    live = destination.wait_for(1)[0].content
    assert b"\r\nDKIM-Signature: " in live
    assert "dkim=pass" in verdict(live), verifier.log()
    assert "dkim=fail" in verdict(live.replace(b"hello", b"hullo")), "it does look"
    destination.close()
    gateway.wait_state("down")
    assert gateway.send("local@example.test", sender="a@client.test", content=CLEAN).code == 250
    destination.start()
    assert "dkim=pass" in verdict(destination.wait_for(2)[1].content)


def with_attachment(name, content):
    message = email.message.EmailMessage()
    message["Subject"] = "x"
    message.set_content("hello")
    message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes().replace(b"\n", b"\r\n")


def test_holdfast_filter(world, destination):
    gateway = gateway_with(world, destination, {"name": "content", "milter": "holdfast"}, content_filter={"enabled": True})
    reply = gateway.send("local@example.test", content=with_attachment("invoice.exe", b"MZ"))
    assert reply.text == '554 5.7.1 attachment "invoice.exe" is not allowed here'
    clean = with_attachment("report.pdf", b"%PDF-1.7")
    for content in (clean, CLEAN):
        assert gateway.send("local@example.test", content=content).code == 250
    assert [m.body for m in destination.wait_for(2)] == [clean, CLEAN]


@pytest.mark.parametrize("dead", [False, True], ids=["filters live", "filters dead"])
def test_an_outage(world, destination, dead):
    """Before, they refuse; during, nobody asks them, and mail is kept with its mark; after, they refuse again, and see
    what was kept before it goes: the bad one is held."""
    rspamd, first = real(world, Rspamd, "rspamd")
    clamav, second = real(world, ClamAv, "clamav")
    gateway = gateway_with(world, destination, first, second)
    assert gateway.send("local@example.test", content=mail(EICAR)).code == 550
    assert gateway.send("local@example.test", content=mail(GTUBE)).code == 554

    destination.close()
    gateway.wait_state("down")
    if dead:
        rspamd.kill()
        clamav.kill()
    for content in (mail(EICAR), CLEAN):
        reply = gateway.send("local@example.test", content=content)
        assert reply.code == 250 and "queued as" in reply.text
        assert f"{reply.text.split()[-1]}: unfiltered: kept without asking the filters, while office is down" in gateway.log("smtpd")
    gateway.wait_queue(2)

    if dead:
        rspamd.start()
        clamav.start()
    destination.start()
    gateway.wait_state("draining", "up")
    assert gateway.send("local@example.test", content=mail(EICAR)).code == 550
    assert gateway.send("local@example.test", content=mail(GTUBE)).code == 554
    marked = until(lambda: [m for m in destination.messages if b"X-Holdfast-Unfiltered: " in m.content] or None, "kept mail comes")
    gateway.wait_log("qmgr", "held: rescan: ")
    [clean] = marked
    assert b"X-Holdfast-Unfiltered: rescanned\r\n" in clean.content and b"hello" in clean.content
    gateway.wait_queue(1)
    [entry] = gateway.queue()
    assert entry["queue_name"] == "held"
