"""The hostile cases (test_hostile.py) against Postfix in our place: where it does otherwise, the case says why.

docs/hostile.md shows the differences; HOLDFAST_RENEW=1 writes its table again. A difference is another kind of answer
(2xx, 4xx, 5xx, the end of the connection) or other bytes at the destination; other codes of the same kind are counted.
"""

import concurrent.futures
import os
import pathlib
import re

import pytest

from support.certificates import Certificates
from support.hostile import Player, differs, far_side, load
from support.peers import RealPostfix, needs_root
from support.waiting import until
from support.world import World

pytestmark = needs_root

ASKED = [case for case in load() if not case.skip]
PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/hostile.md"
BEGIN, END = "<!-- differences -->\n", "<!-- end of differences -->\n"


class PostfixInOurPlace(RealPostfix):
    """Relays example.test to `destination`, with our limits, and with what its authors advise against smuggling."""

    def __init__(self, destination, pair):
        super().__init__(
            mailboxes=(), virtual_mailbox_domains="", relay_domains="example.test", mynetworks="192.0.2.255/32",
            transport_maps=f"inline:{{{{example.test=smtp:[127.0.0.1]:{destination.port}}}, {{*=discard:}}}}",
            smtpd_recipient_restrictions="reject_unauth_destination", smtpd_relay_restrictions="reject_unauth_destination",
            smtpd_forbid_bare_newline="reject", smtpd_forbid_bare_newline_exclusions="", smtpd_forbid_unauth_pipelining="yes",
            smtpd_helo_required="yes", smtpd_tls_security_level="may", smtpd_tls_cert_file=pair["certificate"],
            smtpd_tls_key_file=pair["key"], smtpd_authorized_xclient_hosts="127.3.0.0/16", message_size_limit="1048576",
            header_size_limit="65536", smtpd_recipient_limit="100", hopcount_limit="20", smtpd_hard_error_limit="20",
            smtpd_soft_error_limit="20", smtpd_error_sleep_time="0", smtpd_junk_command_limit="100",
            smtpd_client_connection_rate_limit="0", smtpd_timeout="20s", smtp_tls_security_level="none")

    def queued(self):
        return [path for name in ("maildrop", "incoming", "active", "deferred", "hold")
                for path in (self.folder / "queue" / name).rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def found():
    """What is different: {case: words}, and how many answers have another code of the same kind."""
    world = World()
    try:
        destination = world.destination(start=False)
        destination.capabilities = [*destination.capabilities, "DSN"]
        destination.start()
        postfix = world.keep(PostfixInOurPlace(destination, world.keep(Certificates()).make("mx.example.test"))).start()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            played = list(pool.map(lambda case: Player(case, postfix.port, strict=False, timeout=10).play(), ASKED))
        until(lambda: not postfix.queued(), "Postfix has handed over what it took", 60)
        return {case: "; ".join(filter(None, (done.surprise, differs(case.far, far_side(destination, case)))))
                for case, done in zip(ASKED, played)}, sum(len(done.codes) for done in played)
    finally:
        destination.faults.clear()  # of Postfix's making
        world.end(failed=True)


def words(text):
    """For a cell of a table: without what changes from run to run."""
    text = re.sub(r"queued as \w+", "queued as …", re.sub(r"(me|evil)\d+@", r"\1@", text))
    return "".join(c if c.isprintable() else "?" for c in text).replace("|", "\\|")[:160]


def rows(found):
    return [(case, what) for case, what in found[0].items() if what]


def test_each_difference_is_explained(found):
    unexplained = [f"{case.group}: {case.name}: {what}" for case, what in rows(found) if not case.postfix]
    assert not unexplained, "\n".join(unexplained)


def test_no_explanation_is_idle(found):
    """An explanation may stand for several values of `each`: one of them must differ."""
    differing = {(case.group, case.postfix) for case, _ in rows(found)}
    idle = [f"{case.group}: {case.name}: {case.postfix}" for case in ASKED
            if case.postfix and (case.group, case.postfix) not in differing]
    assert not idle, "\n".join(idle)


def test_the_page_shows_them(found):
    text = PAGE.read_text()
    table = "| case | what Postfix does otherwise | why |\n|---|---|---|\n" + "".join(
        f"| {case.group}: {words(case.name)} | {words(what)} | {words(case.postfix)} |\n" for case, what in rows(found))
    before, _, after = text.partition(BEGIN)[0], *text.partition(BEGIN)[2].partition(END)[1:]
    if os.environ.get("HOLDFAST_RENEW"):
        PAGE.write_text(before + BEGIN + table + END + after)
        text = PAGE.read_text()
    for case, _ in rows(found):
        assert f"| {case.group}: {words(case.name)} |" in text, "HOLDFAST_RENEW=1 writes the table again"
