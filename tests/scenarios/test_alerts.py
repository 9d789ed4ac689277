"""Issue 6, alerts: the admin hears of an outage by a road that does not need the dead server."""

import json
import os
import signal
import time

import pytest

from support.certificates import Certificates
from support.receivers import Pager, WebReceiver, letters, relay, titles
from support.waiting import holds, until

TO = "admin@elsewhere.test"


@pytest.fixture
def certificates(world):
    return world.keep(Certificates())


@pytest.fixture
def web(world):
    return world.keep(WebReceiver())


def by_mail(*relays, **more):
    return {"mail": {"to": [TO], "relays": [r.server for r in relays], "tls": {"policy": "off"}, **more}}


def guarded(world, destination, alerts, **settings):
    gateway = world.gateway(destination, settings={"alerts": alerts, **settings})
    gateway.wait_probed()
    return gateway


def listed(gateway, kind):
    """Rows of `alert list`: alert, road, silence."""
    return [row for row in gateway.json("alert", "list") if row["type"] == kind]


def test_an_outage_is_told_at_once_and_its_end_with_what_was_queued(world, destination, certificates, web, tmp_path):
    password = tmp_path / "password"
    password.write_text("sesame\n")
    mail = world.keep(relay(certificates, "gateway", "sesame"))
    gateway = guarded(world, destination, {
        **by_mail(mail, tls={"policy": "verify", "ca_file": str(certificates.ca)},
                  auth={"user": "gateway", "password_file": str(password)}),
        "webhooks": [{"url": web.url}]})
    destination.close()
    gateway.wait_state("down")
    letter = (mail.wait_for(1, 10), letters(mail)[0])[1]
    assert letter["Subject"] == "[Holdfast mx.example.test] office is down"
    assert letter["To"] == f"<{TO}>" and letter["From"] == "Holdfast <holdfast@mx.example.test>"
    assert letter["Auto-Submitted"] == "auto-generated" and letter["Message-ID"] and letter["Date"]
    assert "connection refused" in letter.get_payload().lower()
    assert "gatewayctl dest test office" in letter.get_payload()
    taken = mail.messages[0]
    assert taken.secured and taken.recipients == [TO]
    assert mail.saw("MAIL FROM:<>"), "nothing is ever returned"
    assert all(secured for secured, _ in mail.logins) and mail.logins, "the password never goes in the clear"
    told = web.wait_for("opened", "destination_down")
    assert told["subject"] == "office" and told["severity"] == "critical"

    for _ in range(3):
        assert gateway.send("local@example.test").code == 250
    gateway.wait_queue(3)
    destination.start()
    gateway.wait_state("up")
    mail.wait_for(2)
    letter = letters(mail)[1]
    assert letter["Subject"] == "[Holdfast mx.example.test] office is up again"
    text = letter.get_payload()
    assert "It lasted " in text and "Queued at most: 3 messages" in text and "Handed over since: 3." in text
    assert "Still queued: no message." in text
    assert letter["References"] == letters(mail)[0]["References"], "one thread"
    cleared = web.wait_for("cleared", "destination_down")
    assert cleared["until"] and cleared["alert"] == told["alert"]
    assert len(mail.messages) == 2


def test_the_second_relay_is_taken_when_the_first_is_down(world, destination):
    first, second = world.keep(relay()), world.keep(relay())
    first.close()
    gateway = guarded(world, destination, by_mail(first, second))
    destination.close()
    gateway.wait_state("down")
    second.wait_for(1)
    assert titles(second) == ["office is down"]
    first.start().on("mail", "451 4.3.2 Not now")
    destination.start()
    gateway.wait_state("up")
    second.wait_for(2)
    assert titles(second) == ["office is down", "office is up again"]
    assert first.messages == []


