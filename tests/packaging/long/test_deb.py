"""Issue 6, item 5: install, upgrade with a full queue, remove and purge, in a Debian made by debootstrap.

Needs root, debootstrap, and Debian's packages from the network; the mail's traffic is on the loopback interface alone.
Builds the packages if they are not there (make deb)."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from support import ports
from support.installed import ROOT, Debian, another_version
from support.smtp_client import send
from support.waiting import until

pytestmark = pytest.mark.skipif(os.getuid() != 0 or shutil.which("debootstrap") is None, reason="needs root and debootstrap")

MESSAGES = 300


@pytest.fixture(scope="module")
def debs():
    def built(name):
        return next(iter((ROOT / "build/deb").glob(f"{name}_*.deb")), None)
    if built("holdfast") is None:
        subprocess.run(["make", "deb"], cwd=ROOT, check=True)
    return built("holdfast"), built("holdfast-postfix-names")


@pytest.fixture
def debian(tmp_path):
    made = Debian(tmp_path)
    yield made
    made.dispose()


def configure(debian, destination):
    port = ports.free_port()
    debian.path("/etc/holdfast/gateway.yaml").write_text(f"""\
hostname: mx.example.test
listen: ["127.0.0.1:{port}"]
destinations:
  office: {{servers: ["{destination.server}"], probe: {{interval: 1s, down_after: 2}}}}
domains:
  example.test: {{destination: office, local_recipients: [local]}}
