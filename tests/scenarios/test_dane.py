"""DANE (RFC 7672): servers found by MX are checked by the TLSA records that DNSSEC vouches for."""

import hashlib
import ssl

import pytest

from support.backup_zone import NAME, Zone, names_of
from support.certificates import Certificates, asking_context, server_context

MX = "@ IN MX 10 a\n"


@pytest.fixture
def certificates(world):
    return world.keep(Certificates())


def tlsa(host, usage, selector, matching, data):
    return f"_{{port}}._tcp.{host} IN TLSA {usage} {selector} {matching} {data}\n"


def of_certificate(file):
    """SHA-256 of a certificate, as TLSA has it."""
    with open(file, encoding="ascii") as pem:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.read())).hexdigest()


def with_issuer(certificates, pair):
    """The server sends its issuer along, as DANE-TA needs it (RFC 7671 section 5.2.2)."""
    with open(pair["certificate"], "a", encoding="ascii") as chain, open(certificates.ca, encoding="ascii") as issuer:
        chain.write(issuer.read())
    return pair


def secured(zone, last, pair):
    server = zone.server(last)
    server.tls = server_context(pair)
    return server


WRONG = "00" * 32


@pytest.mark.parametrize("kind", ["the key, whatever the name", "the issuer"])
def test_a_server_that_is_what_its_records_say(world, certificates, kind):
    if kind == "the issuer":
        pair = with_issuer(certificates, certificates.make("a.backup.test"))
        record = tlsa("a", 2, 0, 1, of_certificate(certificates.ca))
    else:
        pair = certificates.make("another.name.test", days=-1)
        record = tlsa("a", 3, 1, 1, WRONG) + tlsa("a", 3, 1, 1, certificates.fingerprint(pair))
    zone = Zone(world, MX + record, signed=True)
    a = secured(zone, 1, pair)
    gateway = zone.gateway()
    gateway.wait_probed()
    assert gateway.send("known@backup.test").text == "250 2.0.0 Taken"
    assert a.messages[0].secured
    line = gateway.wait_log("smtpd", "Verified TLS connection established to a.backup.test[127.0.0.41]")
    assert line.endswith(", dane")


def test_the_issuer_vouches_for_its_own_names_only(world, certificates):
    pair = with_issuer(certificates, certificates.make("another.name.test"))
    zone = Zone(world, MX + tlsa("a", 2, 0, 1, of_certificate(certificates.ca)), signed=True)
    secured(zone, 1, pair)
    gateway = zone.gateway()
    assert "starttls" in gateway.wait_state("down", name=NAME)["reason"].lower()


def test_a_wrong_server_gets_nothing_and_the_mail_waits(world, certificates):
    pair = certificates.make("a.backup.test")
    zone = Zone(world, MX + tlsa("a", 3, 1, 1, WRONG), ttl=1, signed=True)
    a = secured(zone, 1, pair)
    gateway = zone.gateway()
    down = gateway.wait_state("down", name=NAME)
    assert "DANE" in down["reason"], down
    gateway.wait_log("prober", f"destination={NAME} state=down was=up")
    assert gateway.send("known@backup.test").text.startswith("250 2.0.0 Ok: queued as ")
    assert gateway.send("stranger@backup.test").code == 451
    assert a.messages == []
    zone.names.change("backup.test", zone.text(MX + tlsa("a", 3, 1, 1, certificates.fingerprint(pair))))
    a.wait_for(1, 40)
    gateway.wait_queue(0)
    assert a.messages[0].recipients == ["known@backup.test"] and a.messages[0].secured


@pytest.mark.parametrize("starttls", [True, False], ids=["offered", "missing"])
def test_records_that_nobody_can_use_ask_for_encryption_alone(world, certificates, starttls):
    zone = Zone(world, MX + tlsa("a", 1, 1, 1, WRONG) + tlsa("a", 3, 1, 7, "abcd"), signed=True)
    a = zone.server(1)
    if starttls:
        a.tls = server_context(certificates.make("another.name.test"))
    gateway = zone.gateway()
    if starttls:
        gateway.wait_probed()
        assert gateway.send("known@backup.test").text == "250 2.0.0 Taken"
        assert a.messages[0].secured
        assert not gateway.wait_log("smtpd", "Untrusted TLS connection established to a.backup").endswith("dane")
    else:
        assert "not offered" in gateway.wait_state("down", name=NAME)["reason"]
        assert gateway.send("known@backup.test").text.startswith("250 2.0.0 Ok: queued as ")
        assert a.messages == []


