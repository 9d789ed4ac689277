"""Issue 7: filters in smtpd, by a scripted one: what they hear, each answer, their order and their choice."""

import time

from support import milter, ports
from support.certificates import Certificates, client_context
from support.milter import ACCEPT, DISCARD, HANG, MAY_SKIP, PROGRESS, SHUTDOWN, SKIP, Milter
from support.waiting import until

BODY = b"Subject: x\r\nX-Old: 1\r\n\r\nbody\r\n.dot\r\n"
ALL = ["connect", "helo", "mail", "rcpt", "data", "header", "header", "eoh", "body", "end"]


def filters(*made, **more):
    return [{"name": f"f{i}", "milter": f.where, **more} for i, f in enumerate(made)]


def gateway_with(world, destination, *made, settings=None, **more):
    gateway = world.gateway(destination, settings={"filters": filters(*made, **more), **(settings or {})})
    gateway.wait_probed()
    return gateway


def names(heard):
    return [data.split(b"\0")[0] for stage, data in heard if stage == "header"]


def test_it_hears_all_and_changes_nothing(world, destination, filter_):
    """Several messages in a session, one of them by BDAT, one forgotten: the client is told once."""
    gateway = gateway_with(world, destination, filter_)
    with gateway.client() as client:
        client.ehlo()
        client.mail("a@client.test", "BODY=8BITMIME SIZE=100")
        client.command("RCPT TO:<local@example.test> NOTIFY=NEVER")
        assert client.data(BODY).code == 250
        assert filter_.stages() == ALL
        heard = dict(filter_.heard)
        assert heard["connect"].endswith(b"127.0.0.1\0") and heard["helo"] == b"client.test\0"
        assert heard["mail"] == b"<a@client.test>\0BODY=8BITMIME\0SIZE=100\0"
        assert heard["rcpt"] == b"<local@example.test>\0NOTIFY=NEVER\0"
        assert heard["body"] == b"body\r\n.dot\r\n"
        macros = filter_.macros
        assert macros["j"] == "mx.example.test" and macros["{client_addr}"] == "127.0.0.1"
        assert macros["{rcpt_addr}"] == "local@example.test" and macros["{mail_addr}"] == "a@client.test" and macros["i"]

        filter_.reset()
        client.mail("")
        client.rcpt("local@example.test")
        client.command("RSET")
        client.mail("b@client.test")
        client.rcpt("local@example.test")
        half = len(BODY) // 2
        client.send(b"BDAT %d\r\n%s" % (half, BODY[:half]))
        assert client.read().code == 250
        client.send(b"BDAT %d LAST\r\n%s" % (len(BODY) - half, BODY[half:]))
        assert client.read().code == 250
        assert filter_.stages() == ["mail", "rcpt", *ALL[2:]]
        assert [data for stage, data in filter_.heard if stage == "mail"] == [b"<>\0", b"<b@client.test>\0"]
    first, second = destination.wait_for(2)
    assert first.body == BODY and second.body == BODY
    assert len(filter_.connections) == 1


def test_starttls_and_helo_begin_anew(world, destination, filter_):
    certificates = world.keep(Certificates())
    gateway = gateway_with(world, destination, filter_, settings={"tls": certificates.make("mx.example.test")})
    with gateway.client() as client:
        client.ehlo("before.test")
        client.mail("a@client.test")
        assert client.rcpt("local@example.test").code == 250
        client.command("RSET")
        assert client.command("STARTTLS").code == 220
        client.start_tls(client_context(certificates))
        for name in ("after.test", "again.test"):
            filter_.reset()
            client.ehlo(name)
            client.mail("a@client.test")
            client.rcpt("local@example.test")
            assert client.data(BODY).code == 250
            assert filter_.stages() == ALL and dict(filter_.heard)["helo"] == name.encode() + b"\0"
        assert filter_.macros["{tls_version}"].startswith("TLSv1.") and int(filter_.macros["{cipher_bits}"]) >= 128


