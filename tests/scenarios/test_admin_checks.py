"""Issue 6, item 4: what an admin asks before an outage. Is the destination fit, does the world send mail here, who is known,
and what can be shown to whoever helps?"""

import json
import os

import pytest

from support.backup_zone import Zone
from support.name_server import NameServer
from support.waiting import until


@pytest.fixture
def office(world, destination):
    gateway = world.gateway(destination)
    gateway.wait_probed()
    return gateway


def findings(gateway, *words):
    """{step: result} and the texts; of one server with one address."""
    done = gateway.ctl(*words, "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, {row["step"]: row["result"] for row in rows}, {row["step"]: row["text"] for row in rows}


# dest test

GOOD = {"DNS": "pass", "TCP": "pass", "banner": "pass", "EHLO": "pass", "TLS": "warn", "null sender": "pass", "postmaster": "pass",
        "random address": "pass", "relaying": "pass", "foreign sender": "pass", "greylisting": "pass"}


def test_a_good_destination_passes_each_line(office, destination):
    destination.on("rcpt", lambda session, rcpt: "554 5.7.1 Relay access denied" if "elsewhere" in rcpt else None)
    before = len(destination.messages)
    code, results, _ = findings(office, "dest", "test", "office")
    assert results == GOOD
    assert code == 0
    assert len(destination.messages) == before, "nothing is delivered"
    text = office.ctl("dest", "test", "office").stdout
    assert "pass  postmaster" in text


@pytest.mark.parametrize("stage, answer, step, result, code", [
    ("rcpt", lambda s, r: "550 5.1.1 None" if "postmaster" in r else None, "postmaster", "fail", 69),
    ("rcpt", lambda s, r: "250 2.1.5 Ok", "random address", "warn", 0),
    ("rcpt", lambda s, r: "250 2.1.5 Ok", "relaying", "warn", 0),
    ("mail", lambda s, sender: "553 5.1.7 No null sender" if not sender.strip("<>") else None, "null sender", "fail", 69),
    ("rcpt", lambda s, r: "450 4.7.1 Greylisted, try again" if "postmaster" in r else None, "greylisting", "fail", 69),
    ("mail", lambda s, sender: "550 5.7.23 SPF fail" if "example.com" in sender else None, "foreign sender", "fail", 69),
    ("banner", "554 5.3.2 Go away", "banner", "fail", 69),
])
def test_each_fault_is_found(office, destination, stage, answer, step, result, code):
    destination.on(stage, answer)
    destination.cut()
    done, results, texts = findings(office, "dest", "test", "office")
    assert results.get(step) == result, (results, texts)
    assert done == code


def test_a_dead_server_fails_at_tcp(office, destination):
    destination.close()
    code, results, texts = findings(office, "dest", "test", "office")
    assert (code, results) == (69, {"DNS": "pass", "TCP": "fail"})
    assert "refused" in texts["TCP"]
    assert office.ctl("dest", "test", "nowhere").returncode == 67


def test_the_history_of_a_destination(office, destination):
    destination.close()
    office.wait_state("down")
    destination.start()
    office.wait_state("up")
    rows = until(lambda: (r := office.json("dest", "history", "office")) and r[-1]["state"] == "up" and r, "the log has it")
    assert [row["state"] for row in rows][-3:] == ["down", "draining", "up"] or [row["state"] for row in rows][-2:] == ["down", "up"]
    down = next(row for row in rows if row["state"] == "down")
    assert "refused" in down["reason"] and down["seconds"] >= 0
    assert "down" in office.ctl("dest", "history", "office").stdout


def test_a_state_can_be_forced_and_outlives_the_prober(office, destination):
    assert office.ctl("dest", "force", "office", "down").returncode == 0
    assert office.state() == "down" and "forced down by" in office.destination()["reason"]
    assert office.send("local@example.test").text.startswith("250 2.0.0 Ok: queued as ")
    office.wait_restarted("prober", office.kill("prober"))
    assert office.state() == "down", "probes pass, and it stays so"
    assert office.ctl("dest", "force", "office", "auto").returncode == 0
    destination.wait_for(1)
    office.wait_queue(0)
    office.wait_state("up")
    assert office.ctl("dest", "force", "office", "sideways").returncode == 64


def test_forced_up_it_is_tried_though_probes_fail(office, destination):
    destination.on("rcpt", lambda session, rcpt: None if "local" in rcpt else "421 4.3.2 I like no probes")
    office.wait_state("down")
    assert office.send("local@example.test").text.startswith("250 2.0.0 Ok: queued as ")
    assert office.ctl("dest", "force", "office", "up").returncode == 0
    destination.wait_for(1)
    assert office.send("local@example.test").text == "250 2.0.0 Taken", "live mail goes through, too"


# domain check

def test_mx_records_that_lead_here(world):
    zone = Zone(world, "@ IN MX 10 mx.example.test.\n@ IN MX 20 b\n")
    zone.server(2)
    gateway = zone.gateway()
    code, results, texts = findings(gateway, "domain", "check", "backup.test")
    assert results["MX"] == "pass" and results["this host"] == "pass", texts
    assert results["two sites"] == "warn"
    assert code == 0
    assert "if backup/backup.test went down now" in gateway.ctl("domain", "check", "backup.test").stdout


def test_mx_records_that_lead_elsewhere(world, destination):
    names = world.keep(NameServer({"example.test": "@ IN MX 10 a\n@ IN MX 20 b\na IN A 192.0.2.1\nb IN A 198.51.100.1\n"}))
    names.start()
    gateway = world.gateway(destination, settings={"dns": {"resolvers": [names.server], "trust_anchors": "off"}})
    code, results, texts = findings(gateway, "domain", "check", "example.test")
    assert results == {"MX": "pass", "this host": "fail", "addresses": "pass", "two sites": "pass"}, texts
    assert code == 65
    assert gateway.ctl("domain", "check", "other.test").returncode == 67


# recipients

def test_recipients_come_from_csv_and_from_postfix(office, tmp_path):
    csv, table = tmp_path / "users.csv", tmp_path / "relay_recipients"
    csv.write_text('Name,EmailAddresses\nAda,"SMTP:ada@example.test;smtp:a@corp.local;X500:/o=x"\nBob,smtp:bob@example.test\n')
    table.write_text("# ours\ncarl@example.test OK\n@other.test OK\ndora@example.test REJECT\n")
    dry = office.json("rcpt", "import", "--format", "csv", "--dry-run", csv)
    assert dry == [{"changed": 2}]
    assert "ada@example.test" not in office.known()
    told = office.ctl("rcpt", "import", "--format", "csv", csv).stdout
    assert "2 recipients imported" in told and "2 values passed over" in told
    assert office.ctl("rcpt", "import", "--format", "postfix", table).returncode == 0
    assert {"ada@example.test", "bob@example.test", "carl@example.test"} <= office.known()
    assert "dora@example.test" not in office.known()
    wrong = tmp_path / "wrong"
    wrong.write_text("nobody OK\n")
    done = office.ctl("rcpt", "import", "--format", "postfix", wrong)
    assert done.returncode == 65 and "line 1" in done.stderr


def test_coverage_is_told_in_words(office):
    assert office.send("somebody@example.test").code == 250
    office.wait_learnt("somebody@example.test")
    until(lambda: "% of the last week's mail for it would be kept" in office.ctl("rcpt", "coverage").stdout, "it is counted", 30)
    assert "example.test: if office went down now, " in office.ctl("rcpt", "coverage").stdout


# support-bundle

SECRETS = ["hunter2-of-the-relay", "SECRETTOKENINURL", "PRIVATEKEYMATERIAL", "Bearer-abcdef"]
IN_ALERTS = ["SECRETPATHOFHOOK", "SECRETHEADER", "SECRETROUTINGKEY", "SECRETARGUMENT", "SECRETBEARER"]


def test_a_support_bundle_holds_no_secret(world, destination, tmp_path):
    password = tmp_path / "password"
    password.write_text(SECRETS[0] + "\n")
    token = tmp_path / "token"
    token.write_text(IN_ALERTS[4] + "\n")
    alerts = {"webhooks": [{"url": f"https://127.0.0.1:9/{IN_ALERTS[0]}/x", "headers": [f"X-Auth: {IN_ALERTS[1]}"],
                            "token_file": str(token)},
                           {"url": "https://127.0.0.1:9/", "format": "template",
                            "template": '{"routing_key": "%s", "text": "{{text}}"}' % IN_ALERTS[2]}],
              "command": ["/bin/true", f"--key={IN_ALERTS[3]}"]}
    gateway = world.gateway(destination, settings={"alerts": alerts}, destinations={"office": {
        "servers": [destination.server], "tls": {"policy": "off"},
        "auth": {"user": "gateway", "password_file": str(password), "plaintext": "allow"}}})
    gateway.wait_state("up", "down")
    (gateway.folder / "log" / "alertd.log").open("a").write(f"Nov 22 10:00:00 mx holdfast/alertd[1]: {IN_ALERTS[4]}\n")
    with open(gateway.folder / "log" / "smtpd.log", "a") as log:  # as if a daemon had said what it should not
        log.write(f"Nov 22 10:00:00 mx holdfast/smtpd[1]: password {SECRETS[0]} https://hooks.example/x?k={SECRETS[1]}\n"
                  f"-----BEGIN PRIVATE KEY-----\n{SECRETS[2]}\n-----END PRIVATE KEY-----\n"
                  f"Authorization: {SECRETS[3]}\nto=<chief@example.test>\n")
    out = tmp_path / "bundle.txt"
    assert gateway.ctl("support-bundle", "--output", out).returncode == 0
    text = out.read_text()
    for secret in SECRETS + IN_ALERTS:
        assert secret not in text, secret
    assert "X-Auth" in text and "/bin/true" in text, "that they are there is told"
    assert "chief@" not in text and "c..@example.test" in text
    for section in ("==== machine", "==== status", "==== configuration", "==== figures", "==== folders", "==== smtpd.log", "==== master.log"):
        assert section in text
    assert str(password) in text, "where it lies is told"
    assert os.stat(out).st_mode & 0o777 == 0o600
    assert gateway.ctl("support-bundle", "--output", out).returncode != 0, "it writes over nothing"
    assert "chief@example.test" in gateway.ctl("support-bundle", "--people", "--output", "-").stdout
