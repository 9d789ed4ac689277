"""Issue 6, item 2: what the REST interface answers, whatever it is asked; TLS; restart; slow and many clients."""

import json
import re
import socket

import pytest

from support import ports, web
from support.certificates import Certificates
from support.waiting import patient, until
from support.world import World

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def shared():
    world = World()
    destination = world.destination()
    gateway = world.gateway(destination, settings=web.settings())
    web.add_user(gateway, "admin", "admin")
    destination.close()
    gateway.wait_state("down")
    for sender in ("one@client.test", "two@client.test", "boss@other.test", ""):
        content = f"Subject: {HOSTILE}\r\nX-Folded: a\r\n b\r\n\r\n..dotted \xff\r\n".encode("latin-1")
        assert gateway.send("local@example.test", sender=sender, content=content).code == 250
    gateway.wait_queue(4)
    gateway.admin = web.browser(gateway, "admin")
    yield gateway
    world.end(False)


def test_status_is_what_gatewayctl_says(shared):
    status = shared.admin.get("status").json()
    told = shared.status()
    for name in ("daemons", "domains"):
        assert status[name] == told[name], name
    assert status["queue"]["messages"] == told["queue"]["messages"] == 4
    (office,) = status["destinations"]
    assert told["destinations"][0].items() <= office.items()
    assert office["bytes"] == status["queue"]["bytes"] and office["oldest_arrival"] < office["first_expiry"]
    assert status["mode"] == "pass thro'"
    assert re.fullmatch(r"office is down since 20[0-9T:-]+Z, pass thro': mail for known recipients is accepted unscanned and kept "
                        r"\(4 messages, [^)]+\), the oldest until .*\.", status["sentence"]), status["sentence"]
    assert status["spool"]["total_bytes"] > status["spool"]["free_bytes"]
    assert {"webd", "qmgr", "master"} <= {d["name"] for d in shared.admin.get("system").json()["daemons"]}


def test_the_queue_page_by_page(shared):
    admin = shared.admin
    first = admin.get("queue?limit=3").json()
    assert first["messages"] == shared.queue()[:3] and first["total"] == 4
    rest = admin.get(f"queue?limit=3&after={first['next']}").json()
    assert [m["queue_id"] for m in first["messages"] + rest["messages"]] == [m["queue_id"] for m in shared.queue()]
    assert rest["next"] is None
    assert len(admin.get("queue?sender=@client.test").json()["messages"]) == 2
    assert admin.get("queue?sender=@client.test").json()["total"] is None, "unknown, and not 0"
    assert admin.get("queue?state=held").json() == {"messages": [], "next": None, "total": 0}
    assert admin.get("queue?older=1h").json()["messages"] == []
    assert len(admin.get("queue?younger=1h").json()["messages"]) == 4
    assert sum(a["messages"] for a in admin.get("queue/ages").json()["ages"]) == 4
    for bad in ("limit=0", "limit=x", "limit=100000", "state=x", "older=x", "after=zz", "after=~0", "sender=" + "x" * 2000):
        assert admin.get("queue?" + bad).status == 400, bad


def test_a_message_and_its_hostile_headers(shared):
    admin, id = shared.admin, shared.queue()[0]["queue_id"]
    assert admin.get(f"queue/{id}").json() == shared.json("queue", "show", id)[0]
    answer = admin.get(f"queue/{id}/headers")
    fields = {f["name"]: f["value"] for f in answer.json()["headers"]}
    assert answer.headers["Content-Type"] == "application/json"
    assert fields["Subject"] == HOSTILE and fields["X-Folded"] == "a b"
    content = admin.get(f"queue/{id}/content").json()
    assert ".dotted \N{REPLACEMENT CHARACTER}" in content["content"] and not content["truncated"]
    assert admin.get("audit?limit=1").json()["entries"][0]["action"] == f"GET /api/v1/queue/{id}/content"
    assert admin.get("queue/FFFFFFFFFFFFFFF").status == 404
    assert admin.get("queue/%3Cscript%3E").status == 400


