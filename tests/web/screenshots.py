"""Renews docs/images: each page at desktop and phone width, of a gateway with an outage. Run by hand:

    HOLDFAST_BIN=$PWD/build/release/bin /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/web/screenshots.py
"""

import base64
import pathlib
import random

import pytest

from browser import DESKTOP, PHONE, ZONE
from dashboard import Dashboard
from small_png import small
from support import milter
from support.milter import Milter
from support.waiting import holds, until

IMAGES = pathlib.Path(__file__).resolve().parents[2] / "docs/images"
MOST_BYTES = 120_000
OUTAGE_S = 100  # so that the graphs have something to show


def outage(dashboard, servers, scan):
    gateway = dashboard.gateway
    office, branch = servers
    people = [f"{name}@example.test" for name in ("anna", "ben", "carla", "dilip", "eva", "farid")]
    gateway.teach(office, *people)
    gateway.teach(branch, "desk@branch.test")
    for sender in ("invoice@evil.test", "parcel@evil.test"):
        scan.on("end", milter.quarantine("an archive with a password"))
        gateway.send(people[0], sender=sender)
    draw = random.Random(6)
    office.close()
    gateway.wait_state("down")
    senders = ["news@paper.test", "orders@shop.test", "mia@client.test", "noreply@bank.test"]
    for _ in range(70):
        gateway.send(draw.sample(people, draw.choice([1, 1, 2])), sender=draw.choice(senders),
                     content=b"Subject: Your order\r\n\r\n" + b"x" * draw.randrange(60000) + b"\r\n")
    gateway.send(people[0], sender='"<script>alert(1)</script>"@evil.test',
                 content="Subject: <script>alert(1)</script>\r\nX-Note: \u202egnp.exe\u202c\r\nFrom: x@evil.test\r\n\r\nHi\r\n".encode())
    gateway.wait_queue(73)
    ids = [m["queue_id"] for m in gateway.queue()]
    gateway.ctl("queue", "hold", *ids[3:6])
    gateway.ctl("dest", "pause", "branch", "--for", "2h", "--reason", "new disks")
    gateway.wait_state("paused", name="branch")
    return ids[-1]


def shoot(browser, name):
    until(lambda: browser.run("return [...document.querySelectorAll('.legend')].every(l => l.children.length > 0)"), "graphs are drawn", 60)
    shot = browser.devtools("Page.captureScreenshot", format="png", optimizeForSpeed=False)
    data = small(base64.b64decode(shot["data"]))
    assert len(data) < MOST_BYTES, f"{name} has {len(data)} bytes"
    (IMAGES / f"{name}.png").write_bytes(data)


@pytest.fixture
def scan():
    made = Milter()
    yield made
    made.close()


def test_screenshots(world, chromium, scan):
    IMAGES.mkdir(exist_ok=True)
    servers = [world.destination(), world.destination()]
    office, branch = servers
    dashboard = Dashboard(chromium, world, servers, settings={"filters": [{"name": "scan", "milter": scan.where}]},
                          destinations={"office": {"servers": [office.server]}, "branch": {"servers": [branch.server]}},
                          domains={"example.test": {"destination": "office", "local_recipients": ["sales"]},
                                   "branch.test": {"destination": "branch"}})
    dashboard.gateway.wait_probed()
    hostile = outage(dashboard, servers, scan)
    browser = dashboard.login()
    browser.devtools("Emulation.setTimezoneOverride", timezoneId=ZONE)
    holds(lambda: True, "history is written", OUTAGE_S)
    shots = [("overview", "overview", {"range": "15m"}), ("queue", "queue", {}), ("message", f"message/{hostile}", {}), ("destinations", "destinations", {}),
             ("domains", "domains/example.test", {}), ("recipients", "recipients", {}), ("trace", "trace", {"what": hostile}),
             ("filters", "filters", {}), ("report", "report", {}), ("alerts", "alerts", {}), ("config", "config", {"changed": "1"}), ("system", "system", {})]
    for width, size, theme in (("desktop", DESKTOP, "light"), ("phone", PHONE, "dark")):
        browser.size(size)
        browser.media(prefers_color_scheme=theme)
        for name, page, filters in shots:
            dashboard.open(page, **filters)
            shoot(browser, f"{name}-{width}")
    browser.size(DESKTOP)
    browser.media(prefers_color_scheme="dark")
    dashboard.open("overview", range="15m")
    shoot(browser, "overview-dark")
