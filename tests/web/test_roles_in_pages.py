"""Nobody sees a button that is not for him."""

import pytest

from support.waiting import until

OPERATOR = {"Retry", "Hold", "Extend", "Probe", "Pause", "Silence", "Check"}
ADMIN = {"Send a test", "Bounce", "Delete", "Show content", "Reload", "Check the file", "Add", "Deny", "Flush a domain", "qmgr", "everything", "Add a user",
         "Make a token"}
VIEWER = {"Check"}


def buttons(dashboard, browser, role):
    dashboard.login(role)
    seen = set()
    for page in ("overview", "queue", f"message/{dashboard.gateway.queue()[0]['queue_id']}", "destinations", "recipients", "alerts", "config", "system"):
        dashboard.open(page)
        if page == "system":
            browser.wait_text("qmgr", "main td")
        seen |= {text.strip() for text in browser.texts("main button")}
    return seen


@pytest.mark.parametrize("role, has", [("viewer", VIEWER), ("operator", OPERATOR), ("admin", OPERATOR | ADMIN)])
def test_buttons(dashboard, browser, role, has):
    dashboard.down(dashboard.office)
    dashboard.keep(1)
    seen = buttons(dashboard, browser, role)
    assert has <= seen, f"{has - seen} are missing"
    extra = (OPERATOR | ADMIN) - has
    assert not seen & extra, f"a {role} sees {seen & extra}"


def test_the_server_decides(dashboard, browser):
    """Without the button: the request itself is refused."""
    dashboard.login("viewer")
    dashboard.down(dashboard.office)
    queue_id, = dashboard.keep(1)
    answers = browser.run("""return (async (id) => {
        const session = await (await fetch('/api/v1/session')).json();
        const ask = (method, path, body, csrf) => fetch('/api/v1/' + path, {method, body: body && JSON.stringify(body),
          headers: {'Content-Type': 'application/json', ...(csrf ? {'X-CSRF-Token': csrf} : {})}}).then(r => r.status);
        return [await ask('POST', 'queue/delete', {ids: [id]}, session.csrf), await ask('POST', 'queue/hold', {ids: [id]}, session.csrf),
                await ask('POST', 'queue/hold', {ids: [id]}, null), await ask('GET', `queue/${id}/content`)];
      })(arguments[0])""", queue_id)
    assert answers == [403, 403, 403, 403]
    until(lambda: [m["queue_name"] for m in dashboard.gateway.queue()] == ["deferred"], "nothing was done", 5)
