"""Issue 7: filters that fail, each of three ways to take it, and the bypass while the destination is down; by a scripted filter."""

import pytest

from support import milter
from support.milter import CLOSE, HANG, Milter, packet
from support.waiting import until

BODY = b"Subject: x\r\n\r\nbody\r\n"
ANSWERS = {"tempfail": (451, "4.7.1"), "accept": (250, "2."), "reject": (550, "5.7.1")}


def three_ways(world, destination, filter_, **timeouts):
    """A domain for each: example.test is the one with tempfail."""
    domains = {f"{way}.test": {"destination": "office", "local_recipients": ["local"]} for way in ANSWERS}
    made = world.gateway(destination, domains=domains, settings={"filters": [
        {"name": way, "milter": filter_.where, "on_failure": way, "domains": [f"{way}.test"],
         "timeouts": {"connect": "2s", "command": "1s", "content": "1s", **timeouts}} for way in ANSWERS]})
    made.wait_probed()
    return made


def check(gateway, what):
    for way, (code, enhanced) in ANSWERS.items():
        reply = gateway.send(f"local@{way}.test", content=BODY)
        assert reply.code == code and reply.lines[-1].startswith(enhanced), (what, way, reply.text)
        gateway.wait_log("smtpd", f"filter {way}: ")


@pytest.mark.parametrize("how", ["closes", "hangs", "lies"])
def test_failures(world, destination, filter_, how):
    gateway = three_ways(world, destination, filter_)
    lies = {"mail": packet("Z"), "end": milter.packet("c") + milter.packet("c") + packet("c")}
    for stage in ("mail", "end"):
        filter_.reset(**{stage: {"closes": CLOSE, "hangs": HANG}.get(how, lies[stage])})
        check(gateway, (how, stage))
    assert len(destination.wait_for(2)) == 2 and gateway.queue() == []
    filter_.reset()

    def all_pass():
        for way in ANSWERS:
            assert gateway.send(f"local@{way}.test", content=BODY).code == 250
        return "filter tempfail works again" in gateway.log("smtpd")

    until(all_pass, "the worker that knew it to fail says that it works again")


def test_one_that_is_not_there(world, destination, filter_):
    filter_.close()
    gateway = three_ways(world, destination, filter_)
    check(gateway, "not there")
    until(lambda: {a["subject"] for a in gateway.json("alert", "list") if a["kind"] == "filter_failing"} == set(ANSWERS),
          "an alert a filter")


def test_one_that_offers_nonsense(world, destination, filter_):
    filter_.offer = packet("O", b"\0\0\0\x63" + b"\xff" * 8)
    gateway = three_ways(world, destination, filter_)
    check(gateway, "nonsense")


def test_what_fails_is_left_out_for_the_session_alone(world, destination, filter_):
    """The other filter is asked on; the next session asks both again."""
    other = Milter()
    try:
        filter_.on("rcpt", CLOSE)
        gateway = world.gateway(destination, settings={"filters": [
            {"name": "dies", "milter": filter_.where, "on_failure": "accept"}, {"name": "lives", "milter": other.where}]})
        gateway.wait_probed()
        with gateway.client() as client:
            client.ehlo()
            for count in (1, 2):
                client.mail("a@client.test")
                assert client.rcpt("local@example.test").code == 250
                assert client.data(BODY).code == 250
                assert other.stages().count("end") == count
        assert filter_.stages().count("rcpt") == 1
        filter_.reset()
        assert gateway.send("local@example.test", content=BODY).code == 250
        assert "end" in filter_.stages()
    finally:
        other.close()


def test_a_client_that_goes_leaves_nothing_behind(world, destination, filter_):
    """While the filter thinks: no message, no queue entry, and the next client is served."""
    filter_.on("end", HANG)
    gateway = world.gateway(destination, settings={"filters": [{"name": "f", "milter": filter_.where}]})
    gateway.wait_probed()
    client = gateway.client()
    client.ehlo()
    client.mail("a@client.test")
    client.rcpt("local@example.test")
    client.command("DATA")
    client.send(BODY + b".\r\n")
    until(lambda: "end" in filter_.stages(), "the filter has all of it")
    client.abort()
    gateway.wait_log("smtpd", "lost connection from ")
    filter_.reset()
    assert gateway.send("local@example.test", content=BODY).code == 250
    assert len(destination.wait_for(1)) == 1 and gateway.queue() == []


def test_bypassed_while_down_and_back_afterwards(world, destination, filter_):
    filter_.on("rcpt", milter.reply("550 5.7.1 No"))
    gateway = world.gateway(destination, settings={"filters": [{"name": "f", "milter": filter_.where}]})
    gateway.wait_probed()
    assert gateway.send("local@example.test").code == 550
    destination.close()
    gateway.wait_state("down")
    filter_.reset(rcpt=milter.reply("550 5.7.1 No"))
    assert gateway.send("local@example.test", content=BODY).code == 250
    filter_.close()
    assert gateway.send("local@example.test", content=BODY).code == 250
    assert filter_.heard == []
    assert gateway.log("smtpd").count("unfiltered: kept without asking the filters, while office is down") == 2


def test_run_asks_them_while_down(world, destination, filter_):
    """By a domain's own word."""
    domains = {"example.test": {"destination": "office", "local_recipients": ["local"], "while_down": {"filtering": "run"}},
               "bypass.test": {"destination": "office", "local_recipients": ["local"]}}
    gateway = world.gateway(destination, domains=domains, settings={"filters": [{"name": "f", "milter": filter_.where}],
                                                                    "while_down": {"rescan_on_drain": False}})
    gateway.wait_probed()
    destination.close()
    gateway.wait_state("down")
    filter_.on("rcpt", milter.reply("550 5.7.1 No"))
    assert gateway.send("local@example.test", content=BODY).code == 550
    assert gateway.send("local@bypass.test", content=BODY).code == 250
    filter_.reset(end=milter.add_header("X-Seen", "1"))
    assert gateway.send("local@example.test", content=BODY).code == 250
    destination.start()
    kept = destination.wait_for(2)
    assert sorted(m.body for m in kept) == sorted([b"X-Holdfast-Unfiltered: yes\r\n" + BODY,
                                                   b"Subject: x\r\nX-Seen: 1\r\n\r\nbody\r\n"])
    gateway.wait_state("up")
    filter_.reset(rcpt=milter.reply("550 5.7.1 No"))
    until(lambda: gateway.send("local@bypass.test").code == 550, "the filter is asked again")