bounces: {{relay: "127.0.0.1:9"}}
web: {{listen: "127.0.0.1:{ports.free_port()}"}}
""")
    assert "good" in debian.run("gatewayctl", "config", "check").stdout
    return port


def status(debian):
    return json.loads(debian.run("gatewayctl", "status", "--json").stdout)


def state(debian):
    return status(debian)["destinations"][0]["state"]


def kept(debian):
    lines = debian.run("gatewayctl", "queue", "list", "--json").stdout.splitlines()
    return {json.loads(line)["queue_id"] for line in lines}


def fill(debian, port, count):
    for number in range(count):
        assert send(port, f"s{number}@client.test", ["local@example.test"], f"Subject: {number}\r\n\r\nx\r\n".encode())[0].code == 250
    until(lambda: len(kept(debian)) == count, "all are in the queue")


def test_a_life(debian, debs, world, tmp_path):
    deb, _ = debs
    said = debian.install(deb)

    # installed: a user, folders, nothing started
    assert "installed and not started" in said
    assert re.search(r"^holdfast:x:\d+:\d+:.*:/usr/sbin/nologin$", debian.path("/etc/passwd").read_text(), re.M)
    assert debian.owner("/var/spool/holdfast") == "holdfast:holdfast 750"
    assert debian.owner("/var/lib/holdfast") == "root:holdfast 2750"
    assert debian.owner("/var/log/holdfast") == "root:holdfast 3770"
    assert debian.owner("/etc/holdfast/gateway.yaml") == "root:root 644"
    assert debian.run("systemd-analyze", "--version", check=False).returncode != 0  # there is no systemd in there
    assert debian.run("master", check=False).returncode != 0  # nor a program of that name on the PATH

    # runs by hand as the unit would
    destination = world.destination()
    port = configure(debian, destination)
    debian.start()
    uid = debian.run("id", "-u", "holdfast").stdout.strip()
    for daemon in ("smtpd", "qmgr", "deliver", "prober", "alertd", "webd"):
        assert debian.pids(daemon), daemon
        for pid in debian.pids(daemon):
            about = pathlib.Path(f"/proc/{pid}/status").read_text()
            assert f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}\n" in about and "CapEff:\t0000000000000000\n" in about
            assert "NoNewPrivs:\t1\n" in about and "Seccomp:\t2\n" in about
    until(lambda: state(debian) == "up", "the destination is up")
    assert send(port, "a@client.test", ["local@example.test"])[0].text == "250 2.0.0 Taken"
    assert debian.owner("/var/log/holdfast/smtpd.log") == "holdfast:holdfast 640"
    assert debian.owner("/var/log/holdfast/master.log") == "root:holdfast 640"

    # a full queue, kept over an upgrade
    destination.close()
    until(lambda: state(debian) == "down", "the destination is down")
    fill(debian, port, MESSAGES)
    before = kept(debian)
    newer = another_version(deb, tmp_path, "0.1.0+1")
    debian.install(newer)
    assert "0.1.0+1" in debian.run("dpkg-query", "-W", "holdfast").stdout
    assert "example.test: {destination: office" in debian.path("/etc/holdfast/gateway.yaml").read_text()
    assert kept(debian) == before  # the old daemons go on with the new gatewayctl
    debian.stop()
    debian.start()
    assert kept(debian) == before
    destination.start()
    until(lambda: not kept(debian), "the queue is handed over", 60)
    subjects = sorted(int(re.search(rb"Subject: (\d+)", message.content)[1]) for message in destination.messages[1:])
    assert subjects == list(range(MESSAGES))

    # removed with mail: it stays, and is there again after the next installation
    destination.close()
    until(lambda: state(debian) == "down", "the destination is down again")
    fill(debian, port, 3)
    before = kept(debian)
    debian.stop()
    said = debian.run("apt-get", "remove", "-y", "-qq", "holdfast").stdout
    assert "Holdfast still keeps 3 messages in /var/spool/holdfast." in said
    assert not debian.path("/usr/sbin/gatewayctl").exists()
    assert debian.path("/etc/holdfast/gateway.yaml").exists()
    debian.install(deb)
    assert kept(debian) == before

    # purged: nothing is left
    debian.path("/etc/holdfast/conf.d/mine.yaml").write_text("debug: true\n")
    debian.run("apt-get", "purge", "-y", "-qq", "holdfast")
    assert "holdfast" not in debian.path("/etc/passwd").read_text() + debian.path("/etc/group").read_text()
    left = debian.run("find", "/", "-xdev", "-path", "/proc", "-prune", "-o", "(", "-iname", "*holdfast*", "-o", "-iname",
                      "gatewayctl*", "-o", "-nouser", "-o", "-nogroup", ")", "-print").stdout.split()
    assert [path for path in left if not path.startswith("/tmp/")] == []


def test_logs_rotate(debian, debs, world):
    debian.install(debs[0])
    debian.run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "logrotate")
    destination = world.destination()
    port = configure(debian, destination)
    debian.start()
    until(lambda: state(debian) == "up", "the destination is up")
    send(port, "a@client.test", ["local@example.test"])
    log = debian.path("/var/log/holdfast/smtpd.log")
    until(lambda: "a@client.test" in log.read_text(), "the log has it")
    for turn in (1, 2):
        said = debian.run("logrotate", "--force", "/etc/logrotate.d/holdfast")
        assert said.stderr == ""
        for name in ("smtpd.log", "master.log"):
            until(lambda: debian.path(f"/var/log/holdfast/{name}").exists(), f"{name} is there again")
        send(port, f"turn{turn}@client.test", ["local@example.test"])
        until(lambda: f"turn{turn}@client.test" in log.read_text(), "the new log has it")
    assert debian.owner("/var/log/holdfast/smtpd.log") == "holdfast:holdfast 640"
    assert debian.owner("/var/log/holdfast/master.log") == "root:holdfast 640"
    assert "turn1@client.test" in debian.path("/var/log/holdfast/smtpd.log.1").read_text()
    assert debian.path("/var/log/holdfast/smtpd.log.2.gz").exists() and debian.path("/var/log/holdfast/master.log.2.gz").exists()


def test_postfix_names(debian, debs, world):
    debian.install(*debs)
    destination = world.destination()
    port = configure(debian, destination)
    debian.start()
    until(lambda: state(debian) == "up", "the destination is up")
    assert debian.run("mailq").stdout == debian.run("postqueue", "-p").stdout == "Mail queue is empty\n"
    destination.close()
    until(lambda: state(debian) == "down", "the destination is down")
    fill(debian, port, 2)
    listed = debian.run("mailq").stdout
    assert re.search(r"^-- \d+ Kbytes in 2 Requests\.$", listed, re.M)
    one = next(iter(kept(debian)))
    debian.run("postsuper", "-h", one)
    assert f"{one}!" in debian.run("postqueue", "-p").stdout
    debian.run("postsuper", "-d", one)
    assert len(kept(debian)) == 1
    # not beside another mail system, whose names these are
    refused = debian.run("apt-get", "-s", "install", "holdfast-postfix-names", "postfix", check=False)
    assert refused.returncode != 0 and "Conflicts" in refused.stdout


def test_a_bad_configuration_and_a_reload(debian, debs, world):
    """What ExecReload does, and that a start says what is wrong."""
    debian.install(debs[0])
    destination = world.destination()
    configure(debian, destination)
    debian.start()
    debian.run("gatewayctl", "config", "reload")
    file = debian.path("/etc/holdfast/gateway.yaml")
    good = file.read_text()
    file.write_text(good + "nonsense: 1\n")
    refused = debian.run("gatewayctl", "config", "reload", check=False)
    assert refused.returncode == 78 and "nonsense" in refused.stderr
    debian.stop()
    started = debian.run("/usr/libexec/holdfast/master", check=False)
    assert started.returncode == 78 and "nonsense" in started.stderr