def test_what_no_road_takes_is_tried_again_after_kill_of_alertd_and_of_all(world, destination, web):
    mail = world.keep(relay())
    mail.close()
    web.status = 503
    gateway = guarded(world, destination, {**by_mail(mail), "webhooks": [{"url": web.url}]})
    destination.close()
    gateway.wait_state("down")
    gateway.wait_log("alertd", f"not sent by mail {TO}")
    gateway.wait_log("alertd", "not sent by webhook 1")
    roads = {row["road"]: row for row in listed(gateway, "road")}
    assert roads[f"mail {TO}"]["ok"] is False and roads[f"mail {TO}"]["waiting"] == 1
    assert "503" in next(row["said"] for name, row in roads.items() if name.startswith("webhook"))

    old = gateway.kill("alertd")
    gateway.wait_restarted("alertd", old)
    gateway.wait_log("alertd", "notices are still to be sent")
    gateway.crash()
    mail.start()
    gateway.start()
    mail.wait_for(1)
    assert titles(mail)[0] == "office is down"
    waiting = len(web.requests)
    web.status = 200
    until(lambda: len(web.requests) > waiting, "the webhook is tried again", 40)
    down = [t for t in titles(mail) if t == "office is down"]
    assert len(down) == 1, "told once, although it was killed twice"
    until(lambda: all(row["waiting"] == 0 for row in listed(gateway, "road")), "nothing waits any more", 40)


def test_a_wrong_password_is_shown_and_what_waited_goes_when_it_is_right(world, destination, certificates, tmp_path):
    password = tmp_path / "password"
    password.write_text("wrong\n")
    mail = world.keep(relay(certificates, "gateway", "sesame"))
    gateway = guarded(world, destination, by_mail(
        mail, tls={"policy": "encrypt"}, auth={"user": "gateway", "password_file": str(password)}))
    destination.close()
    gateway.wait_state("down")
    road = until(lambda: next((row for row in listed(gateway, "road") if row["ok"] is False), None), "the road is bad")
    assert "535" in road["said"] and "Wrong password" in road["said"], road
    assert "sesame" not in str(road) and "wrong\n" not in gateway.log("alertd")
    assert "FAILS" in gateway.ctl("alert", "list").stdout
    password.write_text("sesame\n")
    gateway.reload()
    done = gateway.ctl("alert", "test")
    assert done.returncode == 0, done
    mail.wait_for(2)
    assert sorted(titles(mail)) == ["a test", "office is down"]


def test_a_certificate_that_is_not_the_relays_is_refused(world, destination, certificates):
    mail = world.keep(relay(certificates))
    gateway = guarded(world, destination, by_mail(mail, tls={"policy": "verify"}))  # the system's CAs do not know it
    done = gateway.ctl("alert", "test")
    assert done.returncode == 75 and "certificate" in done.stdout.lower(), done
    assert mail.messages == []


def test_flapping_is_one_alert(world, destination):
    mail = world.keep(relay())
    gateway = guarded(world, destination, by_mail(mail))
    for _ in range(4):
        destination.close()
        gateway.wait_state("down")
        destination.start()
        gateway.wait_state("up")
    mail.wait_for(5)
    until(lambda: [a for a in listed(gateway, "alert") if a["state"] == "flapping" and a["count"] == 4], "it is flapping")
    holds(lambda: len(mail.messages) == 5, "nothing more is sent", 2)
    assert titles(mail) == ["office is down", "office is up again"] * 2 + ["again and again: office is down"]
    assert len({letter["References"] for letter in letters(mail)}) == 1, "one alert"


def test_the_command_gets_its_facts_and_has_no_privilege(world, destination):
    pager = world.keep(Pager())
    gateway = guarded(world, destination, {"command": [str(pager.program), "--to", "a b; $(touch x)"]})
    destination.close()
    gateway.wait_state("down")
    env, told = until(pager.runs, "the command has run")[0]
    assert env["HOLDFAST_KIND"] == told["kind"] == "destination_down"
    assert env["HOLDFAST_SUBJECT"] == "office" and env["HOLDFAST_WHAT"] == "opened"
    assert told["title"] == "[Holdfast mx.example.test] office is down" and told["held"] == 0
    assert (pager.folder / "capabilities").read_text().split() == ["CapEff:", "0000000000000000", "NoNewPrivs:", "1"]
    assert (pager.folder / "words").read_text() == "--to a b; $(touch x)\n" and not (pager.folder / "x").exists()


