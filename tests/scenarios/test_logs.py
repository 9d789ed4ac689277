"""Issue 2, item 6: lines in Postfix's shape, which pflogsumm counts right."""

import re

from support.peers import pflogsumm
from support.waiting import until

LINE = re.compile(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [\w.-]+ holdfast/[a-z]+\[\d+\]: \S")


def logs_of(gateway):
    return [gateway.folder / "log" / f"{name}.log" for name in ("smtpd", "qmgr", "deliver", "prober", "master")]


def test_pflogsumm_counts_the_scenario(gateway, destination):
    gateway.teach(destination, "learnt@example.test")  # proxied: 1
    for number in range(4):  # proxied: 5 in all
        assert gateway.send("local@example.test").code == 250
    with gateway.client() as client:  # one message to two recipients: 6 received, 7 delivered
        client.ehlo()
        client.mail("a@client.test")
        client.rcpt("one@example.test")
        client.rcpt("two@example.test")
        assert client.data(b"x\r\n").code == 250
    destination.on("rcpt", {"no@example.test": "550 5.1.1 No such user"})
    for _ in range(3):  # rejected: 3
        assert gateway.send("no@example.test").code == 550
    assert gateway.send("x@elsewhere.test").code == 554  # rejected: 4
    destination.close()
    gateway.wait_state("down")
    for _ in range(5):  # kept: 11 received
        assert gateway.send("learnt@example.test").code == 250
    assert gateway.send("stranger@example.test").code == 451  # a 4xx: "reject" lines too: 5
    gateway.wait_queue(5)
    destination.start()  # delivered: 12
    gateway.wait_queue(0)
    gateway.wait_state("up")
    until(lambda: gateway.log("qmgr").count(": removed") == 5, "qmgr says removed")
    destination.on("dot", "554 5.6.0 Bad content")
    assert gateway.send("local@example.test").code == 554

    def totals():
        return pflogsumm(*(path for path in logs_of(gateway) if path.exists()))
    until(lambda: totals()["received"] >= 11 and totals()["delivered"] >= 12, "the logs are written", 10, every=0.3)
    counted = totals()
    assert counted["received"] == 11, counted
    assert counted["delivered"] == 12, counted
    assert counted["rejected"] + counted.get("bounced", 0) == 6, counted
    for path in logs_of(gateway):
        for line in path.read_text().splitlines():
            assert LINE.match(line), f"{path.name}: {line}"


def test_a_proxied_message_leaves_its_trail(gateway, destination):
    assert gateway.send("local@example.test", sender="boss@client.test").code == 250
    line = gateway.wait_log("smtpd", "to=<local@example.test>")
    queue_id = re.search(r"holdfast/proxy\[\d+\]: ([0-9A-F]+): ", line).group(1)
    assert f"relay=127.0.0.1[127.0.0.1]:{destination.port}" in line
    assert re.search(r", delay=[\d.]+, delays=[\d.]+/[\d.]+/[\d.]+/[\d.]+, dsn=2\.0\.0, status=sent \(250 2\.0\.0 Taken\)", line)
    lines = [text for text in gateway.log("smtpd").splitlines() if queue_id in text]
    assert any(re.search(r"holdfast/smtpd\[\d+\]: \w+: client=\S*\[127\.0\.0\.1\]", text) for text in lines)
    assert any("from=<boss@client.test>, size=" in text and "nrcpt=1" in text for text in lines)
    assert queue_id in destination.messages[0].received


def test_a_kept_message_leaves_its_trail(gateway, destination):
    destination.close()
    gateway.wait_state("down")
    assert "destination=office state=down was=up" in gateway.wait_log("prober", "state=down")
    queue_id = gateway.send("local@example.test").text.rsplit(" ", 1)[1]
    gateway.wait_log("smtpd", f"{queue_id}: client=")
    gateway.wait_log("qmgr", f"{queue_id}: from=<sender@client.test>, size=")
    destination.start()
    line = gateway.wait_log("deliver", f"{queue_id}: to=<local@example.test>, relay=", 20)
    assert "dsn=2.0.0, status=sent (250 2.0.0 Taken)" in line
    gateway.wait_log("qmgr", f"{queue_id}: removed")


def test_hostile_words_cannot_forge_a_line(gateway, destination):
    destination.on("rcpt", b"550 5.1.1 no\x0bsuch\x00user \x1b[2J\r\n")
    with gateway.client() as client:
        client.command(b"EHLO a\x08b")
        client.ehlo("fine.test")
        client.mail("a@client.test")
        assert client.rcpt("stranger@example.test").code == 550
    gateway.wait_log("smtpd", "reject: RCPT")
    for path in logs_of(gateway):
        if path.exists():
            assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", path.read_bytes()), path.name
