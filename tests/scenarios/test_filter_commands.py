"""Issue 7, items 5 and 7: filters by hand, told loudly; what they have had held."""

import json

from support import milter, web
from support.milter import CLOSE
from support.waiting import until

BODY = b"Subject: x\r\n\r\nbody\r\n"
NO = milter.reply("550 5.7.1 No")


def guarded(world, destination, filter_, **more):
    settings = {"filters": [{"name": "scan", "milter": filter_.where, **more.pop("filter", {})}], **more.pop("settings", {})}
    gateway = world.gateway(destination, settings=settings, **more)
    gateway.wait_probed()
    return gateway


def rows(gateway, kind):
    return [row for row in gateway.json("filter", "list") if row["type"] == kind]


def done(result, code=0):
    assert result.returncode == code, result.stdout + result.stderr
    return result.stdout


def test_list_tells_of_failures_until_the_filter_is_gone(world, destination, filter_):
    gateway = guarded(world, destination, filter_)
    assert [(f["name"], f["failing"], f["on_failure"], f["milter"]) for f in rows(gateway, "filter")] == [("scan", False, "tempfail", filter_.where)]
    assert "no failure known" in done(gateway.ctl("filter", "list"))
    filter_.on("mail", CLOSE)
    assert gateway.send("local@example.test").code == 451
    failing = until(lambda: (f := rows(gateway, "filter")[0])["failing"] and f, "the failure is told")
    assert failing["since"] and failing["reason"]
    assert "warning: the filter scan FAILS since " in done(gateway.ctl("status"))
    assert "the filter scan fails" in gateway.status()["situation"]
    assert [a["kind"] for a in gateway.json("alert", "list") if a["type"] == "alert"] == ["filter_failing"]
    gateway.config["filters"] = []
    gateway.write_config()
    gateway.reload()
    until(lambda: not [a for a in gateway.json("alert", "list") if a["type"] == "alert"], "of a filter that is not there nobody speaks")
    assert done(gateway.ctl("filter", "list")) == "No filter is configured.\n"


def test_a_filter_is_asked_by_hand(world, destination, filter_, tmp_path):
    gateway = guarded(world, destination, filter_)
    assert done(gateway.ctl("filter", "test")) == "scan accepts\n"
    told = dict(filter_.heard)
    assert told["mail"].startswith(b"<postmaster@mx.example.test>") and told["rcpt"].startswith(b"<postmaster@example.test>")
    assert b"goes to nobody" in told["body"]
    filter_.on("end", milter.add_header("X-Scanned", "yes") + milter.replace_body(b"other\r\n") + milter.add_rcpt("more@example.test"))
    assert done(gateway.ctl("filter", "test", "scan")) == "scan accepts\n  + X-Scanned: yes\n  another body\n  + recipient more@example.test\n"
    mail = tmp_path / "mail"
    mail.write_bytes(b"Subject: mine\n\n.dot\n")
    filter_.on("end", milter.quarantine("odd"))
    answer = json.loads(done(gateway.ctl("filter", "test", "scan", str(mail), "--sender", "a@b.test", "--recipient", "local@example.test", "--json"), 65))
    assert (answer["verdict"], answer["reason"], answer["accepts"]) == ("quarantines", "odd", False)
    assert [data for stage, data in filter_.heard if stage == "body"][-1] == b".dot\r\n"
    filter_.on("end", NO)
    assert done(gateway.ctl("filter", "test"), 65) == "scan refuses: 550 5.7.1 No (at END-OF-MESSAGE)\n"
    filter_.close()
    assert done(gateway.ctl("filter", "test"), 69).startswith("scan fails: ")
    assert "no filter 'other'" in gateway.ctl("filter", "test", "other").stderr
    assert destination.messages == [] and gateway.queue() == []


def test_bypass_by_hand_is_marked_loud_and_outlives_restarts(world, destination, filter_):
    filter_.on("rcpt", NO)
    gateway = guarded(world, destination, filter_)
    assert gateway.send("local@example.test").code == 550
    assert "BYPASSED BY HAND for mail of all domains, until 20" in done(gateway.ctl("filter", "bypass", "on", "--for", "2h"))
    before = len(filter_.heard)
    assert gateway.send("local@example.test", content=BODY).code == 250
    assert destination.wait_for(1)[0].body.startswith(b"X-Holdfast-Unfiltered: yes\r\n"), "it went through, and is marked"
    assert len(filter_.heard) == before
    gateway.wait_log("smtpd", "unfiltered: ")
    row, = rows(gateway, "bypass")
    assert row["domain"] == "example.test" and row["on"] and row["by_hand"] and row["until"] and row["by"]
    status = done(gateway.ctl("status"))
    assert "filters are bypassed by hand" in status and "warning: filters are BYPASSED BY HAND for mail of all domains" in status
    gateway.stop()
    gateway.start()
    gateway.wait_probed()
    assert gateway.send("local@example.test", content=BODY).code == 250
    assert done(gateway.ctl("filter", "bypass", "auto")) == "filters are asked, as configured\n"
    assert gateway.send("local@example.test").code == 550
    assert rows(gateway, "bypass") == []


