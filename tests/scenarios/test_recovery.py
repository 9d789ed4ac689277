"""Issue 2, "recovery", and "two servers"."""

from many import fill, numbered, subjects
from support.peers import SmtpSink, smtp_source
from support.waiting import holds, until


def test_the_first_message_follows_the_probe_within_two_seconds(gateway, destination):
    destination.close()
    gateway.wait_state("down")
    fill(gateway, 20)
    gateway.wait_queue(20)
    probes_before = len(destination.commands)
    destination.start()
    first = destination.wait_for(1)[0]
    probe = next(c for c in destination.commands[probes_before:] if c.text.upper().startswith("RCPT TO:<POSTMASTER@"))
    assert first.at - probe.at < 2.0
    destination.wait_for(20)
    gateway.wait_state("up")


def test_2000_queued_messages_arrive_once_while_new_mail_is_proxied(gateway, destination):
    destination.close()
    gateway.wait_state("down")
    fill(gateway, 2000)
    gateway.wait_queue(2000, 30)
    assert gateway.destination()["queued"] == 2000
    assert gateway.status()["queue"]["messages"] == 2000
    destination.start()
    gateway.wait_state("draining", "up")
    proxied = 0
    while len(destination.messages) < 2000 and proxied < 200:
        reply = gateway.send("local@example.test", content=f"Subject: new {proxied}\r\n\r\nx\r\n".encode())
        assert reply.text == "250 2.0.0 Taken", "the destination's own words: it was proxied"
        proxied += 1
    assert proxied > 0
    messages = destination.wait_for(2000 + proxied, 60)
    expected = numbered(2000) | numbered(proxied, "new")
    gateway.wait_queue(0)
    gateway.wait_state("up")
    assert subjects(destination.messages) == expected
    assert len(messages) == len(destination.messages)
    queued = [m for m in destination.messages if m.sender.startswith("s")]
    assert queued[0].sender == "s0@client.test" or int(queued[0].sender[1:].split("@")[0]) < 16, "the oldest goes first"


def test_no_more_connections_than_allowed(world, destination):
    gateway = world.gateway(destinations={"office": {"servers": [destination.server], "max_connections": 8}})
    gateway.wait_probed()
    destination.close()
    gateway.wait_state("down")
    fill(gateway, 500)
    gateway.wait_queue(500)
    most = 0
    destination.start()

    def drained():
        nonlocal most
        most = max(most, destination.open_connections)
        return len(destination.messages) == 500
    until(drained, "all arrive", 60, every=0.002)
    assert 1 <= most <= 8 + 1, f"{most} connections at once (one more may be a probe's)"
    gateway.wait_state("up")


def test_a_down_server_gets_no_attempts_but_probes(gateway, destination):
    """While down there is no per-message work."""
    destination.on("banner", "554 5.3.2 Go away")
    destination.cut()
    gateway.wait_state("down")
    fill(gateway, 200)
    gateway.wait_queue(200)
    before = destination.connections
    holds(lambda: True, "", 4)
    assert destination.connections - before <= 12, "probes of a short interval only"
    destination.behave()
    destination.wait_for(200, 30)


def test_a_bare_connect_marks_nothing_up(gateway, destination):
    destination.close()
    gateway.wait_state("down")
    destination.on("banner", "421 4.3.2 Starting").start()
    holds(lambda: gateway.state() == "down", "it is down", 4)
    destination.behave()
    gateway.wait_state("up")


def test_the_first_of_two_servers_dies_and_comes_back(world):
    first, second = world.destination(), world.destination()
    gateway = world.gateway(first, second)
    gateway.wait_probed()
    assert gateway.send("stranger@example.test").text == "250 2.0.0 Taken"
    assert (len(first.messages), len(second.messages)) == (1, 0)

    first.close()
    for number in range(20):
        reply = gateway.send("stranger@example.test")
        assert reply.text == "250 2.0.0 Taken", f"message {number}: not queued, not refused"
    assert len(second.messages) == 20
    assert gateway.queue() == []
    assert gateway.state() == "up"

    first.start()

    def back():
        # Each smtpd worker tries the first server again in its own time.
        seen = len(second.messages)
        for _ in range(10):
            assert gateway.send("local@example.test").text == "250 2.0.0 Taken"
        return len(second.messages) == seen
    until(back, "mail goes to the first server again, and to no other", 20, every=0.2)
    assert len(first.messages) > 10
    servers = gateway.json("dest", "show", "office")[0]["servers"]
    assert len(servers) == 2


def test_both_of_two_servers_die_and_the_second_comes_back(world):
    first, second = world.destination(), world.destination()
    gateway = world.gateway(first, second)
    gateway.wait_probed()
    first.close()
    second.close()
    gateway.wait_state("down")
    fill(gateway, 50)
    second.start()
    second.wait_for(50, 30)
    gateway.wait_state("up")
    assert gateway.send("local@example.test").text == "250 2.0.0 Taken"
    assert first.messages == [] and len(second.messages) == 51


def test_a_server_that_dies_in_the_drain(gateway, destination):
    """It goes and comes three times while 600 messages are handed over: each arrives once."""
    destination.close()
    gateway.wait_state("down")
    fill(gateway, 600)
    gateway.wait_queue(600)
    for stop_at in (50, 200, 400):
        destination.start()
        until(lambda: len(destination.messages) >= stop_at, f"{stop_at} messages", 30, every=0.005)
        destination.close()
        gateway.wait_state("down")
    destination.start()
    gateway.wait_queue(0, 60)
    counts = subjects(destination.messages)
    assert set(counts) == set(numbered(600))
    # The destination counts a message when its 250 is written; a connection cut just then repeats it.
    assert sum(counts.values()) <= 600 + 3 * 10
    gateway.wait_state("up")


def test_smtp_source_and_smtp_sink_agree(world):
    """Postfix's own load pair: 500 messages up, 500 down and drained."""
    sink = world.keep(SmtpSink().start())
    gateway = world.gateway(sink)
    gateway.wait_probed()
    assert smtp_source(gateway.port, messages=500, sessions=10).returncode == 0
    until(lambda: sink.count() == 500, "smtp-sink has 500", 30, every=0.1)
    assert gateway.queue() == []
    sink.kill()
    gateway.wait_state("down")
    assert smtp_source(gateway.port, messages=500, sessions=10).returncode == 0
    gateway.wait_queue(500, 30)
    assert sink.count() == 500
    sink.start()
    until(lambda: sink.count() == 1000, "smtp-sink has them all", 40, every=0.1)
    gateway.wait_queue(0)
    gateway.wait_state("up")
