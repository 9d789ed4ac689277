"""Issue 6, item 2: who gets in, and who does not: anonymous, wrong role, forged and replayed requests, guessing, tokens."""

import json
import os
import pwd
import subprocess
import sys

import pytest

from support import web
from support.waiting import until
from support.world import World

READS = ["status", "system", "queue", "queue/ages", "destinations", "destinations/office", "destinations/office/history",
         "domains", "domains/example.test", "recipients", "trace?what=nobody@example.test", "config", "history", "report", "session"]
ADMIN_READS = ["audit", "users", "tokens", "config/diff"]
DEEDS = {"operator": ["queue/retry", "queue/hold", "queue/release", "queue/thaw", "queue/extend", "destinations/office/probe",
                      "destinations/office/pause", "destinations/office/resume"],
         "admin": ["queue/bounce", "queue/delete", "queue/reroute", "recipients/add", "recipients/deny", "recipients/remove",
                   "recipients/flush", "config/check", "config/reload", "system/restart", "users", "tokens", "users/viewer"]}

SECRETS = ["secret-path", "secret-header", "secret-routing-key", "secret-argument"]


@pytest.fixture(scope="module")
def module_world():
    made = World()
    yield made
    made.end(False)


@pytest.fixture(scope="module")
def gateway(module_world):
    destination = module_world.destination()
    alerts = {"webhooks": [{"url": f"http://127.0.0.1:9/{SECRETS[0]}", "headers": [f"X-Key: {SECRETS[1]}"],
                            "format": "template", "template": SECRETS[2] + "{{text}}"}], "command": ["/bin/true", SECRETS[3]]}
    gateway = module_world.gateway(destination, settings={**web.settings(), "alerts": alerts})
    for role in ("viewer", "operator", "admin"):
        web.add_user(gateway, role, role)
    return gateway


def audit(gateway):
    return [json.loads(line) for line in (gateway.folder / "log/audit.log").read_text().splitlines()]


def test_anonymous_is_refused_everything(gateway):
    nobody = web.browser(gateway)
    for path in READS + ADMIN_READS + ["live", "queue/1/content", "alerts"]:
        assert nobody.get(path).status == 401, path
    for path in sum(DEEDS.values(), []) + ["logout", "password"]:
        assert nobody.post(path).status == 401, path
    assert nobody.delete("users/admin").status == 401
    nobody.cookie = "holdfast=" + "0" * 64
    assert nobody.get("status").kind == "unauthenticated"


def test_who_is_no_admin_sees_no_secret_of_the_alerts(gateway):
    viewer, operator, admin = (web.browser(gateway, role) for role in ("viewer", "operator", "admin"))
    for secret in SECRETS:
        assert secret in admin.get("config").body.decode(), secret
        for other in (viewer, operator):
            assert secret not in other.get("config").body.decode(), secret


def test_pages_and_health_need_no_login_from_here(gateway):
    nobody = web.browser(gateway)
    assert nobody.get("/").headers["Content-Type"].startswith("text/html")
    assert nobody.get("/healthz").body == b"ok\n"
    assert b"# HELP holdfast_" in nobody.get("/metrics").body
    assert nobody.get("/metrics", X_Forwarded_For="192.0.2.1").status == 401, "a proxy speaks for somebody elsewhere"
    assert nobody.get("/nowhere.js").status == 404


def test_each_role_may_what_it_may(gateway):
    for role, reads in (("viewer", READS), ("operator", READS), ("admin", READS + ADMIN_READS)):
        user = web.browser(gateway, role)
        for path in reads:
            assert user.get(path).status == 200, (role, path, user.get(path).body)
    for role in ("viewer", "operator"):
        user = web.browser(gateway, role)
        for path in ADMIN_READS + ["queue/1/content"]:
            assert user.get(path).kind == "permission", (role, path)
        for path in DEEDS["admin"] + (DEEDS["operator"] if role == "viewer" else []):
            assert user.post(path).kind == "permission", (role, path)
        assert user.delete("users/admin").status == 403
    assert [e for e in audit(gateway) if e["name"] == "viewer" and e["action"] == "POST queue/delete"][-1]["result"].startswith("403")


def test_forged_requests_are_refused(gateway):
    user = web.browser(gateway, "admin")
    deed = ("destinations/office/probe", {})
    assert user.post(*deed, X_CSRF_Token=None).kind == "forged"
    assert user.post(*deed, X_CSRF_Token=web.browser(gateway, "admin").csrf).kind == "forged", "another session's"
    for origin in ("https://evil.test", "null", f"http://127.0.0.1:{user.port}.evil.test"):
        assert user.post(*deed, Origin=origin).kind == "forged", origin
    assert user.post(*deed, Sec_Fetch_Site="cross-site").kind == "forged"
    assert user.request("POST", "queue/delete", b"all=true", Content_Type="application/x-www-form-urlencoded").status == 400
    assert user.request("POST", "login", b"{}", Origin="https://evil.test").kind == "forged"
    assert user.post(*deed, Origin=f"http://127.0.0.1:{user.port}").status == 200


