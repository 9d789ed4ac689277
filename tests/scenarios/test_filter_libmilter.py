"""Issue 7 with filters that others' code makes: on libmilter (Debian's python3-milter), each reply at each stage and each change,
and one that hangs or dies; and Debian's miltertest in the place of an MTA, asking our own holdfast-filter."""

import email.message
import io
import zipfile

import pytest

from support import miltertest
from support.filters import PythonMilter
from support.milter_client import MilterClient
from support.waiting import until

HEAD = b"Subject: x\r\nX-Old: 1\r\nX-Old: 2\r\n"
BODY = HEAD + b"\r\nbody\r\n.dot\r\n"
STAGES = ["connect", "helo", "mail", "rcpt", "data", "header", "eoh", "body", "end"]
ALL = [*STAGES[:5], "header", "header", *STAGES[5:]]

# What a filter does, and what the client hears.
REFUSALS = [
    ([["reject"]], 550, ("5.7.1 Command rejected",)),
    ([["tempfail"]], 451, ("4.7.1 Service unavailable - try again later",)),
    ([["reply", "554", "5.7.1", "Not you"]], 554, ("5.7.1 Not you",)),
    ([["reply", "550", "5.7.2", "Not you", "100%% not", "at all"]], 550, ("5.7.2 Not you", "5.7.2 100% not", "5.7.2 at all")),
    ([["reply", "450", "4.2.0", "Later", "much later"]], 450, ("4.2.0 Later", "4.2.0 much later")),
]


@pytest.fixture
def filter_(world):
    return world.keep(PythonMilter()).start()


def gateway_with(world, destination, filter_, **more):
    made = world.gateway(destination, settings={"filters": [{"name": "f", "milter": filter_.milter, **more}]})
    made.wait_probed()
    return made


def send(gateway, content=BODY, recipients="local@example.test"):
    return gateway.send(recipients, sender="a@client.test", content=content)


def test_each_reply_at_each_stage(world, destination, filter_):
    gateway = gateway_with(world, destination, filter_)
    assert send(gateway).code == 250 and filter_.heard() == ALL, "it goes on"
    for stage in STAGES:
        hears = ALL[:ALL.index(stage) + 1]
        for orders, code, lines in REFUSALS:
            filter_.orders(**{stage: orders})
            reply = send(gateway)
            assert (reply.code, reply.lines) == (code, lines), (stage, orders)
            assert filter_.heard() == hears, (stage, orders)
    assert len(destination.messages) == 1 and gateway.queue() == []


def test_accepted_and_discarded_at_each_stage(world, destination, filter_):
    """The filter hears no more of it, and changes nothing."""
    gateway = gateway_with(world, destination, filter_)
    for number, stage in enumerate(STAGES, 1):
        filter_.orders(**{stage: [["accept"]], **({} if stage == "end" else {"end": [["addheader", "X-Late", "1"]]})})
        assert send(gateway).code == 250, stage
        assert destination.wait_for(number)[-1].body == BODY, stage
        assert filter_.heard() == ALL[:ALL.index(stage) + 1], stage
    for stage in STAGES[2:]:
        filter_.orders(**{stage: [["discard"]]})
        assert send(gateway).code == 250, stage
    until(lambda: gateway.log("smtpd").count("milter-discard: ") == len(STAGES[2:]), "each is noted down")
    assert len(destination.messages) == len(STAGES) and gateway.queue() == []


def test_skip_progress_and_quarantine(world, destination, filter_):
    gateway = gateway_with(world, destination, filter_)
    long = HEAD + b"\r\n" + b"0123456789\r\n" * 20_000
    filter_.orders(body=[["skip"]], end=[["progress"], ["addheader", "X-Seen", "1"], ["progress"]])
    assert send(gateway, long).code == 250
    assert destination.wait_for(1)[0].body == HEAD + b"X-Seen: 1\r\n" + long[len(HEAD):]
    assert filter_.heard().count("body") == 1
    filter_.orders(end=[["addheader", "X-Seen", "2"], ["quarantine", "looks bad"]])
    assert send(gateway).code == 250
    gateway.wait_queue(1)
    [held] = gateway.queue()
    assert held["queue_name"] == "held" and "filter: looks bad" in held["reason"] and len(destination.messages) == 1


