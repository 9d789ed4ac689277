"""Issue 6, item 2: clients of the web that go away early cost nothing.

Tried with the protection taken out: without the evhttp_request_free() of webd/server.cc it fails.
"""

import http.client

from support import web
from support.processes import anonymous_kib
from support.waiting import patient, sanitized, until

STREAMS = 300
# In KiB. A sanitizer keeps what was freed for a while, and tells of what was not by itself.
GROWTH = 512 << 10 if sanitized() else 3 << 10
FILLER = "x" * 30_000  # a request that is left behind shows


def leave_a_stream(gateway):
    connection = http.client.HTTPConnection("127.0.0.1", web.port_of(gateway), timeout=patient(30))
    connection.request("GET", "/api/v1/live", headers={"Cookie": gateway.admin.cookie, "X-Filler": FILLER})
    response = connection.getresponse()
    begun = response.status == 200 and response.readline() != b""
    connection.close()
    return begun


def test_a_stream_that_is_left_leaves_nothing(world, destination):
    gateway = world.gateway(destination, settings=web.settings())
    web.add_user(gateway, "admin", "admin")
    gateway.admin = web.browser(gateway, "admin")
    webd, = gateway.pids("webd")
    for _ in range(20):
        until(lambda: leave_a_stream(gateway), "a stream begins", every=0.1)
    before = anonymous_kib(webd)
    for _ in range(STREAMS):
        until(lambda: leave_a_stream(gateway), "a stream begins", every=0.1)
    assert anonymous_kib(webd) - before < GROWTH
