"""The docs by task say what works: their configurations are good, their commands exist, their snippets mean what they say."""

import grp
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile

import pytest

from support import guard
from support.dovecot import LIBEXEC, LIBRARIES, ROOT as DOVECOT
from support.exim import _room, needs_exim
from support.gateway import BIN
from support.peers import PEERS, environment

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
PAGES = ["quickstart", "backup-mx", "trust-the-gateway", "outage", "upgrading", "sizing"]


def text(page):
    return (DOCS / f"{page}.md").read_text()


def indented(page):
    """Its code blocks."""
    return re.findall(r"(?:^    .*\n(?:\n(?=    ))?)+", text(page), re.M)


def block(page, part):
    found = [b for b in indented(page) if part in b]
    assert len(found) == 1, part
    return "".join(line[4:] if line.startswith("    ") else line for line in found[0].splitlines(keepends=True))


@pytest.mark.parametrize("page", PAGES)
def test_configurations_are_good(page, tmp_path):
    for number, yaml in enumerate(re.findall(r"```yaml\n(.*?)```", text(page), re.S)):
        if "domains:" not in yaml:
            name = re.search(r"^  (\w+): ", yaml, re.M)[1]
            yaml += f"domains:\n  example.org: {{destination: {name}}}\n"
        if "hostname:" not in yaml:
            yaml += "hostname: mx.example.org\n"
        (tmp_path / "list").write_text("sales\n")
        yaml = yaml.replace("/etc/holdfast/recipients/example.org", f"{tmp_path}/list")
        file = tmp_path / f"{number}.yaml"
        file.write_text(yaml)
        done = subprocess.run([BIN / "gatewayctl", "--config", file, "config", "check"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def completions(*words):
    script = subprocess.run([BIN / "gatewayctl", "completion", "bash"], check=True, capture_output=True, text=True).stdout
    lines = re.search(r"^    '" + re.escape(" ".join(words)) + r"'\) commands='(.*?)' flags='(.*?)'", script, re.M)
    assert lines, f"there is no command {words}"
    return lines[1].split(), lines[2].split()


@pytest.mark.parametrize("page", PAGES)
def test_commands_exist(page):
    code = "\n".join(indented(page)) + "\n" + "\n".join(re.findall(r"`([^`\n]+)`", text(page)))
    commands = re.findall(r"\bgatewayctl ((?:[^\n|;&>#]|(?<= )#)*)", code)
    general = completions()[1]
    for line in commands:
        words = shlex.split(re.split(r"\s{3,}", line.strip())[0])
        path = []
        while words and words[0] in completions(*path)[0]:
            path.append(words.pop(0))
        assert path, line
        _, flags = completions(*path)
        assert [word for word in words if word.startswith("-") and word not in flags + general] == [], line


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#]+)\)", text(page)):
        assert (DOCS / link).resolve().exists(), link
    for test in re.findall(r"tests/[\w/]+\.py|bench/[\w/]+\.py", text(page)):
        assert (DOCS.parent / test).exists(), test


@pytest.mark.parametrize("page", PAGES)
def test_settings_exist(page):
    """Those in `code` that look like one."""
    known = set(re.findall(r"^### (\S+)", text("settings"), re.M))
    groups = {name.split(".")[0] for name in known if "." in name}
    for name in re.findall(r"`([a-z_]+\.[a-z_.]+)`", text(page)):
        if name.split(".")[0] in groups:
            assert name in known, name


def test_postfixs_snippets(tmp_path):
    snippet = block("trust-the-gateway", "smtpd_authorized_xclient_hosts") + block("trust-the-gateway", "postscreen_access_list")
    # Where Postfix is not installed there are no accounts of its own.
    accounts = "mail_owner = daemon\nsetgid_group = mail\n"
    (tmp_path / "main.cf").write_text("compatibility_level = 3.6\n" + accounts + snippet)
    (tmp_path / "master.cf").write_text("smtp inet n - y - - smtpd\n" + block("trust-the-gateway", "haproxy"))
    for words in (["-n"], ["-M"], ["-P"]):
        done = subprocess.run([PEERS / "usr/sbin/postconf", *words, "-c", tmp_path], capture_output=True, text=True, env=environment())
        assert (done.returncode, [line for line in done.stderr.splitlines() if "unused" in line or "error" in line or "fatal" in line]) == (0, [])
    assert "2525/inet/smtpd_upstream_proxy_protocol = haproxy" in done.stdout
    table = re.search(r"cidr:\{.*\}", snippet)[0]
    for address, said in ("10.0.0.2", "permit"), ("10.0.0.3", ""):
        asked = subprocess.run([PEERS / "usr/sbin/postmap", "-c", tmp_path, "-q", address, table], capture_output=True, text=True,
                               env=environment())
        assert asked.stdout.strip() == said, asked.stderr


@needs_exim
def test_exims_snippet():
    """With `exim -bh`, a session that pretends to come from an address."""
    main, acl = re.split(r"\n\s*\n", block("trust-the-gateway", "hostlist gateway"), maxsplit=1)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-exim-"))
    guard.watch("folder", folder)
    folder.chmod(0o755)  # Exim is no root while it speaks
    for name in ("spool", "log"):
        (folder / name).mkdir()
        (folder / name).chmod(0o777)
    (folder / "exim.conf").write_text(f"""\
primary_hostname = exim.test
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
domainlist local_domains = example.org
domainlist relay_to_domains =
rfc1413_hosts =
host_lookup =
tls_advertise_hosts =
acl_smtp_rcpt = acl_check_rcpt
{main}
begin acl
acl_check_rcpt:
{acl}
  deny message = judged as a client
begin routers
all:
  driver = accept
  local_parts = you
  transport = out
begin transports
out:
  driver = appendfile
  file = /dev/null
begin retry
* * F,2h,15m
""")
    folders = [PEERS / "exim/usr/lib/x86_64-linux-gnu", PEERS / "exim/lib/x86_64-linux-gnu"]

    def session(address, recipient):
        room = _room(folder / f"{address}-{recipient}")
        done = subprocess.run(room.words(PEERS / "exim/usr/sbin/exim4", "-C", folder / "exim.conf", "-bh", address),
                              input=f"EHLO x.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<{recipient}>\r\nQUIT\r\n", capture_output=True,
                              text=True, timeout=60, env={**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, folders))})
        replies = [line for line in done.stdout.splitlines() if re.match(r"\d\d\d ", line)]  # banner, EHLO, MAIL, RCPT, QUIT
        assert len(replies) == 5, done.stdout + done.stderr
        return replies[3]

    assert session("10.0.0.2", "you@example.org").startswith("250 ")
    assert session("10.0.0.2", "nobody@example.org").startswith("550 ")
    assert session("10.0.0.2", "you@elsewhere.test") == "550 judged as a client"
    assert session("10.0.0.9", "you@example.org") == "550 judged as a client"
    shutil.rmtree(folder)
    guard.over("folder", folder)


def test_dovecots_snippet(tmp_path):
    user = grp.getgrgid(os.getgid()).gr_name
    (tmp_path / "dovecot.conf").write_text("protocols = lmtp\nssl = no\n" + "".join(
        f"default_{what} = {user}\n" for what in ("login_user", "internal_user", "internal_group")) + block("trust-the-gateway", "inet_listener lmtp"))
    done = subprocess.run([DOVECOT / "usr/bin/doveconf", "-n", "-c", tmp_path / "dovecot.conf"], capture_output=True, text=True,
                          env={**os.environ, "LD_LIBRARY_PATH": f"{LIBEXEC}:{LIBRARIES}"})
    assert done.returncode == 0, done.stderr
    assert "address = 10.0.0.5" in done.stdout and "auth_username_format = %Ln" in done.stdout
