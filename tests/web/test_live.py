"""What changes is seen without a reload; that nothing comes any more is said loudly."""

import signal

from dashboard import PASSWORD
from support.waiting import until


def stays(browser):
    """Marks the page, so that a reload would be noticed."""
    browser.run("window.stayed = true")


def stayed(browser):
    return browser.run("return window.stayed === true")


def test_a_destination_dies_and_comes_back(dashboard):
    browser = dashboard.login()
    browser.wait_text("1", ".tiles")
    browser.wait(".sentence.good")
    stays(browser)
    dashboard.office.close()
    browser.wait(".sentence.bad")
    browser.wait_text("office", ".sentence")
    browser.wait_text("pass thro'", ".gauges .mode")
    browser.wait_text("1 of 1", ".tile.bad .value")
    browser.wait_text("down", 'tr[data-name="office"] .chip')
    browser.wait_text("Mend office.", ".todo")
    dashboard.keep(2)
    browser.wait_text("2", 'a[data-key="tile-queued"] .value')
    dashboard.office.start()
    browser.wait(".sentence.good")
    browser.wait_text("proxy", ".gauges .mode")
    browser.wait_text("0", 'a[data-key="tile-queued"] .value')
    dashboard.office.wait_for(2)
    assert stayed(browser)


def test_the_oldest_grows_older_without_news(dashboard):
    browser = dashboard.login()
    dashboard.down(dashboard.office)
    dashboard.keep(1)
    browser.wait_text("s", 'a[data-key="tile-oldest"] .value')
    until(lambda: int(browser.texts('a[data-key="tile-oldest"] .value')[0].rstrip("s")) >= 15, "it is 15 s old", 45)


def test_the_queue_follows(dashboard):
    browser = dashboard.login()
    dashboard.down(dashboard.office)
    dashboard.open("queue")
    browser.wait_text("The queue is empty.", "main")
    stays(browser)
    first, = dashboard.keep(1)
    dashboard.wait_ids(1)
    browser.click(f'tr[data-id="{first}"] input')
    dashboard.keep(1)
    dashboard.wait_ids(2)
    assert browser.texts(".total b") == ["1 message marked"], "what was marked stays marked"
    assert browser.focused() == f"INPUT:mark {first}", "and the keyboard where it was"
    dashboard.office.start()
    dashboard.office.wait_for(2)
    browser.wait_text("The queue is empty.", "main")
    assert stayed(browser)


def test_pause_and_resume(dashboard):
    browser = dashboard.login()
    dashboard.open("destinations")
    browser.press("Pause")
    browser.type("dialog input[name=for]", "2h")
    browser.type("dialog input[name=reason]", "new disks <b>")
    browser.wait_text("gatewayctl dest pause office --for 2h --reason 'new disks <b>'", "dialog code")
    browser.press("Pause", "dialog")
    browser.wait_text("paused", 'section[data-destination="office"] h2 .chip')
    browser.wait_text("new disks <b>", ".facts")
    browser.wait_text("queue", ".gauges .mode")
    assert dashboard.gateway.state() == "paused"
    browser.press("Resume")
    browser.wait_text("up", 'section[data-destination="office"] h2 .chip')
    dashboard.gateway.wait_state("up")


def test_a_lost_connection_is_loud(dashboard):
    browser = dashboard.login()
    stays(browser)
    old = dashboard.gateway.kill("webd", signal.SIGSTOP)
    browser.wait_text("The connection to Holdfast is lost.", ".banner.bad", timeout=60)
    browser.wait_text("NOT LIVE", ".gauges .live")
    dashboard.gateway.kill("webd", signal.SIGCONT)
    browser.wait_text("live", ".gauges .live.good", timeout=60)
    browser.wait_gone(".banner.bad")
    assert stayed(browser) and dashboard.gateway.pids("webd") == old


def test_webd_is_started_again(dashboard):
    browser = dashboard.login()
    old = dashboard.gateway.kill("webd", signal.SIGKILL)
    browser.wait_text("The connection to Holdfast is lost.", ".banner.bad", timeout=60)
    until(lambda: (new := dashboard.gateway.pids("webd")) and new != old, "webd runs again", 30)
    until(lambda: browser.run("return document.querySelector('.login') !== null || document.querySelector('.live.good') !== null"),
          "the page goes on, or asks who is there", 60, every=0.1)
    if browser.texts(".login"):
        browser.type("input[name=name]", "admin")
        browser.type("input[name=password]", PASSWORD)
        browser.press("Log in")
    browser.wait(".shell .live.good")
