"""Page 9: filters, who is not asked, the quarantine; and the line on every page while nobody is asked."""

import pytest

from dashboard import Dashboard
from support import milter
from support.milter import CLOSE, Milter
from support.peers import PEERS
from support.waiting import until


@pytest.fixture
def scan():
    made = Milter()
    yield made
    made.close()


@pytest.fixture
def filtered(world, browser, scan):
    office = world.destination()
    made = Dashboard(browser, world, [office], settings={"filters": [{"name": "scan", "milter": scan.where}]})
    made.office = office
    made.gateway.wait_probed()
    return made


def hold(dashboard, scan, *mails):
    for reason, sender in mails:
        scan.on("end", milter.quarantine(reason))
        assert dashboard.gateway.send("local@example.test", sender=sender).code == 250
    dashboard.gateway.wait_queue(len(mails))


def test_a_bypass_by_hand_is_said_on_every_page_until_it_ends(filtered, browser):
    filtered.login("operator")
    filtered.open("filters")
    browser.wait_text("no failure known", 'tr[data-filter="scan"]')
    browser.press("Bypass", ".bulk")
    browser.wait("dialog[open]")
    browser.wait_text("gatewayctl filter bypass on --for 2h", "dialog .command")
    browser.press("Do it", "dialog")
    browser.wait_text("by hand: operator", 'tr[data-bypass="example.test"]')
    for page in ("overview", "queue", "system"):
        filtered.open(page)
        browser.wait_text("filters are BYPASSED BY HAND for mail of all domains, until", ".alarm")
    filtered.open("overview")
    browser.wait_text("Filters are bypassed by hand: end it", ".todo")
    filtered.open("filters")
    browser.press("End", 'tr[data-bypass="example.test"]')
    browser.wait_text("All are asked, as configured.", "main")
    until(lambda: browser.texts(".alarm p") == [], "the line is gone")


def test_a_failing_filter_and_its_test(filtered, browser, scan):
    filtered.login("operator")
    filtered.open("filters")
    scan.on("end", milter.add_header("X-Scanned", "<script>alert(1)</script>"))
    browser.press("Test", 'tr[data-filter="scan"]')
    browser.wait_text("+ X-Scanned: <script>alert(1)</script>", "main")
    scan.on("mail", CLOSE)
    assert filtered.gateway.send("local@example.test").code == 451
    browser.wait_text("failing", 'tr[data-filter="scan"]')
    browser.wait_text("the filter scan FAILS since", ".alarm")


def test_quarantine_is_released_allowed_and_deleted(filtered, browser, scan):
    filtered.login("admin")
    hold(filtered, scan, ("odd <b>link</b>", "a@client.test"), ("zip in zip", "b@client.test"), ("zip in zip", "c@client.test"))
    filtered.open("filters")
    row = 'tr[data-reason="filter: zip in zip"]'
    browser.wait_text("zip in zip", row)
    browser.press("Delete", row)
    browser.wait_text("2 messages", "dialog")
    browser.press("Delete", "dialog")
    browser.wait_gone(row)
    filtered.gateway.wait_queue(1)
    odd = 'tr[data-reason="filter: odd <b>link</b>"]'
    browser.press("Release and allow", odd)
    browser.wait_text("a@client.test", "dialog")
    browser.press("Cancel", "dialog")
    assert len(filtered.gateway.queue()) == 1, "only asked"
    browser.press("Release and allow", odd)
    browser.wait("dialog[open]")
    browser.press("Release and allow", "dialog")
    browser.wait_text("Nothing is in quarantine.", "main")
    assert filtered.office.wait_for(1)[0].sender == "a@client.test"


@pytest.mark.parametrize("role, has, lacks", [("viewer", set(), {"Bypass", "Test", "Test all", "Release", "Release and allow", "Delete"}),
                                              ("operator", {"Bypass", "Test", "Test all", "Release"}, {"Release and allow", "Delete"}),
                                              ("admin", {"Bypass", "Test", "Test all", "Release", "Release and allow", "Delete"}, set())])
def test_buttons_are_for_who_may(filtered, browser, scan, role, has, lacks):
    hold(filtered, scan, ("odd", "a@client.test"))
    filtered.login(role)
    filtered.open("filters")
    browser.wait_text("odd", "main tr[data-reason]")
    seen = {text.strip() for text in browser.texts("main button")}
    assert has <= seen and not seen & lacks, seen
    bare = browser.run("return [...document.querySelectorAll('main button:not([data-twin])')].map(b => b.textContent)")
    assert bare == [], "each button has its twin"


@pytest.mark.skipif(not (PEERS / "axe").exists(), reason="no axe-core under build/peers (tools/unpack-peers, npm)")
def test_no_serious_fault_for_those_who_do_not_see(filtered, browser, scan):
    hold(filtered, scan, ("odd", "a@client.test"))
    assert filtered.gateway.ctl("filter", "bypass", "on").returncode == 0
    filtered.login("admin")
    filtered.open("filters")
    browser.wait_text("odd", "main tr[data-reason]")
    browser.wait_text("BYPASSED BY HAND", ".alarm")
    assert not browser.audit()
    browser.keys("g", "f")
    browser.wait_text("Filters", "main h1")
    browser.press("Bypass", ".bulk")
    browser.wait("dialog[open]")
    assert not browser.audit()
