"""The real filters say what scenarios rely on, asked by a client that shares no code with the gateway."""

import contextlib

import pytest

from support.filters import EICAR, GTUBE, ClamAv, OpenDkim, Rspamd
from support.milter_judge import MilterJudge

HEADER = [("From", "a@client.test"), ("To", "b@example.test"), ("Subject", "x"), ("Message-ID", "<x@client.test>"),
          ("Date", "Mon, 23 Nov 2026 01:00:00 +0000")]


@contextlib.contextmanager
def running(kind):
    made = kind()
    try:
        yield made.start()
    finally:
        made.stop()


def judge(port, body):
    with contextlib.closing(MilterJudge(port)) as client:
        return client.judge("a@client.test", ["b@example.test"], HEADER, body + b"\r\n")


def test_rspamd_refuses_gtube_and_marks_the_rest():
    with running(Rspamd) as rspamd:
        verdict, added = judge(rspamd.port, b"hello")
        assert verdict in ("a", "c") and "X-Spamd-Result" in added, rspamd.log()
        assert judge(rspamd.port, GTUBE)[0] == "y554 5.7.1 Gtube pattern"


def test_clamav_refuses_eicar_alone():
    with running(ClamAv) as clamav:
        verdict, added = judge(clamav.port, b"hello")
        assert verdict in ("a", "c") and added["X-Virus-Status"] == "Clean", clamav.log()
        assert judge(clamav.port, EICAR)[0].startswith("y550 5.7.1 Virus found: Eicar")


def test_opendkim_signs():
    with running(OpenDkim) as opendkim:
        verdict, added = judge(opendkim.port, b"hello")
        assert verdict in ("a", "c") and "d=client.test; s=s1" in added["DKIM-Signature"], opendkim.log()


@pytest.mark.parametrize("kind", [OpenDkim, ClamAv])
def test_a_killed_filter_refuses_connections(kind):
    with running(kind) as killed:
        judge(killed.port, b"hello")
        killed.kill()
        with pytest.raises(ConnectionRefusedError):
            MilterJudge(killed.port)