def test_a_client_that_changes_in_mid_transaction(world, destination, filter_):
    """EHLO, XCLIENT and pipelined messages end one transaction inside the answer of another: each message is told whole."""
    gateway = gateway_with(world, destination, filter_, settings={"smtpd": {"workers": 1, "xclient_networks": ["127.0.0.1"], "lookup": "off"}})
    message = b"MAIL FROM:<%s@client.test>\r\nRCPT TO:<local@example.test>\r\n"
    with gateway.client() as client:
        client.ehlo()
        for cut in (b"EHLO again.test\r\n", b"RSET\r\n"):
            client.send(message % b"cut" + cut)
            assert [client.read().code for _ in range(3)] == [250, 250, 250]
        client.send(b"XCLIENT ADDR=192.0.2.7 NAME=told.test\r\n")
        assert client.read().code == 220
        client.ehlo()
        filter_.reset()
        for name in (b"one", b"two"):
            client.send(message % name + b"DATA\r\n")
            assert [client.read().code for _ in range(3)] == [250, 250, 354]
            client.send(BODY.replace(b"\r\n.", b"\r\n..") + b".\r\n" + message % b"cut" + b"EHLO last.test\r\n")
            assert [client.read().code for _ in range(4)] == [250] * 4
        heard = [data for stage, data in filter_.heard if stage == "connect"]
        assert heard and all(data.startswith(b"told.test\0") and data.endswith(b"192.0.2.7\0") for data in heard)
        assert filter_.stages().count("end") == 2
    assert [m.sender for m in destination.wait_for(2)] == ["one@client.test", "two@client.test"]
    assert all(m.body == BODY for m in destination.messages)


def test_clients_that_go_while_filters_think(world, destination, filter_):
    """At each stage: nothing of theirs is left, and the next one is served."""
    gateway = gateway_with(world, destination, filter_)
    for stage in ("connect", "rcpt", "body", "end"):
        filter_.reset(**{stage: HANG})
        client = gateway.client()
        client.ehlo()
        client.mail("a@client.test")
        client.send(b"RCPT TO:<local@example.test>\r\n")
        if stage in ("body", "end"):
            assert client.read().code == 250
            assert client.command("DATA").code == 354
            client.send(BODY + b".\r\n")
        until(lambda: stage in filter_.stages(), f"the filter hears {stage}")
        client.abort()
        filter_.reset()
        assert gateway.send("local@example.test", content=BODY).code == 250
    assert len(destination.wait_for(4)) == 4 and gateway.queue() == []


def test_a_long_message_comes_whole(world, destination, filter_):
    gateway = gateway_with(world, destination, filter_)
    long = b"Subject: long\r\n\r\n" + b"".join(b".%07d 0123456789012345678901234567890123456789\r\n" % i for i in range(50_000))
    assert gateway.send("local@example.test", content=long).code == 250
    chunks = [data for stage, data in filter_.heard if stage == "body"]
    assert len(chunks) > 30 and b"".join(chunks) == long.partition(b"\r\n\r\n")[2]
    assert destination.wait_for(1)[0].body == long


def test_refusals_before_the_content_answer_rcpt(world, destination, filter_):
    gateway = gateway_with(world, destination, filter_)
    for stage in ("connect", "helo", "mail", "rcpt"):
        for words, packet in (("550 5.7.1 Not from you", None), ("451 4.7.1 Come again", None),
                              ("550 5.7.1 Command rejected", milter.packet("r")),
                              ("451 4.7.1 Service unavailable - try again later", milter.packet("t"))):
            filter_.reset(**{stage: packet or milter.reply(words)})
            with gateway.client() as client:
                client.ehlo()
                assert client.mail("a@client.test").code == 250
                reply = client.rcpt("local@example.test")
                assert f"{reply.code} {reply.lines[-1]}" == words, stage
                assert client.rcpt("LOCAL@example.test").text == reply.text, "the next recipient fares no better"
    gateway.wait_log("smtpd", "NOQUEUE: milter-reject: RCPT from ")
    assert not destination.saw("RCPT TO:<local@")


