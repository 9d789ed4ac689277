"""How a drain ends that meets refusals and lost connections: kept while it may be the destination's fault, and not
for ever (design, section 3, Recovery)."""

from many import fill, numbered, subjects
from support.destination import DROP, After
from support.waiting import holds, until


def test_a_server_that_drops_every_data_gets_its_mail_when_it_is_whole(gateway, destination):
    """Lost connections are the destination's fault while nothing is accepted: nothing is held for it."""
    destination.close()
    gateway.wait_state("down")
    fill(gateway, 3)
    gateway.wait_queue(3)
    destination.on("data", DROP).start()
    holds(lambda: gateway.status()["queue"]["held"] == 0, "nothing is held", 12)
    assert gateway.destination()["reason"]
    destination.behave()
    destination.wait_for(3, 40)
    gateway.wait_queue(0)
    gateway.wait_state("up")


def test_one_refused_message_does_not_keep_the_drain_open_for_ever(gateway, destination):
    """A local recipient that its own server refuses: given up in the end, and the destination is up."""
    destination.close()
    gateway.wait_state("down")
    assert gateway.send("local@example.test").code == 250
    gateway.wait_queue(1)
    destination.on("rcpt", {"local@example.test": "550 5.1.1 No such user"}).start()
    gateway.wait_state("up", timeout=90)
    gateway.wait_log("qmgr", "to=<local@example.test>")
    line = gateway.wait_log("qmgr", "status=bounced")
    assert "dsn=5.1.1, status=bounced (550 5.1.1 No such user)" in line
    until(lambda: [(row["queue_name"], row["recipients"][0]["address"]) for row in gateway.queue()]
          == [("frozen", "sender@client.test")], "nobody takes the bounce", 20)


def test_refused_ones_among_many_are_kept_apart(world, destination):
    """Some of the known recipients have gone: theirs is bounced in the end, all others' arrives."""
    gone = [f"gone{n}" for n in range(4)]
    gateway = world.gateway(destination, local=["local", *gone])
    gateway.wait_probed()
    destination.close()
    gateway.wait_state("down")
    for number, name in enumerate(gone):
        fill(gateway, 1, recipient=f"{name}@example.test", prefix=f"to {name}")
        fill(gateway, 10, prefix=f"part {number}")
    gateway.wait_queue(44)
    destination.on("rcpt", {f"{name}@example.test": "550 5.1.1 No such user" for name in gone}).start()
    messages = destination.wait_for(40, 60)
    expected = {}
    for number in range(4):
        expected |= numbered(10, f"part {number}")
    assert subjects(messages) == expected
    gateway.wait_state("up", timeout=60)
    refused = {f"{name}@example.test" for name in gone}
    until(lambda: {line.split("to=<")[1].split(">")[0] for line in gateway.log("qmgr").splitlines()
                   if "status=bounced (550 5.1.1" in line} == refused, "each is bounced")
    until(lambda: [r["queue_name"] for r in gateway.queue()] == ["frozen"] * 4, "the bounces, which nobody takes, are frozen")


def test_two_destinations_drain_side_by_side(world):
    """One is slow and one is quick: neither waits for the other."""

    slow, quick = world.destination(), world.destination()
    gateway = world.gateway(destinations={"slow": {"servers": [slow.server]}, "quick": {"servers": [quick.server]}},
                            domains={"slow.test": {"destination": "slow", "local_recipients": ["x"]},
                                     "quick.test": {"destination": "quick", "local_recipients": ["x"]}})
    gateway.wait_probed()
    slow.close()
    quick.close()
    gateway.wait_state("down", name="slow")
    gateway.wait_state("down", name="quick")
    fill(gateway, 100, recipient="x@slow.test")
    fill(gateway, 100, recipient="x@quick.test")
    slow.on("dot", After(1, "250 2.0.0 Taken"))
    slow.start()
    gateway.wait_state("draining", name="slow")
    quick.start()
    quick.wait_for(100, 20)
    assert len(slow.messages) < 100
    slow.wait_for(100, 60)
    gateway.wait_queue(0)