def test_each_change(world, destination, filter_):
    gateway = gateway_with(world, destination, filter_)
    rest = BODY[len(HEAD):]
    kept = "a@client.test", ["local@example.test"]
    cases = [
        ([["addheader", "X-End", "e"]], *kept, HEAD + b"X-End: e\r\n" + rest),
        ([["addheader", "X-Top", "t", 0]], *kept, b"X-Top: t\r\n" + BODY),
        ([["addheader", "X-Second", "s", 1]], *kept, b"Subject: x\r\nX-Second: s\r\n" + HEAD[12:] + rest),
        ([["addheader", "X-Folded", "one\n two"]], *kept, HEAD + b"X-Folded: one\r\n two\r\n" + rest),
        ([["chgheader", "X-Old", 2, "new"]], *kept, b"Subject: x\r\nX-Old: 1\r\nX-Old: new\r\n" + rest),
        ([["chgheader", "x-old", 1, ""]], *kept, b"Subject: x\r\nX-Old: 2\r\n" + rest),
        ([["chgheader", "X-New", 1, "n"]], *kept, HEAD + b"X-New: n\r\n" + rest),
        ([["replacebody", "new\r\n.line\r\n"]], *kept, HEAD + b"\r\nnew\r\n.line\r\n"),
        ([["replacebody", "a" * 70_000 + "\r\n"], ["replacebody", "b\r\n"]], *kept, HEAD + b"\r\n" + b"a" * 70_000 + b"\r\nb\r\n"),
        ([["chgfrom", "<new@client.test>"]], "new@client.test", kept[1], BODY),
        ([["chgfrom", "<>"]], "", kept[1], BODY),
        ([["addrcpt", "<copy@example.test>"]], kept[0], ["copy@example.test", "local@example.test"], BODY),
        ([["addrcpt", "<copy@example.test>"], ["delrcpt", "<LOCAL@example.test>"]], kept[0], ["copy@example.test"], BODY),
        ([["addrcpt", "<copy@example.test>"], ["delrcpt", "<copy@example.test>"]], *kept, BODY),
    ]
    for number, (orders, sender, recipients, content) in enumerate(cases, 1):
        filter_.orders(end=orders)
        assert send(gateway).code == 250, orders
        message = destination.wait_for(number)[-1]
        assert (message.sender, sorted(message.recipients)) == (sender, recipients), orders
        assert message.content.startswith(b"Received: ") and message.body == content, orders
    gateway.wait_queue(0)


@pytest.mark.parametrize("stage", ["rcpt", "end"])
@pytest.mark.parametrize("how", ["hang", "die"])
def test_one_that_hangs_or_dies(world, destination, filter_, how, stage):
    gateway = gateway_with(world, destination, filter_, timeouts={"connect": "5s", "command": "1s", "content": "1s"})
    filter_.orders(**{stage: [[how]]})
    reply = send(gateway)
    assert reply.code == 451 and reply.lines[-1].startswith("4.7.1 "), reply.text
    gateway.wait_log("smtpd", "filter f: ")
    filter_.orders()
    filter_.kill()
    filter_.start()
    assert send(gateway).code == 250
    assert len(destination.wait_for(1)) == 1 and gateway.queue() == []


def attached(name, content, kind="octet-stream", text="hello\n"):
    message = email.message.EmailMessage()
    message["Subject"] = "x"
    message.set_content(text)
    message.add_attachment(content, maintype="application", subtype=kind, filename=name)
    return message.as_bytes().replace(b"\n", b"\r\n")


def zipped(files, encrypted=False):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    made = bytearray(out.getvalue())
    if encrypted:  # as its headers say
        made[6] |= 1
        made[made.index(b"PK\1\2") + 8] |= 1
    return bytes(made)


def test_miltertest_asks_holdfast_filter(world, tmp_path):
    gateway = world.gateway(world.destination(), settings={
        "smtpd": {"workers": 1}, "deliver": {"workers": 1},
        "content_filter": {"enabled": True, "limits": {"bytes": "4MiB"}, "urls": {"blocked": ["evil.test"]}, "types": {"action": "header"}}})
    refused = "reply", "554", "5.7.1"
    zeros = zipped({"zeros.bin": bytes(6 << 20)})
    asked = [
        (attached("invoice.exe", b"MZ"), (*refused, 'attachment "invoice.exe" is not allowed here')),
        (attached("b.zip", zipped({"a/invoice.exe": b"x"})), (*refused, '"a/invoice.exe" in attachment "b.zip" is not allowed here')),
        (attached("b.pdf", b"%PDF-1.7", text="see http://www.evil.test/x\n"), (*refused, 'link to "www.evil.test" is not allowed here')),
        (attached("b.zip", zipped({"a": b"x"}, encrypted=True)), ("quarantine", 'attachment "b.zip" is encrypted and cannot be checked')),
        (attached("b.zip", zeros), ("quarantine", 'attachment "b.zip" cannot be checked to its end')),
        (attached("b.zip", zipped({"b.zip": zipped({"b.zip": zeros})})),
         ("quarantine", '"b.zip" in attachment "b.zip" cannot be checked to its end')),
        (attached("b.bin", b"x", "x-msdownload"),
         ("header", "X-Holdfast-Content", 'attachment "b.bin" of type application/x-msdownload is not allowed here')),
        (attached("b.pdf", b"%PDF-1.7"), ("none",)),
    ]
    socket = gateway.folder / "run/filter/socket"
    with MilterClient(socket):  # waits until it listens
        pass
    assert miltertest.ask(socket, asked, tmp_path) == "as expected"
    assert "message 1: reply " in miltertest.ask(socket, [(asked[-1][0], asked[0][1])], tmp_path), "it can say no"