def test_a_refused_recipient_is_refused_alone(world, destination, filter_):
    filter_.on("rcpt", lambda data, _: milter.reply("550 5.7.1 Not him") if b"other" in data else b"")
    gateway = gateway_with(world, destination, filter_)
    with gateway.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        assert [client.rcpt(f"{name}@example.test").code for name in ("local", "other", "third")] == [250, 550, 250]
        assert client.data(BODY).code == 250
    assert destination.wait_for(1)[0].recipients == ["local@example.test", "third@example.test"]


def test_refusals_of_the_content_answer_the_dot(world, destination, filter_):
    """The destination has heard of the message by then, but never sees its DATA."""
    gateway = gateway_with(world, destination, filter_)
    for stage in ALL[4:]:
        filter_.reset(**{stage: milter.reply("554 5.7.1 Spam")})
        reply = gateway.send("local@example.test", content=BODY)
        assert (reply.code, reply.lines[-1]) == (554, "5.7.1 Spam"), stage
    gateway.wait_log("smtpd", ": milter-reject: END-OF-MESSAGE from ")
    assert destination.saw("RCPT TO:<local@") and not destination.saw("DATA")
    assert destination.messages == [] and gateway.queue() == []


def test_accept_and_skip_hear_no_more(world, destination):
    filter_ = Milter(steps=MAY_SKIP)
    try:
        gateway = gateway_with(world, destination, filter_)
        for stage, hears in (("connect", ALL[:1]), ("mail", ALL[:3]), ("rcpt", ALL[:4]), ("eoh", ALL[:8])):
            filter_.reset(**{stage: ACCEPT})
            assert gateway.send("local@example.test", content=BODY).code == 250
            assert filter_.stages() == hears, stage
        filter_.reset(body=SKIP, end=milter.add_header("X-Seen", "1"))
        long = b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 20_000
        assert gateway.send("local@example.test", content=long).code == 250
        assert filter_.stages() == ["connect", "helo", "mail", "rcpt", "data", "header", "eoh", "body", "end"]
        assert destination.wait_for(5)[4].content.endswith(b"X-Seen: 1\r\n\r\n" + long.partition(b"\r\n\r\n")[2])
    finally:
        filter_.close()


def test_progress_gives_more_time(world, destination, filter_):
    """Three seconds of silence would be a failure; it works six, and says so."""
    def work(_, connection):
        for _ in range(6):
            connection.sendall(PROGRESS)
            time.sleep(1)  # is what is tested
        return b""
    filter_.on("end", work)
    gateway = gateway_with(world, destination, filter_, timeouts={"content": "3s"})
    assert gateway.send("local@example.test", content=BODY).code == 250
    assert "filter f0" not in gateway.log("smtpd")


def test_discard(world, destination, filter_):
    gateway = gateway_with(world, destination, filter_)
    for stage in ("mail", "rcpt", "header", "end"):
        filter_.reset(**{stage: DISCARD})
        assert gateway.send(["local@example.test", "other@example.test"], content=BODY).code == 250
    assert gateway.log("smtpd").count("milter-discard: ") == 4
    assert destination.messages == [] and gateway.queue() == [] and not destination.saw("DATA")


def test_shutdown_closes_the_connection(world, destination, filter_):
    gateway = gateway_with(world, destination, filter_)
    for stage in ("connect", "rcpt", "end"):
        filter_.reset(**{stage: SHUTDOWN})
        with gateway.client() as client:
            client.ehlo()
            client.mail("a@client.test")
            reply = client.rcpt("local@example.test")
            if stage == "end":
                assert reply.code == 250
                reply = client.data(BODY)
            assert reply.code == 421 and client.closed(), stage
    assert destination.messages == []