@pytest.mark.parametrize("name", ["a.backup.test", "another.name.test"])
def test_records_that_nobody_can_use_take_nothing_from_the_policy(world, certificates, name):
    zone = Zone(world, MX + tlsa("a", 1, 1, 1, WRONG), signed=True)
    a = secured(zone, 1, certificates.make(name))
    gateway = zone.gateway(tls={"policy": "verify", "ca_file": str(certificates.ca)})
    if name == "a.backup.test":
        gateway.wait_probed()
        assert gateway.send("known@backup.test").text == "250 2.0.0 Taken"
        assert "Verified TLS" in gateway.wait_log("smtpd", "TLS connection established to a.backup")
    else:
        assert "hostname mismatch" in gateway.wait_state("down", name=NAME)["reason"]
        assert a.messages == []


def test_a_server_that_asks_who_we_are(world, certificates):
    pair, ours = certificates.make("a.backup.test"), certificates.make("mx.example.test")
    zone = Zone(world, MX + tlsa("a", 3, 1, 1, certificates.fingerprint(pair)), signed=True)
    a = zone.server(1)
    a.tls = asking_context(pair, certificates)
    gateway = zone.gateway(tls=ours)
    gateway.wait_probed()
    assert gateway.send("known@backup.test").text == "250 2.0.0 Taken"
    assert a.messages[0].secured


def test_a_server_whose_records_are_forged_is_passed_over(world, certificates):
    pair = certificates.make("a.backup.test")
    zone = Zone(world, "@ IN MX 10 a\n@ IN MX 20 b\n" + tlsa("a", 3, 1, 1, certificates.fingerprint(pair)), signed=True)
    zone.names.spoil = lambda text: text.replace(certificates.fingerprint(pair), WRONG)
    zone.names.change("backup.test", zone.names.zones["backup.test"])
    a, b = secured(zone, 1, pair), zone.server(2)
    gateway = zone.gateway()
    gateway.wait_probed()
    assert names_of(gateway) == {"127.0.0.42": "up"}
    assert gateway.send("known@backup.test").text == "250 2.0.0 Taken"
    assert len(b.messages) == 1 and a.connections == 0


def test_forged_mx_are_no_answer(world):
    zone = Zone(world, MX, signed=True)
    zone.names.spoil = lambda text: text.replace("MX\t10 a.", "MX\t10 b.")
    zone.names.change("backup.test", zone.names.zones["backup.test"])
    b = zone.server(2)
    gateway = zone.gateway()
    assert "DNSSEC" in gateway.wait_state("down", name=NAME, timeout=60)["reason"]
    assert gateway.send("known@backup.test").text.startswith("250 2.0.0 Ok: queued as ")
    assert b.connections == 0


@pytest.mark.parametrize("why", ["the zone is not signed", "it is off"])
def test_where_dane_is_silent_the_policy_holds(world, certificates, why):
    zone = Zone(world, MX + tlsa("a", 3, 1, 1, WRONG), signed=why == "it is off")
    a = secured(zone, 1, certificates.make("another.name.test"))
    other = zone if zone.signed else Zone(world, MX, signed=True)  # some zone's keys
    anchors = other.names.trust_anchors
    if not zone.signed:
        anchors = zone.names.folder / "elsewhere"
        anchors.write_text(other.names.trust_anchors.read_text().replace("backup.test.", "elsewhere.test."))
    gateway = zone.gateway(anchors=anchors, tls={"dane": "off" if zone.signed else "on"})
    gateway.wait_probed()
    assert gateway.send("known@backup.test").text == "250 2.0.0 Taken"
    assert a.messages[0].secured
    gateway.wait_log("smtpd", "Untrusted TLS connection established to a.backup.test")


def test_bounces_by_mx_are_checked_too(world, destination, certificates):
    pair = certificates.make("a.backup.test")
    zone = Zone(world, "good IN MX 10 a\nbad IN MX 10 b\n" + tlsa("a", 3, 1, 1, certificates.fingerprint(pair)) +
                tlsa("b", 3, 1, 1, WRONG), signed=True)
    a, b = secured(zone, 1, pair), secured(zone, 2, pair)
    gateway = world.gateway(destination, settings={"dns": {"resolvers": [zone.names.server],
                                                           "trust_anchors": str(zone.names.trust_anchors)},
                                                   "bounces": {"mx_port": zone.port}})
    gateway.wait_probed()
    destination.on("dot", "451 4.3.0 later")
    for sender in ("x@good.backup.test", "x@bad.backup.test"):
        assert gateway.send("local@example.test", sender=sender).text.startswith("250 2.0.0 Ok: queued as ")
    gateway.wait_queue(2)
    destination.on("dot", "550 5.7.1 no")
    gateway.ctl("queue", "retry", "--all")
    a.wait_for(1, 40)
    assert a.messages[0].recipients == ["x@good.backup.test"] and a.messages[0].secured
    line = gateway.wait_log("deliver", "to=<x@bad.backup.test>", timeout=40)
    assert "status=deferred" in line and b.messages == []
