"""A real Chromium (Debian's, without a window), steered by chromedriver; and what an admin's hands do in it."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from selenium import webdriver
from selenium.common.exceptions import (ElementClickInterceptedException, ElementNotInteractableException,
                                        JavascriptException, NoSuchElementException, StaleElementReferenceException)
from selenium.webdriver.chromium.remote_connection import ChromiumRemoteConnection
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from support import guard, ports
from support.peers import PEERS
from support.processes import in_session
from support.waiting import patient, until

DESKTOP, PHONE = (1280, 860), (390, 844)
ZONE = "Europe/Berlin"

# Not yet, or not any more: what a page that redraws itself answers at times.
_PASSING = (NoSuchElementException, StaleElementReferenceException, ElementClickInterceptedException,
            ElementNotInteractableException)

_TEXT_OF = "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)"


class Browser:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-web-"))
        guard.watch("folder", self.folder)
        port = ports.free_port()
        # Its profile and sockets lie in the folder of its own.
        env = {**os.environ, "TMPDIR": str(self.folder), "HOME": str(self.folder), "TZ": ZONE}
        self.process = subprocess.Popen(["/usr/bin/chromedriver", f"--port={port}"], stdin=subprocess.DEVNULL, env=env,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        guard.watch("session", self.process.pid)
        until(lambda: not ports.refused(port), "chromedriver listens", 60)
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                     "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"):
            options.add_argument(word)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        connection = ChromiumRemoteConnection(f"http://127.0.0.1:{port}", "goog", "chrome")
        connection.set_timeout(patient(120))
        self.driver = webdriver.Remote(connection, options=options)
        self.size(DESKTOP)

    def stop(self):
        try:
            self.driver.quit()
        finally:
            for pid in in_session(self.process.pid):
                try:
                    os.kill(pid, 9)
                except ProcessLookupError:
                    pass
            self.process.wait(10)
            until(lambda: not in_session(self.process.pid), "the browser has ended")
            guard.over("session", self.process.pid)
            shutil.rmtree(self.folder, ignore_errors=True)
            guard.over("folder", self.folder)

    # how it looks

    def devtools(self, command, **parameters):
        return self.driver.execute("executeCdpCommand", {"cmd": command, "params": parameters})["value"]

    def size(self, size):
        self.devtools("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1,
                      mobile=size[0] < 600)

    def media(self, **features):
        """prefers_color_scheme="dark" and the like; none: as it was."""
        self.devtools("Emulation.setEmulatedMedia",
                      features=[{"name": name.replace("_", "-"), "value": value} for name, value in features.items()])

    def forget(self):
        """Cookies, storage and the log, as of a new admin's."""
        self.driver.get("about:blank")
        self.devtools("Network.clearBrowserCookies")
        self.devtools("Storage.clearDataForOrigin", origin="*", storageTypes="all")
        self.driver.get_log("browser")
        self.size(DESKTOP)
        self.media()

    def faults(self):
        """What the browser's console holds against the pages; refused requests are the tests' own doing."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE" and "Failed to load resource" not in entry["message"]
                and "ERR_CONNECTION" not in entry["message"] and "ERR_INCOMPLETE_CHUNKED" not in entry["message"]
                and "ERR_EMPTY_RESPONSE" not in entry["message"] and "ERR_NETWORK" not in entry["message"]]

    # what is there

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def texts(self, css):
        return self.run(_TEXT_OF, css)

    def text(self, css="main"):
        return "\n".join(self.texts(css))

    def find(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def attribute(self, css, name):
        """At once, so that no redrawing comes between."""
        return self.run("return document.querySelector(arguments[0])?.getAttribute(arguments[1]) ?? null", css, name)

    def wait(self, css, timeout=30):
        until(lambda: self.run("return document.querySelector(arguments[0]) !== null", css), f"{css} is shown", timeout, every=0.05)

    def wait_gone(self, css, timeout=30):
        until(lambda: self.run("return document.querySelector(arguments[0]) === null", css), f"{css} is gone", timeout, every=0.05)

    def wait_text(self, words, css="body", timeout=30):
        def seen():
            try:
                return any(words in text for text in self.texts(css))
            except JavascriptException:
                return False
        try:
            until(seen, "", timeout, every=0.05)
        except AssertionError:
            raise AssertionError(f"{words!r} is not in {css}: {self.text(css)[:1500]!r}") from None

    @property
    def address(self):
        return self.run("return location.hash")

    # what an admin does

    def do(self, css, deed):
        """Does it to the element, also when the page redraws it in that moment."""
        def tried():
            try:
                deed(self.find(css))
                return True
            except _PASSING:
                return False
        until(tried, f"{css} can be used", 30, every=0.05)

    def click(self, css):
        self.wait(css)
        self.do(css, lambda element: element.click())

    def button(self, label, within="body"):
        """The CSS of a button with that label, marked so that it is found again."""
        mark = "b-" + "".join(c if c.isalnum() else "-" for c in label)
        found = self.run("""
            const all = [...document.querySelectorAll(`${arguments[0]} button, ${arguments[0]} a.button`)];
            const one = all.find(b => b.textContent.trim() === arguments[1] && !b.disabled);
            if (one) { document.querySelectorAll(`[data-found="${arguments[2]}"]`).forEach(e => delete e.dataset.found);
                       one.dataset.found = arguments[2]; }
            return one !== undefined""", within, label, mark)
        return f'[data-found="{mark}"]' if found else None

    def press(self, label, within="body"):
        def tried():
            css = self.button(label, within)
            if css is None:
                return False
            try:
                self.find(css).click()
                return True
            except _PASSING:
                return False
        until(tried, f"the button {label!r} can be pressed; there are {self.texts(within + ' button')}", 30, every=0.05)

    def type(self, css, text):
        self.wait(css)
        self.do(css, lambda element: (element.clear(), element.send_keys(text)))

    def choose(self, css, value):
        self.wait(css)
        self.run("const e = document.querySelector(arguments[0]); e.value = arguments[1];"
                 "e.dispatchEvent(new Event('change', {bubbles: true}))", css, value)

    def keys(self, *keys):
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def focused(self):
        return self.run("const e = document.activeElement; return e.tagName + ':' + (e.getAttribute('aria-label') || e.textContent).trim()")

    def audit(self):
        """Serious and critical faults that axe-core finds in the page as it is, each with its places."""
        source = PEERS / "axe/node_modules/axe-core/axe.min.js"
        self.run(source.read_text())
        found = self.driver.execute_async_script("""
            const done = arguments[arguments.length - 1];
            axe.run(document, {resultTypes: ['violations']}).then(r => done(r.violations.map(v => [v.impact, v.id,
              v.nodes.slice(0, 5).map(n => n.target.join(' ') + ': ' + n.any.concat(n.all).map(a => a.message).join('; '))])),
              e => done([['critical', String(e), []]]));""")
        return [json.dumps(fault) for fault in found if fault[0] in ("serious", "critical")]


ENTER, TAB, ESCAPE = Keys.ENTER, Keys.TAB, Keys.ESCAPE
