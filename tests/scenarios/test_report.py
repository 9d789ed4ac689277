"""Issue 6: the report by mail, made by webd at its moment, sent by alertd's road around the dead server."""

import datetime
import re
import struct
import zlib

import pytest

from support import ports
from support.clock import Clock
from support.milter import reply
from support.receivers import letters, relay
from support.waiting import holds, until

TO = "boss@elsewhere.test"


@pytest.fixture
def clock(world):
    return world.keep(Clock())


def settings(mail, at, **report):
    return {"alerts": {"mail": {"relays": [mail.server], "tls": {"policy": "off"}},
                       "report": {"every": "daily", "at": f"{at}s", "to": [TO], **report}},
            "web": {"listen": f"127.0.0.1:{ports.free_port()}"}}


def in_hours(hours):
    """Seconds after midnight, by the clock on the wall."""
    then = datetime.datetime.now() + datetime.timedelta(hours=hours)
    return then.hour * 3600 + then.minute * 60 + then.second


def parts(letter):
    return {part.get_content_type(): part for part in letter.walk() if not part.is_multipart()}


def pixels(png):
    """Width, height and rows of a PNG, its checksums verified."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at, data, size = 8, b"", None
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at:at + 8])
        body = png[at + 8:at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length:at + 12 + length])[0] == zlib.crc32(kind + body)
        size = struct.unpack(">II", body[:8]) if kind == b"IHDR" else size
        data += body if kind == b"IDAT" else b""
        at += 12 + length
    rows = zlib.decompress(data)
    assert len(rows) == size[1] * (size[0] + 1)
    return size[0], size[1], rows


def figure(text, name):
    found = re.search(rf"^{name} +([\d,]+) ", text, re.M)
    return int(found[1].replace(",", "")) if found else None


def test_it_comes_once_at_its_moment_through_kills_and_a_relay_that_was_down(world, destination, clock):
    mail = world.keep(relay())
    gateway = world.gateway(destination, settings=settings(mail, in_hours(3)), env=clock.env)
    gateway.wait_probed()
    until(lambda: figure(gateway.ctl("report").stdout, "Passed straight through") == 0, "the history has begun", 30)
    for _ in range(3):
        assert gateway.send("local@example.test").code == 250
    destination.close()
    gateway.wait_state("down")
    assert gateway.send("local@example.test").code == 250
    assert gateway.send("nobody@example.test").code == 451
    gateway.wait_queue(1)
    destination.start()
    gateway.wait_state("up")
    all_of_it = {"Passed straight through": 3, "Queued": 1, "Handed over from the queue": 1}
    shown = until(lambda: (lambda text: text if all(figure(text, name) == n for name, n in all_of_it.items()) else None)
                  (gateway.ctl("report").stdout), "the history knows of it", 45)
    assert "% of the time only" in shown and "office: down " in shown
    assert letters(mail) == [], "its moment has not come"

    mail.close()
    clock.set(hours=3, minutes=2)
    gateway.wait_log("alertd", "report.send by webd", 30)
    gateway.wait_log("alertd", f"not sent by report {TO}", 30)
    gateway.wait_restarted("alertd", gateway.kill("alertd"))
    gateway.wait_restarted("webd", gateway.kill("webd"))
    mail.start()
    until(lambda: letters(mail), "the report comes", 60)
    letter = letters(mail)[0]
    assert letter["To"] == f"<{TO}>" and mail.messages[0].recipients == [TO]
    assert re.fullmatch(r"\[Holdfast mx.example.test\] the day until .*: 3 passed, 1 queued, \d+ refused, 1 outage", letter["Subject"])
    assert letter.get_content_type() == "multipart/alternative" and letter["Auto-Submitted"] == "auto-generated"
    found = parts(letter)
    text = found["text/plain"].get_payload()
    assert figure(text, "Passed straight through") == 3 and figure(text, "Handed over from the queue") == 1
    assert figure(text, "Bounced") == 0
    assert re.search(r"^office: down \d+s, from .* connection refused", text, re.M | re.I), text
    assert re.search(r"^ *1 +451 4\.4\.1 .*nobody@example\.test", text, re.M), text
    page = found["text/html"].get_payload()
    images = [part for part in letter.walk() if part.get_content_type() == "image/png"]
    assert len(images) == 3, "rates, the queue, and the outage of office"
    for image in images:
        assert image["Content-ID"].strip("<>") in page
        width, height, rows = pixels(image.get_payload(decode=True))
        assert width == 640 and len(set(rows)) > 2, "something is drawn"
    holds(lambda: len(letters(mail)) == 1, "nobody gets it twice", 5)


def test_without_the_web_none_is_promised_and_one_by_hand_says_what_it_does_not_know(world, destination):
    mail = world.keep(relay())
    asked = settings(mail, 0)
    asked["web"] = {"listen": "off"}
    asked["alerts"]["report"]["every"] = "off"
    gateway = world.gateway(destination, settings=asked)
    gateway.wait_probed()
    shown = gateway.ctl("report", "--weekly")
    assert shown.returncode == 0 and "the week from" in shown.stdout
    assert "What passed and was queued is unknown" in shown.stdout and "\nNot known: what passed and was queued: " in shown.stdout
    assert gateway.ctl("report", "--daily", "--weekly").returncode == 64
    assert gateway.ctl("report", "--send").returncode == 0
    until(lambda: letters(mail), "it comes", 20)
    assert "the day until" in letters(mail)[0]["Subject"]
    assert parts(letters(mail)[0])["text/html"]

    gateway.config["alerts"]["report"]["every"] = "weekly"
    gateway.write_config()
    refused = gateway.ctl("config", "check")
    assert refused.returncode == 78 and "alerts.report.every: needs web.listen" in refused.stderr


def test_without_an_address_or_a_relay_it_is_refused(gateway):
    done = gateway.ctl("report", "--send")
    assert done.returncode == 78 and "alerts.mail.relays" in done.stderr


def test_what_a_filter_refused_is_among_the_busiest_refusals(world, destination, filter_):
    filter_.reset(end=reply("550 5.7.1 Virus found"))
    gateway = world.gateway(destination, settings={"filters": [{"name": "virus", "milter": filter_.where}]})
    gateway.wait_probed()
    for _ in range(3):
        assert gateway.send("local@example.test").code == 550
    until(lambda: re.search(r"^ *3 +550 5\.7\.1 +Virus found", gateway.ctl("report", "--daily").stdout, re.M), "the logs tell of all three")
