"""Issue 6, item 3: what the daemons count, as `gatewayctl metrics` and `stats` tell it, and what Prometheus makes of it."""

import os
import pathlib
import re
import subprocess

import pytest

from support.waiting import until

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROMTOOL = pathlib.Path(os.environ.get("HOLDFAST_PEERS", ROOT / "build/peers")) / "prometheus/usr/bin/promtool"


@pytest.fixture
def office(world, destination):
    gateway = world.gateway(destination)
    gateway.wait_probed()
    return gateway


def metrics(gateway):
    """{"name{labels}": value}"""
    return {name: float(value) for name, value in
            re.findall(r"^(holdfast_[^ ]*(?:\{[^}]*\})?) (\S+)$", gateway.ctl("metrics").stdout, re.M)}


def answers(seen, daemon, result):
    return seen[f'holdfast_destination_answers_total{{destination="office",daemon="{daemon}",result="{result}"}}']


def messages(seen, result):
    return seen[f'holdfast_smtpd_messages_total{{result="{result}"}}']


def test_each_message_is_counted_as_what_became_of_it(office, destination):
    destination.on("rcpt", lambda session, rcpt: "550 5.1.1 No such user" if "nobody" in rcpt else None)
    for _ in range(3):
        assert office.send("user@example.test").code == 250
    assert office.send("nobody@example.test").code == 550
    assert office.send("user@elsewhere.test").code == 554
    seen = until(lambda: (m := metrics(office)) and messages(m, "proxied") == 3 and m, "three proxied")
    assert messages(seen, "kept") == 0
    assert seen['holdfast_smtpd_recipients_total{result="live"}'] == 3
    assert seen['holdfast_smtpd_refusals_total{severity="permanent",class="address"}'] == 1
    assert seen['holdfast_smtpd_refusals_total{severity="permanent",class="policy"}'] == 1
    assert seen["holdfast_smtpd_proxy_seconds_count"] == 3
    assert seen['holdfast_smtpd_proxy_seconds_bucket{le="+Inf"}'] == 3
    assert seen["holdfast_smtpd_connections_total"] >= 5
    assert seen["holdfast_smtpd_received_bytes_total"] == seen["holdfast_smtpd_proxied_bytes_total"] > 0
    assert seen['holdfast_prober_probes_total{result="passed"}'] >= 1
    assert seen['holdfast_destination_up{destination="office"}'] == 1
    assert answers(seen, "smtpd", "accepted") == seen['holdfast_destination_answer_seconds_count{destination="office",daemon="smtpd"}'] == 3


def test_an_outage_is_seen_in_the_figures(office, destination):
    destination.close()
    office.wait_state("down")
    for _ in range(2):
        assert office.send("local@example.test").code == 250
    seen = until(lambda: (m := metrics(office)) and m.get('holdfast_queue_messages{state="deferred"}') == 2 and m, "two queued")
    assert messages(seen, "kept") == 2
    assert seen['holdfast_storage_sync_seconds_count{daemon="smtpd"}'] >= 1
    assert seen["holdfast_qmgr_indexed_total"] == 2
    assert seen['holdfast_queue_domain_messages{domain="example.test"}'] == 2
    assert seen['holdfast_queue_destination_messages{destination="office",state="deferred"}'] == 2
    assert seen['holdfast_queue_destination_messages{destination="office",state="held"}'] == 0
    assert seen['holdfast_queue_destination_bytes{destination="office"}'] == seen["holdfast_queue_bytes"] > 0
    assert seen['holdfast_destination_state{destination="office",state="down"}'] == 1
    assert seen['holdfast_prober_state_changes_total{state="down"}'] == 1
    destination.start()
    seen = until(lambda: (m := metrics(office)) and m.get("holdfast_qmgr_removed_total") == 2 and m, "both delivered")
    assert seen['holdfast_deliver_recipients_total{result="sent"}'] == 2
    assert seen["holdfast_deliver_seconds_count"] >= 2
    assert answers(seen, "deliver", "accepted") == 2
    assert "holdfast_queue_oldest_seconds" not in seen


def test_counters_do_not_fall_when_a_daemon_dies(office):
    for _ in range(4):
        assert office.send("user@example.test").code == 250
    until(lambda: messages(metrics(office), "proxied") == 4, "four proxied")
    office.wait_restarted("smtpd", office.kill("smtpd"))
    assert messages(metrics(office), "proxied") == 4
    assert office.send("user@example.test").code == 250
    seen = until(lambda: (m := metrics(office)) and messages(m, "proxied") == 5 and m, "the fifth is added")
    assert seen['holdfast_daemon_restarts_total{daemon="smtpd",worker="0"}'] == 1


def test_prometheus_finds_no_fault(office):
    assert office.send("user@example.test").code == 250
    text = office.ctl("metrics").stdout
    done = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout + done.stderr == "", "promtool has advice"
    bad = subprocess.run([PROMTOOL, "check", "metrics"], input=text + "holdfast_build_info{ 1\n", capture_output=True, text=True)
    assert bad.returncode != 0, "it looks at what it is given"


def test_stats_and_top_tell_people(office):
    assert office.send("user@example.test").code == 250
    until(lambda: messages(metrics(office), "proxied") == 1, "it is counted")
    assert re.search(r"^smtpd_messages +proxied +1$", office.ctl("stats").stdout, re.M)
    assert {"name": "holdfast_smtpd_messages_total", "labels": {"result": "proxied"}, "value": 1} in office.json("stats")
    pages = office.ctl("top", "--every", "0.2", "--count", "2").stdout
    assert pages.count("clients   ") == 2
    assert re.search(r"messages  0\.0/s proxied", pages), "the second page has rates"
    assert "\x1b" not in pages, "no screen, no redraw"


def test_without_master_what_can_be_seen_is_told(office):
    office.crash()
    seen = metrics(office)
    assert seen['holdfast_daemon_up{daemon="master",worker="0"}'] == 0
    assert 'holdfast_smtpd_messages_total{result="proxied"}' not in seen
    assert office.ctl("stats").returncode == 69
