"""holdfast-import: what the program says, and that `gatewayctl config check` finds its output good."""

import os
import subprocess

import pytest

from support.exim import _room, needs_exim
from support.gateway import BIN
from support.peers import PEERS, environment

MAIN_CF = """\
compatibility_level = 3.6
myhostname = mx.example.org
# what we relay
relay_domains = example.org, example.net,
    texthash:{folder}/domains
transport_maps = hash:{folder}/transport
relay_recipient_maps = hash:{folder}/recipients
message_size_limit = 20480000
smtp_tls_security_level = may
smtpd_milters = inet:127.0.0.1:11332
"""

EXIM = """\
MAIN_RELAY = example.org : example.net
primary_hostname = mx.example.org
domainlist local_domains = @ : localhost
domainlist relay_to_domains = MAIN_RELAY : lsearch;{folder}/domains
message_size_limit = 50M
acl_smtp_rcpt = acl_check_rcpt
begin acl
acl_check_rcpt:
  accept domains = +relay_to_domains
  deny
begin routers
hubbed_hosts:
  driver = manualroute
  domains = ! +local_domains
  route_data = ${{lookup{{$domain}}lsearch{{{folder}/hubbed}}}}
  transport = remote_smtp
dnslookup_relay_to_domains:
  driver = dnslookup
  domains = ! +local_domains : +relay_to_domains
  transport = remote_smtp
  same_domain_copy_routing = yes
  no_more
begin transports
remote_smtp:
  driver = smtp
begin retry
* * F,2h,15m
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "domains").write_text("example.com x\n")
    (tmp_path / "transport").write_text("example.org smtp:[10.0.0.5]\nexample.net smtp:[10.0.0.5]\nexample.com relay:\n")
    (tmp_path / "recipients").write_text("".join(f"user{n}@example.org x\n" for n in range(50)) + "sales@example.net x\n")
    (tmp_path / "hubbed").write_text("example.org: 10.0.0.5\n")
    (tmp_path / "main.cf").write_text(MAIN_CF.format(folder=tmp_path))
    (tmp_path / "exim.conf").write_text(EXIM.format(folder=tmp_path))
    return tmp_path


def importer(*words, stdin=None):
    return subprocess.run([BIN / "holdfast-import", *map(str, words)], capture_output=True, text=True, input=stdin, timeout=60)


def check(file):
    return subprocess.run([BIN / "gatewayctl", "--config", file, "config", "check"], capture_output=True, text=True, timeout=60)


def shown(file):
    done = subprocess.run([BIN / "gatewayctl", "--config", file, "config", "show", "-n"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_postfix(folder):
    done = importer("postfix", folder / "main.cf", "--output", folder / "gateway.yaml", "--recipients", folder / "rcpt")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert done.stderr == "holdfast-import: 3 domains; 1 lines to check; 1 things not taken over\n"
    checked = check(folder / "gateway.yaml")
    assert checked.returncode == 0, checked.stderr
    text = (folder / "gateway.yaml").read_text()
    assert "# - not looked at: smtpd_milters\n" in text
    assert f"local_recipients: {folder}/rcpt/example.org\n" in text
    assert len((folder / "rcpt/example.org").read_text().split()) == 50
    assert "hostname: mx.example.org" in shown(folder / "gateway.yaml")
    assert 'servers: ["10.0.0.5:25"]' in shown(folder / "gateway.yaml")


def test_what_the_real_postconf_prints_is_read_alike(folder):
    """`postconf -n` of Postfix itself, which joins lines and sorts them."""
    (folder / "master.cf").write_text("")
    run = subprocess.run([PEERS / "usr/sbin/postconf", "-n", "-c", folder], capture_output=True, text=True, env=environment())
    assert "relay_domains" in run.stdout, run.stderr
    printed = importer("postfix", "-", stdin=run.stdout)
    direct = importer("postfix", folder / "main.cf")
    assert printed.returncode == direct.returncode == 0, printed.stderr + direct.stderr
    assert printed.stdout.split("# Settle", 1)[1] == direct.stdout.split("# Settle", 1)[1]
    assert "example.net" in printed.stdout


def test_exim(folder):
    done = importer("exim", folder / "exim.conf", "--output", folder / "gateway.yaml")
    assert done.returncode == 0, done.stderr
    assert check(folder / "gateway.yaml").returncode == 0
    seen = shown(folder / "gateway.yaml")
    assert 'servers: ["10.0.0.5:25"]' in seen and "mx: true" in seen
    for domain in ("example.org", "example.net", "example.com"):
        assert f"  {domain}:\n" in seen


@needs_exim
def test_exims_own_words_agree(folder):
    """Where Exim itself says that it sends this domain's mail (exim -bt)."""
    room = _room(folder)
    folders = [PEERS / "exim/usr/lib/x86_64-linux-gnu", PEERS / "exim/lib/x86_64-linux-gnu"]
    run = subprocess.run(room.words(PEERS / "exim/usr/sbin/exim4", "-C", folder / "exim.conf", "-bt", "someone@example.org"),
                         capture_output=True, text=True, timeout=60, env={**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, folders))})
    assert "router = hubbed_hosts" in run.stdout and "10.0.0.5" in run.stdout, run.stdout + run.stderr


@pytest.mark.parametrize("words, code, said", [
    (["postfix", "/nonexistent/main.cf"], 67, "/nonexistent/main.cf"),
    (["postfix", "/dev/null"], 65, "/dev/null: no setting in it"),
    (["exim", "/dev/null"], 65, "no 'domainlist relay_to_domains' in it"),
    (["sendmail"], 64, ""),
    ([], 64, ""),
])
def test_clear_errors(words, code, said):
    done = importer(*words)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr


def test_a_broken_line_is_named(folder):
    (folder / "main.cf").write_text("relay_domains = example.org\nwhat is this\n")
    done = importer("postfix", folder / "main.cf")
    assert done.returncode == 65
    assert done.stderr == f"holdfast-import: {folder}/main.cf: line 2: neither 'name = value' nor a comment: 'what is this'\n"


def test_nothing_is_overwritten(folder):
    (folder / "gateway.yaml").write_text("mine\n")
    done = importer("postfix", folder / "main.cf", "--output", folder / "gateway.yaml")
    assert done.returncode == 64 and "is there already" in done.stderr
    assert (folder / "gateway.yaml").read_text() == "mine\n"