def test_a_session_is_over_after_logout(gateway):
    user = web.browser(gateway, "operator")
    assert user.get("session").json()["role"] == "operator"
    old = user.cookie
    assert user.post("logout", X_CSRF_Token=None).kind == "forged", "nobody else can log him out"
    assert "Max-Age=0" in user.post("logout").headers["Set-Cookie"]
    user.cookie = old
    assert user.get("status").status == 401
    assert user.post("destinations/office/probe").status == 401


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(gateway):
    cookie = web.browser(gateway).login("viewer").headers["Set-Cookie"]
    for word in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert word in cookie
    answer = web.browser(gateway, "viewer").get("status")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_tokens_are_scoped_and_end(gateway):
    reader = web.browser(gateway, token=web.add_token(gateway, "prometheus", "viewer"))
    assert reader.get("status").status == 200
    assert reader.post("destinations/office/probe").kind == "permission"
    hand = web.browser(gateway, token=web.add_token(gateway, "cron", "operator"))
    assert hand.post("destinations/office/probe").status == 200, "a token needs no CSRF token"
    assert hand.post("password", {"old": "x", "new": "y" * 12}).status == 403
    brief = web.browser(gateway, token=web.add_token(gateway, "brief", "viewer", "--for", "1s"))
    until(lambda: brief.get("status").status == 401, "the token has expired")
    admin = web.browser(gateway, "admin")
    made = admin.post("tokens", {"name": "made", "role": "viewer"}).json()
    assert made["token"] not in admin.get("tokens").body.decode(), "a secret is shown once"
    used = web.browser(gateway, token=made["token"])
    row = lambda: next(t for t in admin.get("tokens").json()["tokens"] if t["id"] == made["id"])
    assert row()["last_used"] is None
    assert used.get("status").status == 200
    assert row()["last_used"] >= row()["created"]
    assert admin.delete("tokens/" + made["id"]).status == 200
    assert used.get("status").status == 401
    assert web.browser(gateway, token=made["token"][:-1] + "x").get("status").status == 401


def test_guessing_passwords_gets_slow(module_world):
    gateway = module_world.gateway(module_world.destination(), settings=web.settings())
    web.add_user(gateway, "admin", "admin")
    guesser = web.browser(gateway)
    codes = []
    while 429 not in codes:  # each wait is longer than the one before: a slow machine is outrun
        codes.append(guesser.login("admin" if len(codes) % 2 else "nobody", f"wrong password {len(codes)}").status)
        assert len(codes) < 16, codes
    assert codes[:-1] == [401] * (len(codes) - 1) and len(codes) > 5
    answer = guesser.login("admin", "wrong again")
    assert answer.status == 429 and 1 <= int(answer.headers["Retry-After"]) <= 900
    until(lambda: guesser.login("admin").status == 200, "the right password counts after the wait")
    assert [e["result"] for e in audit(gateway)][0] == "401 wrong name or password"


def test_users_come_and_go(gateway):
    admin = web.browser(gateway, "admin")
    assert admin.post("users", {"name": "new", "role": "viewer", "password": web.PASSWORD}).status == 200
    assert admin.post("users", {"name": "new", "role": "viewer", "password": web.PASSWORD}).status == 400, "twice"
    assert admin.post("users", {"name": "other", "role": "viewer", "password": "short"}).status == 400
    assert admin.post("users", {"name": "<b>", "role": "viewer", "password": web.PASSWORD}).status == 400
    row = lambda: next(u for u in admin.get("users").json()["users"] if u["name"] == "new")
    assert row()["last_login"] is None
    new = web.browser(gateway, "new")
    assert row()["last_login"] >= row()["created"]
    assert new.post("password", {"old": "wrong", "new": "another password"}).status == 403
    other = web.browser(gateway, "new")
    assert new.post("password", {"old": web.PASSWORD, "new": "another password"}).status == 200
    assert new.get("session").status == 200, "his own session goes on"
    assert other.get("session").status == 401, "his others do not"
    web.change_password(gateway, "new", "a third password")
    assert new.get("session").status == 401, "an admin's change in the shell ends them all"
    assert new.login("new", "a third password").status == 200
    assert admin.post("users/new", {"role": "operator"}).status == 200
    assert new.get("session").status == 401, "with another role he logs in again"
    assert new.login("new", "a third password").json()["role"] == "operator"
    assert {"name": "new", "role": "operator"}.items() <= [u for u in admin.get("users").json()["users"] if u["name"] == "new"][0].items()
    assert admin.delete("users/new").status == 200
    assert new.get("session").status == 401
    assert admin.delete("users/admin").status == 409, "the last admin"
    log = (gateway.folder / "log/audit.log").read_text()
    assert "another password" not in log and web.PASSWORD not in log
    entries = admin.get("audit?limit=5").json()
    assert entries["entries"][0]["action"] == "DELETE /api/v1/users/admin"
    older = admin.get(f"audit?limit=5&after={entries['next']}").json()["entries"]
    assert older[0] not in entries["entries"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start others as somebody else")
def test_as_another_account_webd_alone_has_the_admins_hand(world):
    """Daemons of an account of their own obey root, and of that account webd (decision 17): master and prober do."""
    gateway = world.gateway(world.destination(), start=False, settings={"user": "nobody", **web.settings()})
    gateway.folder.chmod(0o755)
    gateway.start()
    web.add_user(gateway, "admin", "admin")
    admin = web.browser(gateway, "admin")
    assert {d["name"] for d in admin.get("status").json()["daemons"]} >= {"master", "webd"}, "master answers it"
    assert admin.post("config/check").json()["good"]
    assert admin.post("destinations/office/pause", {"reason": "x"}).json()["paused_by"] == "admin"
    assert admin.get("history").status == 200
    assert admin.post("users", {"name": "two", "role": "viewer", "password": web.PASSWORD}).status == 200
    command = ("import os,socket,sys; os.setgid(%d); os.setuid(%d); s=socket.socket(socket.AF_UNIX);"
               "s.connect(sys.argv[1]); s.settimeout(20); print(len(s.recv(100)))")
    nobody = pwd.getpwnam("nobody")
    done = subprocess.run([sys.executable, "-c", command % (nobody.pw_gid, nobody.pw_uid), str(gateway.folder / "run/master.sock")],
                          capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() in ("", "0"), "another process of that account is not even heard by master"
