"""Issue 3, Bounces: one report for those who failed together, by the right road, never twice and never to nobody."""

from bounced import frozen, gateway_with_relay, keep, keep_while_down, parse
from support.peers import pflogsumm
from support.waiting import holds, until


def test_refused_at_rcpt(world, destination):
    """Two of three are refused while others are taken: one bounce about these two, and all is in the log."""
    relay = world.destination()
    gateway = gateway_with_relay(world, destination, relay, local=["good", "gone", "full"])
    queue_id = keep_while_down(gateway, destination, ["gone@example.test", "good@example.test", "full@example.test"])
    gateway.wait_queue(1)
    destination.on("rcpt", {"gone@example.test": "550 5.1.1 No such user", "full@example.test": "552 5.2.2 Mailbox full"})
    destination.start()
    (message,) = relay.wait_for(1)
    bounce = parse(message)
    assert message.recipients == ["alice@client.test"]
    assert set(bounce.recipients) == {"gone@example.test", "full@example.test"}
    fields = bounce.recipients["gone@example.test"]
    assert fields["Action"] == "failed" and fields["Status"] == "5.1.1"
    assert fields["Diagnostic-Code"] == "smtp; 550 5.1.1 No such user"
    assert fields["Remote-MTA"] == "dns; [127.0.0.1]"
    assert "<gone@example.test>" in bounce.text and "550 5.1.1 No such user" in bounce.text
    assert bounce.original.get_content_type() == "text/rfc822-headers"
    assert "Subject: hello" in bounce.original.get_content() and b"secret" not in message.content
    gateway.wait_queue(0)
    log = gateway.log("qmgr")
    assert log.count(f"{queue_id}: to=<gone@example.test>") == 1
    assert "dsn=5.1.1, status=bounced (550 5.1.1 No such user)" in log
    line = gateway.wait_log("qmgr", f"{queue_id}: sender non-delivery notification: ")
    bounce_id = line.rsplit(" ", 1)[1]
    assert f"{queue_id}: removed" in log
    gateway.wait_log("qmgr", f"{bounce_id}: removed")
    assert f"{bounce_id}: from=<>, size=" in log
    counted = pflogsumm(*(gateway.folder / "log" / f"{name}.log" for name in ("smtpd", "qmgr", "deliver")))
    assert counted["bounced"] == 2, counted
    assert counted["delivered"] == 2, "good's, and the bounce"
    holds(lambda: len(relay.messages) == 1, "it is not sent again", 2)


def test_refused_after_the_dot(world, destination):
    relay = world.destination()
    gateway = gateway_with_relay(world, destination, relay)
    keep(gateway, destination)
    destination.on("dot", "554 5.6.0 Bad content")
    bounce = parse(relay.wait_for(1)[0])
    assert bounce.recipients["local@example.test"]["Status"] == "5.6.0"
    gateway.wait_queue(0)
    assert gateway.json("status")[0]["queue"]["messages"] == 0


def test_a_sender_of_our_own_hears_of_it_from_its_destination(world, destination):
    """It waits for a destination that is down, without an attempt."""
    relay, other = world.destination(), world.destination()
    gateway = world.gateway(destinations={"office": {"servers": [destination.server]}, "other": {"servers": [other.server]}},
                            domains={"example.test": {"destination": "office", "local_recipients": ["local"]},
                                     "other.test": {"destination": "other", "local_recipients": ["good", "gone"]}},
                            settings={"bounces": {"relay": relay.server}})
    gateway.wait_probed()
    other.close()
    destination.close()
    gateway.wait_state("down", name="other")
    gateway.wait_state("down", name="office")
    assert gateway.send("gone@other.test", sender="local@example.test").code == 250
    assert gateway.send("good@other.test", sender="local@example.test").code == 250
    gateway.wait_queue(2)
    other.on("rcpt", {"gone@other.test": "550 5.1.1 No such user"}).start()
    other.wait_for(1)
    row = until(lambda: next((r for r in gateway.queue() if r["destination"] == "office"), None), "the bounce waits")
    holds(lambda: gateway.queue()[0]["attempts"] == 0, "it is not tried", 3)
    assert row["sender"] in ("", "<>", "MAILER-DAEMON") and row["queue_name"] == "deferred"
    destination.start()
    bounce = parse(destination.wait_for(1)[0])
    assert set(bounce.recipients) == {"gone@other.test"}
    gateway.wait_queue(0)
    assert not relay.messages


def test_nobody_is_told_of_a_null_senders_mail(world, destination):
    relay = world.destination()
    gateway = gateway_with_relay(world, destination, relay)
    queue_id = keep(gateway, destination, sender="")
    destination.on("dot", "554 5.6.0 Bad content")
    (row,) = frozen(gateway)
    assert row["queue_id"] == queue_id
    gateway.wait_log("qmgr", f"{queue_id}: frozen: ")
    assert 'event=frozen queue_id="' + queue_id in gateway.log("qmgr")
    holds(lambda: not relay.messages, "no bounce", 2)


def test_utf8_and_hostile_words_in_a_bounce(world, destination):
    """The original's header in UTF-8, a reply with control characters: the parser finds nothing wrong."""
    relay = world.destination()
    gateway = gateway_with_relay(world, destination, relay)
    keep(gateway, destination, content="Subject: grüß\r\nX: y\r\n\r\nx\r\n".encode())
    destination.on("dot", b"554 5.6.0 \xfc\x01 Content-Type: text/html\r\n")
    message = relay.wait_for(1)[0]
    bounce = parse(message)
    assert bounce.original.get_content_type() == "message/global-headers"
    assert "Subject: grüß".encode() in message.content
    assert "BODY=8BITMIME" in message.mail_params
    assert bounce.recipients["local@example.test"]["Diagnostic-Code"].startswith("smtp; 554 5.6.0 ??")


def test_a_qmgr_that_is_killed_bounces_once(world, destination):
    """Killed again and again while it refuses and bounces: each sender hears of each message once. A killed qmgr
    forgets whom the destination accepted: what is left then may have to wait till refusals are believed by time."""
    relay = world.destination()
    names = [f"gone{n}" for n in range(2)]
    gateway = gateway_with_relay(world, destination, relay, local=["local", *names])
    count = 20
    for n in range(count):
        keep_while_down(gateway, destination, [f"{names[n % 2]}@example.test"], sender=f"s{n}@client.test")
        keep_while_down(gateway, destination, ["local@example.test"])
    gateway.wait_queue(2 * count)
    destination.on("rcpt", {f"{name}@example.test": "550 5.1.1 No such user" for name in names}).start()
    for _ in range(4):
        before = len(relay.messages)
        until(lambda: len(relay.messages) > before or len(relay.messages) == count, "another bounce", 120)
        gateway.wait_restarted("qmgr", gateway.kill("qmgr"))
    until(lambda: len({m.recipients[0] for m in relay.messages}) == count, "every sender has heard", 150)
    gateway.wait_queue(0, 60)
    told = [parse(m)["Message-ID"] for m in relay.messages]
    about = {m.recipients[0]: set() for m in relay.messages}
    for message in relay.messages:
        about[message.recipients[0]].add(parse(message)["Message-ID"])
    assert all(len(ids) == 1 for ids in about.values()), "two bounces for one message"
    assert len(told) <= count + 4 * 20, "repeated is only what was in flight"
