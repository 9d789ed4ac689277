"""The queue's page: filters in the address, the histogram, and deeds with their counts and results."""

from support.waiting import until


def kept(dashboard):
    """Three for the local recipient, two of them from one sender; the destination is down."""
    dashboard.down(dashboard.office)
    return dashboard.keep(2, sender="news@paper.test") + dashboard.keep(1, sender="boss@client.test")


def states(dashboard):
    return {m["queue_id"]: m["queue_name"] for m in dashboard.gateway.queue()}


def wait_states(dashboard, wanted):
    until(lambda: states(dashboard) == wanted, f"the states are {wanted}", 20, every=0.05)


def mark(browser, queue_id):
    browser.click(f'tr[data-id="{queue_id}"] input[type=checkbox]')
    browser.wait_text("marked", ".total")


def test_filters_are_in_the_address(dashboard):
    browser = dashboard.login()
    ids = kept(dashboard)
    dashboard.open("queue")
    dashboard.wait_ids(3)
    browser.type("input[name=sender]", "news@paper.test")
    browser.press("Filter")
    assert dashboard.wait_ids(2) == ids[:2]
    assert browser.address == "#/queue?sender=news%40paper.test"
    browser.wait_text("2 messages match", ".total")
    browser.wait_text("gatewayctl queue list --sender news@paper.test", ".total code")
    browser.driver.refresh()
    assert dashboard.wait_ids(2) == ids[:2], "the address alone says what is seen"
    assert browser.run("return document.querySelector('input[name=sender]').value") == "news@paper.test"
    browser.run("history.back()")
    dashboard.wait_ids(3)
    browser.choose("select[name=state]", "held")
    browser.wait_text("No message matches.", "main")
    dashboard.open("queue", sender="@client.test", destination="office", unknown="x")
    assert dashboard.wait_ids(1) == ids[2:]


def test_ages_filter_when_clicked(dashboard):
    browser = dashboard.login()
    kept(dashboard)
    dashboard.open("queue")
    dashboard.wait_ids(3)
    browser.wait_text("3", ".ages .age b")
    browser.click(".ages .age")
    until(lambda: "younger=" in browser.address, "the address says the age", 10)
    dashboard.wait_ids(3)
    bars = browser.run("return [...document.querySelectorAll('.ages .age')].map(a => a.getAttribute('href'))")
    assert len(bars) > 3
    browser.run("location.hash = arguments[0]", [h for h in bars if "older=" in h][-1])
    browser.wait_text("No message matches.", "main")


def test_marked_ones_are_held_and_released(dashboard):
    browser = dashboard.login()
    a, b, c = kept(dashboard)
    dashboard.open("queue")
    dashboard.wait_ids(3)
    mark(browser, a)
    mark(browser, c)
    browser.press("Hold", ".bulk")
    browser.wait_text("2 messages held.", ".notice")
    browser.wait_text(f"gatewayctl queue hold {a} {c}", ".notice code")
    wait_states(dashboard, {a: "held", b: "deferred", c: "held"})
    browser.wait_text("held", f'tr[data-id="{a}"] .chip')
    mark(browser, a)
    browser.press("Release", ".bulk")
    browser.wait_text("1 message released.", ".notice")
    wait_states(dashboard, {a: "deferred", b: "deferred", c: "held"})


def test_bulk_retry_delivers(dashboard):
    browser = dashboard.login()
    kept(dashboard)
    dashboard.open("queue")
    dashboard.wait_ids(3)
    assert dashboard.gateway.ctl("queue", "hold", "--all").returncode == 0
    browser.wait_text("held", "tbody .chip")
    dashboard.office.start()
    dashboard.gateway.wait_state("up")
    browser.press("Release", ".bulk")
    browser.wait_text("Release 3 messages?", "dialog h2")
    browser.press("Release 3", "dialog")
    browser.wait_text("3 messages released.", ".notice")
    dashboard.office.wait_for(3)
    browser.wait_text("The queue is empty.", "main")


def test_all_that_match_are_retried(dashboard):
    browser = dashboard.login()
    dashboard.office.on("dot", "451 4.3.0 Not now")
    for _ in range(2):
        assert dashboard.gateway.send("local@example.test").code == 250
    until(lambda: [m["attempts"] for m in dashboard.gateway.queue()] == [1, 1] or len(dashboard.gateway.queue()) == 2, "they are kept", 20)
    dashboard.open("queue", domain="example.test")
    dashboard.wait_ids(2)
    dashboard.office.behave()
    browser.press("Retry", ".bulk")
    browser.wait_text("gatewayctl queue retry --domain example.test", "dialog code")
    browser.press("Retry 2", "dialog")
    browser.wait_text("2 messages will be tried now.", ".notice")
    dashboard.office.wait_for(2)
    browser.wait_text("No message matches.", "main")


def test_delete_counts_and_asks(dashboard):
    browser = dashboard.login()
    ids = kept(dashboard)
    dashboard.open("queue", sender="news@paper.test")
    dashboard.wait_ids(2)
    browser.press("Delete", ".bulk")
    browser.wait_text("Delete 2 messages?", "dialog h2")
    browser.wait_text("gatewayctl queue delete --sender news@paper.test --yes", "dialog code")
    assert browser.focused() == "BUTTON:Cancel", "the safe way out has the keyboard"
    browser.press("Cancel", "dialog")
    browser.wait_gone("dialog")
    assert list(states(dashboard)) == ids
    browser.press("Delete", ".bulk")
    browser.wait("dialog[open]")
    browser.press("Delete 2", "dialog")
    assert browser.texts("dialog h2") == ["Delete 2 messages?"], "not without the tick"
    browser.click("dialog input[type=checkbox]")
    browser.press("Delete 2", "dialog")
    browser.wait_text("2 messages deleted; nobody was told.", ".notice")
    until(lambda: list(states(dashboard)) == ids[2:], "only the other is left", 20)


def test_extend_and_bounce(dashboard):
    browser = dashboard.login()
    ids = kept(dashboard)
    before = {m["queue_id"]: m["expires"] for m in dashboard.gateway.queue()}
    dashboard.open(f"message/{ids[0]}")
    browser.press("Extend", ".bulk")
    browser.type("dialog input[name=by]", "2d")
    browser.press("Extend 1", "dialog")
    browser.wait_text("1 message expire later.", ".notice")
    after = {m["queue_id"]: m["expires"] for m in dashboard.gateway.queue()}
    assert after[ids[0]] == before[ids[0]] + 2 * 86400 and after[ids[1]] == before[ids[1]]
    browser.press("Bounce", ".bulk")
    browser.press("Bounce 1", "dialog")
    browser.wait_text("their senders are told", ".notice")
    until(lambda: ids[0] not in states(dashboard), "it is given up", 20)
    browser.wait_text("It is not in the queue any more", "main .banner")


def test_pages_of_the_list(dashboard):
    browser = dashboard.login()
    dashboard.down(dashboard.office)
    ids = dashboard.keep(60)
    dashboard.open("queue")
    assert dashboard.wait_ids(50) == ids[:50]
    browser.click("a[data-key=next]")
    assert dashboard.wait_ids(10) == ids[50:]
    assert "after=" in browser.address
    browser.click("a[data-key=first]")
    assert dashboard.wait_ids(50) == ids[:50]
