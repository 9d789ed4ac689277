"""A gateway with webd before it, its users, and the browser on its pages."""

import urllib.parse

from support import ports, web
from support.waiting import until

PASSWORD = web.PASSWORD
PAGES = ("overview", "queue", "destinations", "domains", "recipients", "trace", "filters", "report", "alerts", "config", "system")


class Dashboard:
    def __init__(self, browser, world, servers, **options):
        self.browser = browser
        self.port = ports.free_port()
        settings = {**options.pop("settings", {}), "web": {"listen": f"127.0.0.1:{self.port}"}}
        self.gateway = world.gateway(*servers, settings=settings, **options)
        self.base = f"http://127.0.0.1:{self.port}"
        self.users = set()

    def user(self, name, role):
        if name in self.users:
            return
        self.users.add(name)
        web.add_user(self.gateway, name, role)

    def login(self, role="admin"):
        """As a user with that name and role, and nobody before."""
        self.user(role, role)
        self.browser.forget()
        until(lambda: not ports.refused(self.port), "webd listens")
        self.browser.driver.get(self.base + "/")
        self.browser.type("input[name=name]", role)
        self.browser.type("input[name=password]", PASSWORD)
        self.browser.press("Log in")
        self.browser.wait(".shell .live.good")
        return self.browser

    def open(self, page, **filters):
        query = "?" + urllib.parse.urlencode(filters) if filters else ""
        self.browser.run("location.hash = arguments[0]", f"#/{page}{query}")
        self.settled()
        return self.browser

    def settled(self):
        """Until the page of this place is there, and says nowhere any more that it is looking."""
        def there():
            place, text = self.browser.run("return [document.querySelector('.page')?.dataset.place === location.hash, "
                                           "document.querySelector('main')?.innerText ?? '']")
            return place and text.strip() and "Looking …" not in text

        until(there, "the page has looked", 30, every=0.05)

    def ids(self):
        """Those of the list in sight."""
        return self.browser.run("return [...document.querySelectorAll('tr[data-id]')].map(r => r.dataset.id)")

    def wait_ids(self, count):
        return until(lambda: len(self.ids()) == count and (self.ids() or True), f"{count} messages are listed", 30, every=0.05)

    def down(self, destination, name="office"):
        destination.close()
        self.gateway.wait_state("down", name=name)

    def keep(self, count, recipient="local@example.test", **options):
        """Sends messages that are kept, their destination being down; returns their ids, oldest first."""
        before = {m["queue_id"] for m in self.gateway.queue()}
        for _ in range(count):
            assert self.gateway.send(recipient, **options).code == 250
        queue = until(lambda: len(q := self.gateway.queue()) >= len(before) + count and q, "all are kept", 20, every=0.05)
        return [m["queue_id"] for m in queue if m["queue_id"] not in before]