def test_deeds(shared):
    admin, ids = shared.admin, [m["queue_id"] for m in shared.queue()]
    assert admin.post("queue/hold", {"filter": {"sender": "@client.test"}, "dry_run": True}).json()["changed"] == 2
    assert admin.get("queue?state=held").json()["total"] == 0
    assert admin.post("queue/hold", {"ids": ids[:2]}).json()["changed"] == 2
    assert admin.get("queue?state=held").json()["total"] == 2
    assert admin.post("queue/release", {"all": True}).json()["changed"] == 2
    missing = admin.post("queue/hold", {"ids": [ids[0], "FFFFFFFFFFFF"]}).json()
    assert missing["changed"] == 1 and missing["failed"] == [{"queue_id": "FFFFFFFFFFFF", "reason": "not in the queue"}]
    assert admin.post("queue/release", {"filter": {"older": "1h"}}).json()["changed"] == 0
    assert admin.post("queue/release", {"filter": {"younger": "1h", "state": "held"}}).json()["changed"] == 1
    assert admin.post("queue/extend", {"ids": ids[:1], "by": "1d"}).json()["changed"] == 1
    for bad in ({}, {"ids": "x"}, {"ids": [1]}, {"filter": {"sendr": "x"}}, {"filter": 5}, {"ids": ids, "all": True},
                {"all": "yes"}, {"ids": ["nonsense"]}):
        answer = admin.post("queue/delete", bad)
        assert answer.status == 400, (bad, answer.body)
    assert len(shared.queue()) == 4, "nothing was deleted by what was not understood"
    assert admin.post("queue/delete", {"ids": ids[3:]}).json()["changed"] == 1
    shared.wait_queue(3)


def test_roads_and_recipients(shared):
    admin = shared.admin
    assert admin.get("destinations").json()["destinations"][0]["name"] == "office"
    assert admin.post("destinations/office/pause", {"reason": "moving", "for": "1h"}).json()["state"] == "paused"
    assert shared.json("dest", "show", "office")[0]["paused_by"] == "admin", "the daemon hears who it was"
    assert admin.post("destinations/office/resume").json()["state"] != "paused"
    assert [e["state"] for e in admin.get("destinations/office/history").json()["events"]][-2:] == ["paused", "down"]
    assert admin.get("destinations/none").status == 404
    settings = admin.get("domains/example.test").json()["settings"]
    assert {"name": "destination", "value": "office", "default": False} in settings
    assert admin.post("recipients/add", {"addresses": ["new@example.test"]}).json()["changed"] == 1
    assert admin.post("recipients/deny", {"addresses": ["bad@example.test"]}).json()["changed"] == 1
    assert [r["address"] for r in admin.get("recipients?source=denied").json()["recipients"]] == ["bad@example.test"]
    seen, after = [], ""
    while True:
        page = admin.get(f"recipients?limit=1&after={after}").json()
        seen += [r["address"] for r in page["recipients"]]
        after = page["next"]
        if not after:
            break
    assert {"local@example.test", "postmaster@example.test", "new@example.test", "bad@example.test"} == set(seen)
    assert len(seen) == 4
    told = admin.post("recipients/check", {"addresses": ["new@example.test", "x@example.test"]}).json()["recipients"]
    assert [r["standing"] for r in told] == ["known", "unknown"]
    assert admin.post("recipients/add", {"addresses": ["nonsense"]}).status == 400
    assert admin.post("recipients/remove", {"addresses": ["bad@example.test"]}).json()["changed"] == 1


def test_checks_of_a_destination_and_who_was_refused(shared):
    told = shared.admin.post("destinations/office/test").json()
    assert not told["good"]
    assert [f["step"] for f in told["findings"] if f["result"] == "fail"] == ["TCP"], told
    assert shared.admin.post("destinations/nobody/test").status == 404
    for turn in (1, 2):
        assert shared.send("Stranger@example.test", sender=f"{turn}@client.test").code == 451
    (refused,) = until(lambda: [r for r in shared.admin.get("recipients/refused").json()["refused"] if r["times"] == 2],
                     "the log tells of both")
    assert refused["address"] == "Stranger@example.test" and refused["last_sender"] == "2@client.test"
    assert shared.json("rcpt", "refused")[0] == refused
    assert "Stranger@example.test" in shared.ctl("rcpt", "refused").stdout