def test_a_command_that_hangs_is_killed_and_tried_again(world, destination):
    pager = world.keep(Pager(ending="exec sleep 1000"))
    gateway = guarded(world, destination, {"command": [str(pager.program)], "command_limit": "1s"})
    destination.close()
    gateway.wait_log("alertd", "not sent by command, will be tried again: killed after 1 s", 30)


def test_mail_flows_while_alertd_is_dead_and_events_are_kept_for_it(world, destination, web):
    gateway = guarded(world, destination, {"webhooks": [{"url": web.url}]})
    stopped = gateway.kill("alertd", signal.SIGSTOP)
    assert gateway.send("local@example.test").text == "250 2.0.0 Taken"
    old = gateway.kill("qmgr")
    until(lambda: set(gateway.pids("qmgr")) - set(old), "qmgr is back")
    destination.close()
    gateway.wait_state("down")
    assert gateway.send("local@example.test").text.startswith("250 2.0.0 Ok: queued as ")
    assert web.requests == []
    for pid in stopped:
        os.kill(pid, signal.SIGKILL)
    web.wait_for("opened", "destination_down")
    died = until(lambda: {t["subject"] for t in web.told() if t["kind"] == "daemon_died"} >= {"qmgr", "alertd"} or None,
                 "the deaths of qmgr and of alertd itself are told of")
    assert died
    gateway.wait_running()


def test_acknowledged_silenced_and_shown(world, destination, web):
    gateway = guarded(world, destination, {"webhooks": [{"url": web.url, "format": "template",
                                                         "template": '{"what": {{what_json}}, "kind": "{{kind}}"}',
                                                         "headers": ["X-Room: 7"]}]})
    assert gateway.status()["alerts"] == []
    assert gateway.ctl("alert", "silence", "ofice", "--for", "1h").returncode == 67
    assert gateway.ctl("alert", "silence", "office", "--for", "1h").returncode == 0
    destination.close()
    gateway.wait_state("down")
    alert = until(lambda: listed(gateway, "alert"), "it is known")[0]
    assert alert["silenced"] and alert["told"] is None
    holds(lambda: web.requests == [], "nobody is told", 1)
    assert [row["what"] for row in listed(gateway, "silence")] == ["office"]
    assert gateway.ctl("alert", "unsilence", "office").returncode == 0
    web.wait_for("opened", "destination_down")
    assert web.requests[0][1]["X-Room"] == "7"
    assert [a["title"] for a in gateway.status()["alerts"]] == ["office is down"]
    assert f"1 open: {alert['id']} office is down" in gateway.ctl("status").stdout
    assert gateway.ctl("alert", "ack", "999").returncode == 67
    assert gateway.ctl("alert", "ack", alert["id"]).returncode == 0
    assert listed(gateway, "alert")[0]["acknowledged_by"]
    assert "(acknowledged)" in gateway.ctl("status").stdout


def test_a_test_goes_by_each_road_and_says_what_was_answered(world, destination, web):
    mail, pager = world.keep(relay()), world.keep(Pager(ending="echo no line; exit 3"))
    gateway = guarded(world, destination, {**by_mail(mail), "webhooks": [{"url": web.url}], "command": [str(pager.program)]})
    rows = gateway.ctl("alert", "test", "--json")
    assert rows.returncode == 75, "one of them fails"
    answers = {row["road"].split()[0]: row for row in map(json.loads, rows.stdout.splitlines())}
    assert answers["mail"]["ok"] and "250" in answers["mail"]["said"], answers
    assert answers["webhook"]["ok"] and "200" in answers["webhook"]["said"], answers
    assert not answers["command"]["ok"] and answers["command"]["said"] == "exit 3: no line", answers
    assert titles(mail) == ["a test"] and web.told()[0]["what"] == "test"


