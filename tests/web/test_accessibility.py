"""The pages for the keyboard, on a phone, and for those who do not see them."""

import pytest

from browser import DESKTOP, ENTER, ESCAPE, PHONE, TAB
from dashboard import PAGES
from support.peers import PEERS
from support.waiting import until


def test_a_phone_scrolls_one_way(dashboard):
    browser = dashboard.login()
    dashboard.down(dashboard.office)
    dashboard.keep(3, sender="a-rather-long-local-part-that-goes-on-and-on-and-on@" + "long." * 20 + "test")
    browser.size(PHONE)
    for page in (*PAGES, f"message/{dashboard.gateway.queue()[0]['queue_id']}", "destinations/office", "domains/example.test"):
        browser.run("location.hash = arguments[0]", f"#/{page}")
        dashboard.settled()
        width, window = browser.run("return [document.documentElement.scrollWidth, window.innerWidth]")
        assert width <= window == PHONE[0], f"{page} is {width} wide; too wide: " + browser.run(
            "return [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 3).map(e => e.outerHTML.slice(0, 200)).join()")
    browser.press("Menu")
    browser.click('nav a[data-page="trace"]')
    browser.wait_text("Trace", "main h1")


def test_by_keyboard_alone(dashboard):
    browser = dashboard.login()
    dashboard.down(dashboard.office)
    first, second = dashboard.keep(2)
    browser.keys("g", "q")
    browser.wait_text("Queue", "main h1")
    dashboard.wait_ids(2)
    browser.keys("j")
    until(lambda: browser.focused() == f"A:{first}", "the first row has the keyboard", 10)
    browser.keys("j", "x")
    browser.wait_text("1 message marked", ".total")
    assert browser.run("return document.querySelector('tr[data-id=\"' + arguments[0] + '\"] input').checked", second)
    browser.keys(ENTER)
    browser.wait_text(second, "main h1")
    browser.keys("g", "d")
    browser.wait_text("Destinations", "main h1")
    browser.keys("?")
    browser.wait("dialog[open]")
    browser.keys(ESCAPE)
    browser.wait_gone("dialog")
    browser.driver.refresh()
    browser.wait(".shell .live.good")
    browser.keys(TAB)
    assert browser.focused() == "A:Skip to content"
    outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "solid3px", "what has the keyboard is seen"


@pytest.mark.skipif(not (PEERS / "axe").exists(), reason="no axe-core under build/peers (tools/unpack-peers, npm)")
@pytest.mark.parametrize("theme, size", [("light", DESKTOP), ("dark", PHONE)])
def test_no_serious_fault_for_those_who_do_not_see(dashboard, theme, size):
    browser = dashboard.login()
    browser.media(prefers_color_scheme=theme)
    browser.size(size)
    dashboard.down(dashboard.office)
    ids = dashboard.keep(3)
    assert dashboard.gateway.ctl("queue", "hold", ids[0]).returncode == 0
    faults = {}

    def look(place):
        if found := browser.audit():
            faults[place] = found

    for page in (*PAGES, f"message/{ids[1]}", "destinations/office", "domains/example.test"):
        browser.run("location.hash = arguments[0]", f"#/{page}")
        dashboard.settled()
        look(page)
    dashboard.open("queue")
    browser.press("Delete", ".bulk")
    browser.wait("dialog[open]")
    look("dialog")
    browser.press("Cancel", "dialog")
    if size == PHONE:
        browser.press("Menu")
        look("menu")
    browser.press("Log out")
    browser.wait(".login")
    look("login")
    assert not faults, faults