def test_a_state_is_forced(shared):
    assert shared.admin.post("destinations/office/force", {"state": "sideways"}).status == 400
    assert shared.admin.post("destinations/office/force", {"state": "up"}).json()["state"] == "up"
    assert shared.state() == "up"
    told = shared.admin.post("destinations/office/force", {"state": "auto"}).json()
    assert told["state"] == "down" and "forced" not in told["reason"]


def test_trace_and_configuration(shared):
    admin, id = shared.admin, shared.queue()[0]["queue_id"]
    lines = admin.get(f"trace?what={id}").json()["lines"]
    assert lines == shared.json("trace", id)
    assert admin.get("trace?what=").status == 400
    names = {s["name"]: s for s in admin.get("config").json()["settings"]}
    assert names["web.listen"]["value"].strip('"') == shared.config["web"]["listen"]
    assert admin.post("config/check").json()["good"]
    assert admin.get("config/diff").json() == {"changes": []}
    text = shared.file.read_text()
    try:
        shared.file.write_text(text + "delay_warning: 4h\n")
        assert [c["name"] for c in admin.get("config/diff").json()["changes"]] == ["delay_warning"]
        assert admin.post("config/reload").json() == {"reloaded": True}
        assert admin.get("config/diff").json() == {"changes": []}
        shared.file.write_text(text + "nonsense: 1\n")
        answer = admin.post("config/check").json()
        assert not answer["good"] and "nonsense" in answer["error"]
        assert admin.post("config/reload").status == 409
    finally:
        shared.file.write_text(text)


def test_history_begins(shared):
    names = [s["name"] for s in shared.admin.get("history").json()["series"]]
    assert "queue.messages" in names

    def last():
        points = shared.admin.get("history?series=queue.messages").json()["series"][0]["points"]
        return [value for _, value in points if value is not None][-1:]

    until(lambda: last() in ([3.0], [4.0]), "a point with the messages of now", 60)
    wanted = ["rate.proxied", "queue.domain.example.test", "state.office", "queue.messages"]
    assert [s["series"] for s in shared.admin.get("history?series=" + ",".join(wanted)).json()["series"]] == wanted
    assert shared.admin.get("history?from=5&to=4").status == 400


def test_the_report_is_what_gatewayctl_says(shared):
    def outages():
        told = shared.admin.get("report").json()
        return told if told["outages"] and told["outages"][-1]["lasts"] else None

    told = until(outages, "the log tells of the outage", 30)
    assert told["period"] == "daily" and told["outages"][-1]["destination"] == "office"
    assert "\nOutages\noffice: down " in told["text"]
    assert told["title"].startswith("[Holdfast mx.example.test] the day until ")
    weekly = shared.admin.get("report?period=weekly").json()
    assert weekly["period"] == "weekly" and len(weekly["course"]) in (0, 7, 8)
    assert shared.ctl("report", "--weekly").stdout.startswith("mx.example.test: the week from ")
    assert weekly["text"].startswith("mx.example.test: the week from ")
    by_hand = json.loads(shared.ctl("report", "--weekly", "--json").stdout)
    assert by_hand.keys() == weekly.keys() and by_hand["outages"][-1]["from"] == weekly["outages"][-1]["from"]
    assert shared.admin.get("report?period=hourly").status == 400