def test_without_a_road_alerts_are_listed_all_the_same(gateway, destination):
    destination.close()
    gateway.wait_state("down")
    until(lambda: [a["kind"] for a in listed(gateway, "alert")] == ["destination_down"] or None, "it is listed")
    assert gateway.ctl("alert", "test").returncode == 78
    assert "nobody is told" in gateway.ctl("config", "check").stderr


def test_states_are_looked_at(world, destination, certificates, web):
    gateway = guarded(world, destination, {"webhooks": [{"url": web.url}]}, tls=certificates.make("mx.example.test", days=3))
    told = web.wait_for("opened", "certificate_expires")
    assert told["subject"].endswith("mx.example.test.pem")
    gateway.config["alerts"]["queue_messages"] = 2
    gateway.reload()
    gateway.wait_log("alertd", "configuration reloaded")
    destination.close()
    gateway.wait_state("down")
    for _ in range(3):
        assert gateway.send("local@example.test").code == 250
    gateway.wait_queue(3)
    gateway.reload()  # it looks at once
    web.wait_for("opened", "queue_long")
    destination.start()
    gateway.wait_queue(0)
    gateway.wait_state("up")
    gateway.reload()
    web.wait_for("cleared", "queue_long")


def test_pausing_ends_an_outage_in_words_of_its_own(world, destination, web):
    gateway = guarded(world, destination, {"webhooks": [{"url": web.url}]})
    destination.close()
    gateway.wait_state("down")
    web.wait_for("opened", "destination_down")
    assert gateway.ctl("dest", "pause", "office").returncode == 0
    assert web.wait_for("cleared", "destination_down")["title"].endswith("office is paused by the admin")
    assert gateway.ctl("dest", "resume", "office").returncode == 0


def test_a_drain_that_refusals_stop_is_told_and_its_going_on(world, destination, web):
    gateway = guarded(world, destination, {"webhooks": [{"url": web.url}]})
    destination.close()
    gateway.wait_state("down")
    for sender in "abc":
        assert gateway.send("local@example.test", sender=f"{sender}@client.test").code == 250
    gateway.wait_queue(3)
    destination.on("mail", lambda session, sender: "550 5.7.1 I do not like you" if sender else None).start()
    told = web.wait_for("opened", "drain_stopped", 40)
    assert told["subject"] == "office" and told["severity"] == "critical" and "I do not like you" in told["cause"]
    assert told["held"] == 3
    destination.behave()
    web.wait_for("cleared", "drain_stopped", 40)
    gateway.wait_queue(0)
    gateway.wait_state("up")
    web.wait_for("cleared", "destination_down")


def test_mail_that_expires_soon_is_told_of_until_it_is_given_time(world, destination, web):
    gateway = world.gateway(destinations={"office": {"servers": [destination.server], "retry": [{"until": "40s", "every": "15m"}]}},
                            settings={"alerts": {"webhooks": [{"url": web.url}]}})
    gateway.wait_probed()
    destination.close()
    gateway.wait_state("down")
    assert gateway.send("local@example.test").code == 250
    gateway.wait_queue(1)
    until(lambda: time.time() >= gateway.queue()[0]["arrival_time"] + 21, "half of its life is over", 30)
    gateway.reload()  # it looks at once
    told = web.wait_for("opened", "mail_expires_soon", 10)
    assert told["subject"] == "office" and "gatewayctl queue extend --destination office" in told["text"]
    assert gateway.ctl("queue", "extend", "--all", "--yes", "--by", "1h").returncode == 0
    gateway.reload()
    web.wait_for("cleared", "mail_expires_soon", 10)