def test_bypass_ends_by_itself_and_is_for_a_domain(world, destination, filter_):
    filter_.on("rcpt", NO)
    gateway = guarded(world, destination, filter_, domains={name: {"destination": "office", "local_recipients": ["local"]} for name in ("example.test", "second.test")})
    done(gateway.ctl("filter", "bypass", "on", "--domain", "second.test"))
    assert gateway.send("local@second.test").code == 250
    assert gateway.send("local@example.test").code == 550
    assert "for mail of second.test, until it is ended" in done(gateway.ctl("status"))
    done(gateway.ctl("filter", "bypass", "on", "--domain", "second.test", "--for", "1s"))
    until(lambda: gateway.send("local@second.test").code == 550, "the bypass has ended")
    assert rows(gateway, "bypass") == []
    for words, code in ((("on", "--for", "0s"), 64), (("auto", "--for", "1h"), 64), (("on", "--domain", "strange.test"), 67),
                        (("on", "--dest", "strange"), 67), (("perhaps",), 64)):
        done(gateway.ctl("filter", "bypass", *words), code)


def test_off_asks_even_in_an_outage_and_an_outage_is_told(world, destination, filter_):
    gateway = guarded(world, destination, filter_)
    destination.close()
    gateway.wait_state("down")
    assert "pass thro': mail for known recipients is accepted unscanned and kept" in gateway.status()["situation"]
    assert "filters are bypassed for mail of all domains while office is down" in gateway.status()["warnings"]
    assert gateway.send("local@example.test").code == 250
    gateway.wait_queue(1)
    assert gateway.status()["queue"]["unfiltered"] == 1
    assert [m["unfiltered"] for m in gateway.queue("--unfiltered")] == [True]
    assert "1 UNSCANNED" in done(gateway.ctl("status"))
    filter_.on("rcpt", NO)
    done(gateway.ctl("filter", "bypass", "off", "--dest", "office"))
    assert gateway.send("local@example.test").code == 550
    assert "unscanned and" not in gateway.status()["situation"]
    done(gateway.ctl("queue", "delete", "--unfiltered", "--yes"))
    gateway.wait_queue(0)
    assert gateway.status()["queue"]["unfiltered"] == 0


def quarantine(gateway, filter_, *mails):
    for reason, sender in mails:
        filter_.on("end", milter.quarantine(reason))
        assert gateway.send("local@example.test", sender=sender, content=BODY).code == 250
    gateway.wait_queue(len(mails))


def test_quarantine_by_reason(world, destination, filter_):
    gateway = guarded(world, destination, filter_)
    assert done(gateway.ctl("quarantine", "list")) == "Nothing is in quarantine.\n"
    quarantine(gateway, filter_, ("zip in zip", "a@client.test"), ("zip in zip", "b@client.test"), ("odd link", "c@client.test"))
    groups = gateway.json("quarantine", "list")
    assert [(g["reason"], g["messages"]) for g in groups] == [("filter: zip in zip", 2), ("filter: odd link", 1)]
    assert [m["sender"] for m in gateway.json("quarantine", "list", "--reason", "ZIP")] == ["a@client.test", "b@client.test"]
    assert len(gateway.queue("--held-by", "zip")) == 2
    odd, = gateway.queue("--held-by", "odd link")
    assert "which messages?" in gateway.ctl("quarantine", "release").stderr
    done(gateway.ctl("quarantine", "delete", "--reason", "zip"), 64)
    assert done(gateway.ctl("quarantine", "delete", "--reason", "zip", "--dry-run")) == "would be: 2 messages deleted\n"
    assert done(gateway.ctl("quarantine", "delete", "--reason", "zip", "--yes")) == "2 messages deleted\n"
    assert done(gateway.ctl("quarantine", "release", odd["queue_id"])) == "1 message released\n"
    assert destination.wait_for(1)[0].sender == "c@client.test"
    done(gateway.ctl("quarantine", "release", odd["queue_id"]), 67)


