"""Login, and each page: that it is there, and shows what each page has to."""

from dashboard import PAGES, PASSWORD

HEADINGS = {"overview": "Destinations", "queue": "Queue", "destinations": "Destinations", "domains": "Domains",
            "recipients": "Recipients", "trace": "Trace", "filters": "Filters", "report": "Report", "alerts": "Alerts", "config": "Config", "system": "System"}


def test_login_and_logout(dashboard):
    dashboard.user("admin", "admin")
    browser = dashboard.browser
    browser.driver.get(dashboard.base + "/#/queue?state=held")
    browser.type("input[name=name]", "admin")
    browser.type("input[name=password]", "not " + PASSWORD)
    browser.press("Log in")
    browser.wait_text("wrong", ".login [role=alert]")
    browser.type("input[name=password]", PASSWORD)
    browser.press("Log in")
    browser.wait_text("Queue", "main h1")
    assert browser.address == "#/queue?state=held", "one goes on where one wanted to go"
    assert browser.run("return document.cookie") == "", "no script can read the session"
    browser.press("Log out")
    browser.wait(".login")
    browser.driver.refresh()
    browser.wait(".login")
    assert browser.driver.get_cookies() == [] or browser.texts("main h1") == ["Holdfast"]


def test_each_page_says_mode_and_disk(dashboard):
    browser = dashboard.login()
    for page in PAGES:
        dashboard.open(page)
        browser.wait_text(HEADINGS[page], "main h1, main h2")
        assert browser.texts(".gauges .mode") == ["proxy"], page
        assert "% free" in browser.text(".gauges .disk"), page
        assert "undefined" not in browser.text() and "NaN" not in browser.text() and "[object" not in browser.text(), page
        assert browser.texts(".banner.bad") == [], page


def test_each_button_shows_its_twin(dashboard):
    browser = dashboard.login()
    dashboard.down(dashboard.office)
    dashboard.keep(1)
    for page, twin in {"queue": "gatewayctl queue retry --all", "destinations": "gatewayctl dest probe office", "config": "gatewayctl config reload",
                       "system": "gatewayctl restart qmgr", "recipients": "gatewayctl rcpt check ADDRESS", "alerts": "gatewayctl alert test"}.items():
        dashboard.open(page)
        browser.wait(f'button[data-twin="{twin}"]')
        assert browser.attribute(f'button[data-twin="{twin}"]', "aria-description") == f"In a shell: {twin}"
        bare = browser.run("return [...document.querySelectorAll('.bulk button:not([data-twin])')].map(b => b.textContent)")
        assert bare == [], f"buttons without a twin on {page}"


def test_a_word_is_not_broken(dashboard):
    browser = dashboard.login()
    for page in ("config", "domains/example.test"):
        dashboard.open(page)
        browser.wait("td[data-label=from] span")
        lines = browser.run("return [...document.querySelectorAll('td[data-label=from] span')].map(e => e.getClientRects().length)")
        assert set(lines) == {1}, page


def test_what_is_configured_cannot_be_forgotten_here(dashboard):
    browser = dashboard.login()
    dashboard.gateway.ctl("rcpt", "add", "added@example.test")
    dashboard.open("recipients")
    browser.wait_text("added@example.test", "main")
    last = {row[0]: row[-1] for row in browser.run("return [...document.querySelectorAll('main .listing tbody tr')]"
                                                   ".map(r => [...r.cells].map(c => c.textContent))")}
    assert last["added@example.test"] == "Forget" and last["postmaster@example.test"] == "configured"


def test_a_domain_says_whether_its_server_is_down(dashboard):
    browser = dashboard.login()
    dashboard.open("domains/example.test")
    browser.wait_text("went down now", ".sentence")
    dashboard.down(dashboard.office)
    browser.wait_text("office is down", ".sentence")


def test_dark_and_light(dashboard):
    browser = dashboard.login()
    paper = "return getComputedStyle(document.body).backgroundColor"
    light = browser.run(paper)
    browser.media(prefers_color_scheme="dark")
    dark = browser.run(paper)
    assert light != dark
    browser.press("Theme: system")
    assert browser.run(paper) == light
    browser.press("Theme: light")
    assert browser.run(paper) == dark
    browser.driver.refresh()
    browser.wait(".shell .live.good")
    assert browser.texts(".theme") == ["Theme: dark"], "the choice is kept"


def test_times_are_the_admins(dashboard):
    browser = dashboard.login()
    browser.devtools("Emulation.setTimezoneOverride", timezoneId="Asia/Tokyo")
    dashboard.open("destinations")
    browser.wait("main time")
    title = browser.attribute("main time", "title")
    browser.devtools("Emulation.setTimezoneOverride", timezoneId="")
    assert " Asia/Tokyo (" in title and title.endswith("Z)")


def test_figures_that_come_late_find_no_graph(dashboard, browser):
    """A page that is left may still be waiting for an answer."""
    dashboard.login()
    dashboard.open("overview")
    fault = browser.run("""return import('/ui/graph.js').then(({Graph}) => {
        const graph = new Graph({heading: 'x'});
        const data = {series: [{name: 'a', points: [[1, 1], [2, 2]]}], from: 1, to: 2};
        document.querySelector('main').append(graph.element);
        graph.draw(data);
        if (!graph.chart) return 'nothing was drawn';
        graph.dispose();
        try { graph.draw(data); } catch (fault) { return String(fault); }
        return '';
      })""")
    assert fault == ""
