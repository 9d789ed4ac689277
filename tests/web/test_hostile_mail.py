"""What strangers write is shown, and does nothing."""

import pytest

SCRIPT = "<script>window.hacked=1</script><img src=x onerror=window.hacked=2>"
BIDI = "\u202egnp.exe\u202c \u2066x\u2069 \u200f\u200bpay\u00adpal"
CONTROL = "a\x01b\x1b[2Jc\x07d\x7f"
SENDER = '"<script>window.hacked=3</script>"@evil.test'

HEADERS = "\r\n".join([f"Subject: {SCRIPT}", f"X-Bidi: {BIDI}", f"X-Control: {CONTROL}", f"{SCRIPT.replace(' ', '/')}: name",
                       f'From: "{SCRIPT}" <x@evil.test>', "X-C1: \x9b31m\x85", "To: javascript:window.hacked=4"])
CONTENT = (HEADERS + f"\r\n\r\n{SCRIPT}\r\n{BIDI}\r\n{CONTROL}\r\n").encode() + b"\xff\xfe raw\r\n"


@pytest.fixture
def message(dashboard):
    dashboard.login()
    dashboard.down(dashboard.office)
    queue_id, = dashboard.keep(1, sender=SENDER, content=CONTENT)
    return queue_id


def unharmed(browser):
    assert browser.run("return window.hacked") is None
    assert browser.run("return document.querySelectorAll('main script, main img, main iframe, main b b').length") == 0
    hidden = browser.run(r"""return [...document.body.innerText].filter(c => /[\p{Cc}\p{Cf}]/u.test(c) && c !== '\n' && c !== '\t').map(c => c.codePointAt(0).toString(16))""")
    assert hidden == [], "nothing unseen is on the page"
    in_titles = browser.run(r"""return [...document.querySelectorAll('[title], [aria-label], [aria-description], [data-twin]')]
      .map(e => (e.title || '') + (e.getAttribute('aria-label') || '') + (e.getAttribute('data-twin') || '')).filter(t => /[\p{Cc}\p{Cf}]/u.test(t))""")
    assert in_titles == [], "nor in what is shown when something is pointed at"


def test_in_the_list(dashboard, browser, message):
    dashboard.open("queue")
    dashboard.wait_ids(1)
    browser.wait_text('<script>window.hacked=3</script>', f'tr[data-id="{message}"]')
    unharmed(browser)


def test_in_headers_and_content(dashboard, browser, message):
    dashboard.open(f"message/{message}")
    browser.wait_text(SCRIPT, ".headers dd")
    browser.wait_text("X-Control", ".headers dt")
    names = browser.texts(".headers .mark")
    for mark in ("RLO", "PDF", "LRI", "PDI", "RLM", "ZWSP", "SHY", "SOH", "ESC", "BEL", "DEL"):
        assert mark in names, f"{mark} is not among {names}"
    unharmed(browser)
    browser.press("Show content")
    browser.wait_text(SCRIPT, "pre.content")
    assert "RLO" in browser.texts("pre.content .mark")
    unharmed(browser)


def test_in_the_logs(dashboard, browser, message):
    dashboard.open("trace", what=message)
    browser.wait_text("client=", "td.line")
    dashboard.open("trace", what=SCRIPT + BIDI)
    browser.wait_text("The logs say nothing of it.", "main")
    browser.run("document.querySelector('input[name=what]').value = ''")  # what the admin typed is the admin's
    unharmed(browser)


def test_in_a_servers_answer(dashboard, browser):
    dashboard.login()
    dashboard.office.on("rcpt", f"451 4.3.0 {SCRIPT} {BIDI}".encode() + b"\r\n")
    dashboard.office.on("banner", f"421 4.3.0 {SCRIPT} {BIDI}".encode() + b"\r\n")
    dashboard.office.cut()
    dashboard.gateway.wait_state("down")
    dashboard.keep(1)
    for page in ("overview", "destinations", "queue", "report"):
        dashboard.open(page)
        browser.wait_text("<script>", "main")
        unharmed(browser)


def test_in_the_address(dashboard, browser):
    dashboard.login()
    for place in (f"#/queue?sender={SCRIPT}", f"#/message/{SCRIPT}", "#/message/..%2F..%2Fusers", f"#/destinations/{SCRIPT}", f"#/domains/{SCRIPT}",
                  f"#/{SCRIPT}", "#/../x", f"#/trace?what={SCRIPT}"):
        browser.run("location.hash = arguments[0]", place)
        dashboard.settled()
        unharmed(browser)
    browser.wait("main h1")


def test_nothing_may_run_but_our_own(dashboard, browser):
    dashboard.login()
    stopped = browser.run("""
        const out = [];
        document.addEventListener('securitypolicyviolation', e => out.push(e.effectiveDirective));
        const s = document.createElement('style'); s.textContent = 'body { color: red }'; document.head.append(s);
        const i = new Image(); i.src = 'http://127.0.0.1:9/x.png';
        try { document.body.insertAdjacentHTML('beforeend', '<b id=in>x</b>'); } catch { out.push('refused'); }
        setTimeout(() => { try { eval('window.hacked = 5'); } catch { out.push('no eval'); } }, 1); // not within devtools' own leave
        return new Promise(done => setTimeout(() => done([...new Set(out)]), 300));""")
    assert {"style-src-elem", "img-src", "refused", "no eval"} <= set(stopped), stopped
    assert browser.run("return [window.hacked ?? null, document.getElementById('in')]") == [None, None]
    browser.faults()  # they are this test's own
