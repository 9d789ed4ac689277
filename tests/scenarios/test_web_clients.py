"""Issue 6, item 2: clients of the web that go away early cost nothing.

Tried with the protection taken out: without the evhttp_request_free() of webd/server.cc it fails.
"""

import http.client
import socket

from support import ports, web
from support.processes import anonymous_kib
from support.waiting import patient, sanitized, until

STREAMS = 300
MOST = 256  # connections at a time, as webd/server.h has it
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


def test_more_connections_than_it_takes_wait_at_the_door_and_are_served_when_others_go(world, destination):
    gateway = world.gateway(destination, settings=web.settings())
    port = web.port_of(gateway)
    address = ("127.0.0.1", port)
    until(lambda: not ports.refused(port), "webd listens")
    many = [socket.create_connection(address, timeout=patient(30)) for _ in range(MOST)]
    gateway.wait_log("webd", "no more are taken for now", 30)
    late = socket.create_connection(address, timeout=patient(30))  # the kernel takes it; webd does not
    late.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    late.settimeout(1)
    try:
        early = late.recv(100)
    except TimeoutError:
        early = None
    assert early is None, "it waits"
    for connection in many:
        connection.close()
    late.settimeout(patient(30))
    assert late.recv(100).startswith(b"HTTP/1.1 200 ")
    late.close()