def test_what_an_admin_holds_is_not_in_quarantine(world, destination, filter_):
    gateway = guarded(world, destination, filter_)
    destination.close()
    gateway.wait_state("down")
    assert gateway.send("local@example.test").code == 250
    gateway.wait_queue(1)
    held = gateway.queue()[0]["queue_id"]
    done(gateway.ctl("queue", "hold", held))
    assert gateway.json("quarantine", "list") == []
    assert "is not in quarantine" in gateway.ctl("quarantine", "release", held).stderr
    assert done(gateway.ctl("quarantine", "delete", "--all", "--yes")) == "0 messages deleted\n"


def test_released_and_allowed_is_not_held_again(world, destination, filter_):
    gateway = guarded(world, destination, filter_)
    quarantine(gateway, filter_, ("odd", "Friend@client.test"), ("odd", "other@client.test"))
    wanted, = gateway.queue("--sender", "friend@client.test")
    out = done(gateway.ctl("quarantine", "release", wanted["queue_id"], "--allow"))
    assert "allowed: Friend@client.test: " in out
    assert destination.wait_for(1)[0].sender == "Friend@client.test"
    assert "allow-senders:" in done(gateway.ctl("list", "check", "friend@client.test"))
    until(lambda: gateway.send("local@example.test", sender="friend@client.test", content=BODY).code == 250
          and len(destination.messages) > 1, "it is not held again")
    gateway.wait_log("smtpd", "allowed sender")
    gateway.wait_queue(1)
    filter_.on("end", NO)
    assert gateway.send("local@example.test", sender="friend@client.test").code == 550, "what is refused stays refused"
    filter_.on("end", milter.quarantine("odd"))
    assert gateway.send("local@example.test", sender="", content=BODY).code == 250
    gateway.wait_queue(2)
    assert "null sender" in gateway.ctl("quarantine", "release", "--all", "--allow").stderr
    assert len(gateway.queue()) == 2, "nothing was done"


def test_web_says_and_does_the_same(world, destination, filter_):
    filter_.on("rcpt", NO)
    gateway = guarded(world, destination, filter_, settings=web.settings())
    users = {role: (web.add_user(gateway, role, role), web.browser(gateway, role))[1] for role in ("viewer", "operator", "admin")}
    viewer, operator, admin = users["viewer"], users["operator"], users["admin"]
    for path in ("filters/bypass", "filters/test", "quarantine/release", "quarantine/delete"):
        assert viewer.post(path, {}).status == 403, path
    assert operator.post("quarantine/delete", {"all": True}).status == 403
    assert operator.post("quarantine/release", {"all": True, "allow": True}).status == 403
    assert operator.post("filters/bypass", {"word": "perhaps"}).status == 400
    assert operator.post("filters/bypass", {"word": "on", "for": "1h"}).json() == {"changed": 1}
    told = viewer.get("filters").json()
    assert told["bypass"][0]["by"] == "operator" and "BYPASSED BY HAND" in told["warnings"][0]
    assert viewer.get("status").json()["warnings"] == told["warnings"]
    assert gateway.send("local@example.test").code == 250
    assert operator.post("filters/bypass", {"word": "auto"}).status == 200
    answer = operator.post("filters/test", {"filter": "scan"}).json()
    assert (answer["good"], answer["filters"][0]["reason"]) == (False, "550 5.7.1 No (at RCPT)")
    filter_.on("rcpt", None)
    quarantine(gateway, filter_, ("odd", "a@client.test"))
    assert [(r["reason"], r["messages"]) for r in viewer.get("quarantine").json()["reasons"]] == [("filter: odd", 1)]
    assert len(viewer.get("queue?held_by=odd").json()["messages"]) == 1
    assert viewer.get("queue?unfiltered=yes").json()["messages"] == []
    trial = admin.post("quarantine/release", {"reason": "odd", "allow": True, "dry_run": True}).json()
    assert (trial["changed"], trial["allowed"]) == (1, ["a@client.test"])
    assert admin.post("quarantine/release", {"reason": "odd", "allow": True}).json()["allowed"] == ["a@client.test"]
    assert destination.wait_for(2)[1].sender == "a@client.test"
    entries = admin.get("audit").json()["entries"]
    assert any("allowed a@client.test" in e["detail"] for e in entries)
    assert any(e["action"].endswith("filters/bypass") and e["detail"] == "on for 1h" for e in entries), entries[:5]
