"""Issue 7, item 2: allow and block lists of clients, HELO names, senders and recipients."""

import json

import pytest

from support.waiting import until

LISTS = {
    "client": {"allow": ["192.0.2.7"], "block": ["192.0.2.0/24", ".bad.example", "/^dyn[0-9]+[.]/"]},
    "helo": {"block": ["localhost", "[192.0.2.1]"]},
    "sender": {"block": [{"file": "bad-senders"}]},
    "recipient": {"allow": ["abuse@"], "block": ["former@example.test"]},
}
SENDERS = "# known for it\nnews@spam.example   # since May\n.spammers.example\n<>\n"


@pytest.fixture
def gateway(world, destination):
    made = world.gateway(destination, settings={"smtpd": {"xclient_networks": ["127.0.0.1"], "lookup": "off"}, "lists": LISTS},
                         start=False)
    (made.folder / "bad-senders").write_text(SENDERS)
    made.start()
    made.wait_probed()
    return made


def told(gateway, address="198.51.100.1", name="mx.good.example", helo="mx.good.example", sender="a@good.example",
         recipient="b@example.test"):
    """The answer to RCPT for a client that is all this."""
    with gateway.client() as client:
        client.ehlo("relay.test")
        assert client.command(f"XCLIENT NAME={name} ADDR={address}").code == 220
        client.ehlo(helo)
        assert client.mail(sender).code == 250
        return client.rcpt(recipient)


def refusal(reply):
    return f"{reply.code} {' '.join(reply.lines)}"


@pytest.mark.parametrize("who, words", [
    ({"address": "192.0.2.1"}, "<mx.good.example[192.0.2.1]>: Client host rejected: Access denied"),
    ({"name": "www.bad.example"}, "<www.bad.example[198.51.100.1]>: Client host rejected: Access denied"),
    ({"name": "dyn17.isp.example"}, "<dyn17.isp.example[198.51.100.1]>: Client host rejected: Access denied"),
    ({"helo": "localhost"}, "<localhost>: Helo command rejected: Access denied"),
    ({"helo": "[192.0.2.1]"}, "<[192.0.2.1]>: Helo command rejected: Access denied"),
    ({"sender": "news@spam.example"}, "<news@spam.example>: Sender address rejected: Access denied"),
    ({"sender": "x@a.spammers.example"}, "<x@a.spammers.example>: Sender address rejected: Access denied"),
    ({"sender": ""}, "<>: Sender address rejected: Access denied"),
    ({"recipient": "former@example.test"}, "<former@example.test>: Recipient address rejected: Access denied"),
])
def test_what_is_blocked_is_refused_at_rcpt_in_postfix_words(gateway, destination, who, words):
    reply = told(gateway, **who)
    assert reply.code == 554 and "5.7.1 " + words in " ".join(reply.lines)
    line = gateway.wait_log("smtpd", "NOQUEUE: reject: RCPT from ")
    assert f": 554 5.7.1 {words}; from=<{who.get('sender', 'a@good.example')}> to=<" in line
    assert not destination.messages


def test_who_is_allowed_or_unknown_comes_in(gateway):
    assert told(gateway).code == 250
    assert told(gateway, address="192.0.2.7", sender="news@spam.example").code == 250, "allowed ends all asking"
    assert told(gateway, recipient="abuse@example.test", sender="a@good.example").code == 250
    assert told(gateway, recipient="abuse@example.test", sender="news@spam.example").code == 554, "sender comes before recipient"


def test_a_reload_reads_the_files_again_and_a_bad_line_leaves_all_as_it_was(gateway):
    assert told(gateway, sender="x@later.example").code == 250
    (gateway.folder / "bad-senders").write_text(SENDERS + "later.example\n")
    gateway.reload()
    until(lambda: told(gateway, sender="x@later.example").code == 554, "the new line is in force", 20)
    (gateway.folder / "bad-senders").write_text("# all are good now\na b c\n")
    gateway.reload()
    gateway.wait_log("master", "bad-senders:2: lists.sender.block: 'a b c' has a blank")
    assert told(gateway, sender="x@later.example").code == 554
    done = gateway.ctl("config", "check")
    assert done.returncode == 78 and "bad-senders:2: " in done.stderr


def test_list_check_says_what_matches_and_where(gateway):
    def check(*words):
        done = gateway.ctl("list", "check", "--json", *words)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    code, found = check("192.0.2.7")
    assert code == 0 and [(f["verdict"], f["entry"]) for f in found] == [("allow", "192.0.2.7"), ("block", "192.0.2.0/24")]
    assert all("gateway.yaml:" in f["place"] for f in found)
    code, found = check("NEWS@spam.example")
    assert code == 0 and found[0]["place"].endswith("bad-senders:2") and found[0]["list"] == "sender"
    assert check("nobody@good.example") == (67, [])


def test_they_are_passed_over_while_the_destination_is_down(gateway, destination):
    destination.close()
    gateway.wait_state("down")
    assert told(gateway, recipient="local@example.test", sender="news@spam.example").code == 250
    destination.start()
    until(lambda: told(gateway, sender="news@spam.example").code == 554, "the lists are back with the server", 20)
