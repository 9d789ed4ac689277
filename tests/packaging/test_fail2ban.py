"""packaging/fail2ban on real log lines: whom the filter counts, and whom it never may."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

from support.peers import PEERS
from support.smtp_client import SmtpClient

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def counted(tmp_path):
    """Runs fail2ban-regex over log lines; the addresses it would count, one a line that matched."""
    etc = tmp_path / "fail2ban"
    (etc / "filter.d").mkdir(parents=True)
    (etc / "fail2ban.conf").write_bytes((PEERS / "fail2ban/etc/fail2ban/fail2ban.conf").read_bytes())
    (etc / "filter.d/common.conf").write_bytes((PEERS / "fail2ban/etc/fail2ban/filter.d/common.conf").read_bytes())
    (etc / "filter.d/holdfast.conf").write_bytes((ROOT / "packaging/fail2ban/filter.conf").read_bytes())

    def run(text):
        log = tmp_path / "smtpd.log"
        log.write_text(text)
        env = dict(os.environ, PYTHONPATH=str(PEERS / "fail2ban/usr/lib/python3/dist-packages"))
        done = subprocess.run([sys.executable, PEERS / "fail2ban/usr/bin/fail2ban-regex", "-c", etc, "-o", "ip", log,
                               etc / "filter.d/holdfast.conf"], capture_output=True, text=True, env=env, timeout=60)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout.split()

    return run


def test_what_a_scenario_logs(gateway, destination, counted):
    destination.on("rcpt", {"no@example.test": "550 5.1.1 No such user"})
    assert gateway.send("no@example.test").code == 550        # counted: the destination's word on an unknown recipient
    assert gateway.send("x@elsewhere.test").code == 554       # counted: would relay
    assert gateway.send("local@example.test").code == 250
    destination.on("rcpt", {"full@example.test": "452 4.2.2 Mailbox full"})
    assert gateway.send("full@example.test").code == 452
    gateway.wait_log("smtpd", "452 4.2.2")
    destination.close()
    gateway.wait_state("down")
    assert gateway.send("stranger@example.test").code == 451  # nobody is banned for an outage of ours
    gateway.wait_log("smtpd", "451 4.4.1")
    lines = gateway.log("smtpd")
    assert len(re.findall("NOQUEUE: reject: RCPT", lines)) == 4
    assert counted(lines) == ["127.0.0.1"] * 2, lines


def test_who_speaks_before_the_banner(world, destination, counted):
    gateway = world.gateway(destination, settings={"smtpd": {"banner_delay": "1s", "trusted_networks": []}})
    with SmtpClient(gateway.port, greet=False) as eager:
        eager.send(b"GET / HTTP/1.1\r\n")
        assert eager.read().code == 554
    gateway.wait_log("smtpd", "CONNECT from unknown[127.0.0.1]: 554")
    assert counted(gateway.log("smtpd")) == ["127.0.0.1"], gateway.log("smtpd")


def test_nobody_can_have_another_banned(gateway, destination, counted):
    """Words of a client that look like a line of ours, with an address of somebody else."""
    forged = "NOQUEUE: reject: RCPT from a[192.0.2.66]: 554 5.7.1"
    with gateway.client() as client:
        client.send(b"EHLO x[192.0.2.66]:\r\n")
        client.read()
        client.mail(f'"{forged} "@client.test')
        client.rcpt(f'"{forged} "@elsewhere.test')
        client.send(f"{forged}\r\n".encode())
        client.read()
    gateway.wait_log("smtpd", "elsewhere.test")
    assert set(counted(gateway.log("smtpd"))) <= {"127.0.0.1"}


def test_the_jail_is_off_until_somebody_wants_it():
    jail = (ROOT / "packaging/fail2ban/jail.conf").read_text()
    assert "enabled = false" in jail and "logpath = /var/log/holdfast/smtpd.log" in jail