def test_hostile_bytes_cost_nothing(shared):
    admin = shared.admin
    for path in ("/api/v1/queue?%00", "/api/v1/queue?sender=%ff%fe%00", "/%2e%2e/%2e%2e/etc/passwd", "/api/v1/../../x", "/%"):
        assert admin.get(path).status == 400, path
    assert admin.get("queue?sender=%ff%fe").status == 200
    for body in (b"", b"\x00\xff", b"[" * 10000, b'{"ids":', b"null", b'{"ids":["\\u0000"]}', b'{"filter":{"sender":"\\ud800"}}'):
        assert admin.request("POST", "queue/delete", body, Content_Type="application/json").status == 400, body[:20]
    for method in ("PUT", "TRACE", "CONNECT", "PATCH", "NONSENSE"):
        with socket.create_connection(("127.0.0.1", admin.port), timeout=patient(10)) as raw:
            raw.sendall(f"{method} / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = raw.recv(1000)
            assert not answer or int(answer.split()[1]) >= 400, (method, answer)
    with socket.create_connection(("127.0.0.1", admin.port), timeout=patient(10)) as raw:
        raw.sendall(b"POST /api/v1/queue/delete HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
        assert b"200" not in raw.recv(1000).split(b"\r\n")[0]
    assert admin.get("status").status == 200
    assert shared.status()["daemons"][-1]["restarts"] == 0


def test_live_tells_of_a_change(shared):
    connection = shared.admin.connection()
    connection.request("GET", "/api/v1/live", headers={"Cookie": shared.admin.cookie})
    response = connection.getresponse()
    assert response.headers["Content-Type"] == "text/event-stream"

    def event(name):
        """The data of the next event of that name."""
        while True:
            line = response.fp.readline().decode().strip()
            if line == f"event: {name}":
                return json.loads(response.fp.readline().decode().split(":", 1)[1])

    assert event("status")["hostname"] == "mx.example.test"
    assert shared.send("local@example.test").code == 250
    while event("queue")["messages"] != 4:
        pass
    event("ping")
    connection.close()


def test_daemons_are_restarted(world):
    gateway = world.gateway(world.destination(), settings=web.settings())
    web.add_user(gateway, "admin", "admin")
    admin = web.browser(gateway, "admin")
    old = gateway.pids("qmgr")
    assert admin.post("system/restart", {"daemon": "qmgr"}).status == 200
    gateway.wait_restarted("qmgr", old)
    assert admin.post("system/restart", {"daemon": "nobody"}).status == 404
    old = gateway.kill("webd")
    gateway.wait_restarted("webd", old)
    until(lambda: _answers(admin), "webd answers again")
    assert admin.get("status").status == 401, "sessions end with webd"
    assert admin.login("admin").status == 200
    every = {name: gateway.pids(name) for name in ("prober", "qmgr", "deliver", "smtpd", "webd")}
    admin.post("system/restart", {"daemon": "all"})
    for name, pids in every.items():
        gateway.wait_restarted(name, pids)


def _answers(browser):
    try:
        return browser.get("/healthz").status == 200
    except OSError:
        return False


def test_by_tls(world):
    certificates = world.keep(Certificates())
    gateway = world.gateway(world.destination(), settings=web.settings(tls=certificates.make("localhost")))
    web.add_user(gateway, "admin", "admin")
    admin = web.browser(gateway, "admin", tls=certificates.ca)
    assert admin.cookie.startswith("__Host-holdfast=")
    answer = admin.get("status")
    assert answer.status == 200 and "max-age" in answer.headers["Strict-Transport-Security"]
    with socket.create_connection(("127.0.0.1", admin.port), timeout=patient(10)) as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert not raw.recv(100).startswith(b"HTTP/1.1 200"), "nothing is said in the clear"


def test_another_address_needs_tls_and_a_user(world):
    certificates = world.keep(Certificates())
    gateway = world.gateway(world.destination(), start=False)
    check = lambda: gateway.ctl("config", "check")
    gateway.config["web"] = {"listen": f"0.0.0.0:{ports.free_port()}"}
    gateway.write_config()
    assert check().returncode == 78 and "web.tls.certificate" in check().stderr
    gateway.config["web"]["tls"] = certificates.make("localhost")
    gateway.write_config()
    assert check().returncode == 78 and "gatewayctl web user add" in check().stderr
    web.add_user(gateway, "admin", "admin")
    assert check().returncode == 0, check().stderr


def test_a_port_that_is_taken_costs_only_the_web(world):
    taken = socket.create_server(("127.0.0.1", 0))
    gateway = world.gateway(world.destination(), settings=web.settings(port=taken.getsockname()[1]))
    assert "the web is not served" in gateway.log("master")
    assert gateway.status()["queue"] is not None
    taken.close()