def test_several_in_their_order(world, destination, filter_):
    """The second hears what the first has left; what one refuses or discards the next hears no more of."""
    second = Milter()
    try:
        filter_.on("end", milter.add_header("X-First", "1") + milter.change_header("X-Old", "") +
                   milter.replace_body(b"of the first\r\n"))
        second.on("end", milter.add_header("X-Second", "2"))
        gateway = gateway_with(world, destination, filter_, second)
        assert gateway.send("local@example.test", content=BODY).code == 250
        assert names(filter_.heard) == [b"Subject", b"X-Old"]
        assert names(second.heard) == [b"Subject", b"X-First"]
        assert dict(second.heard)["body"] == b"of the first\r\n"
        assert destination.wait_for(1)[0].content.endswith(b"Subject: x\r\nX-First: 1\r\nX-Second: 2\r\n\r\nof the first\r\n")

        filter_.reset(rcpt=milter.reply("550 5.7.1 No"))
        second.reset()
        assert gateway.send("local@example.test").code == 550
        assert "rcpt" not in second.stages()
        filter_.reset(end=DISCARD)
        second.reset()
        assert gateway.send("local@example.test").code == 250
        assert "data" not in second.stages()
    finally:
        second.close()


def test_they_are_chosen_by_domain(world, destination, filter_):
    """A recipient of another set has to come on its own."""
    domains = {name: {"destination": "office", "local_recipients": ["local"]} for name in ("example.test", "plain.test", "same.test")}
    gateway = world.gateway(destination, domains=domains,
                            settings={"filters": filters(filter_, domains=["example.test", "same.test"])})
    gateway.wait_probed()
    filter_.on("rcpt", milter.reply("550 5.7.1 No"))
    assert gateway.send("local@plain.test").code == 250 and filter_.heard == []
    assert gateway.send("local@example.test").code == 550
    with gateway.client() as client:
        client.ehlo()
        client.mail("a@client.test")
        # Nobody is accepted: whose filters are asked is still open.
        assert client.rcpt("local@example.test").code == 550
        assert client.rcpt("local@plain.test").code == 250
        reply = client.rcpt("local@example.test")
        assert reply.code == 452 and reply.lines[-1].startswith("4.5.3 <local@example.test>: is filtered in another way")
        filter_.reset()
        assert client.data(BODY).code == 250
        assert filter_.heard == []
        client.mail("a@client.test")
        assert client.rcpt("local@example.test").code == 250
        assert client.rcpt("local@plain.test").code == 452
        assert client.rcpt("local@same.test").code == 250
        assert client.data(BODY).code == 250
        assert filter_.stages() == ["mail", "rcpt", "rcpt", *ALL[4:]]
    assert [m.recipients for m in destination.wait_for(3)[1:]] == [
        ["local@plain.test"], ["local@example.test", "local@same.test"]]


def test_they_are_chosen_by_listener(world, destination, filter_):
    inside = ports.free_port()
    gateway = world.gateway(destination, start=False)
    gateway.config["listen"].append(f"127.0.0.1:{inside}")
    gateway.config["filters"] = filters(filter_, listeners=[f"127.0.0.1:{gateway.port}"])
    gateway.write_config()
    gateway.start().wait_probed()
    filter_.on("mail", milter.reply("550 5.7.1 No"))
    assert gateway.send("local@example.test").code == 550
    outside, gateway.port = gateway.port, inside
    assert gateway.send("local@example.test").code == 250
    gateway.port = outside


def test_by_a_unix_socket_and_a_reload(world, destination, filter_, tmp_path):
    """smtpd's sandbox lets it connect there. A session that is open has the filters of its next message's configuration."""
    local = Milter(path=tmp_path / "f")
    try:
        gateway = gateway_with(world, destination, local)
        with gateway.client() as client:
            client.ehlo()
            client.mail("a@client.test")
            assert client.rcpt("local@example.test").code == 250 and "rcpt" in local.stages()
            client.command("RSET")
            gateway.config["filters"] = filters(filter_)
            gateway.reload()
            gateway.wait_log("smtpd", "reload")
            for _ in range(50):
                client.mail("a@client.test")
                assert client.rcpt("local@example.test").code == 250
                client.command("RSET")
                if filter_.heard:
                    break
            assert "rcpt" in filter_.stages()
    finally:
        local.close()
