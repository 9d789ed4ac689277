"""Issue 5: STARTTLS towards the world and towards the destination, and AUTH behind it."""

import subprocess

import pytest

from support.certificates import Certificates, asking_context, client_context, server_context
from support.destination import DROP
from support.forwarder import Forwarder
from support.peers import RealPostfix, needs_root, swaks
from support.smtp_client import Closed
from support.waiting import until

BODY = b"Subject: x\r\n\r\nx\r\n"


@pytest.fixture
def certificates(world):
    return world.keep(Certificates())


@pytest.fixture
def secured(world, certificates):
    """A gateway that offers STARTTLS, and its destination."""
    destination = world.destination()
    gateway = world.gateway(destination, settings={"tls": certificates.make("mx.example.test")})
    gateway.wait_probed()
    return gateway, destination


def start_tls(client, certificates=None, name="mx.example.test"):
    assert "STARTTLS" in client.ehlo().lines
    assert client.command("STARTTLS").code == 220
    client.start_tls(client_context(certificates), name)


def test_mail_comes_by_tls(secured, certificates):
    gateway, destination = secured
    with gateway.client() as client:
        start_tls(client, certificates)
        assert client.mail("a@client.test").code == 503, "what was said in the clear is forgotten (RFC 3207, section 4.2)"
        assert "STARTTLS" not in client.ehlo().lines
        assert client.command("STARTTLS").code in (502, 503)
        big = b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 50_000
        assert client.mail("a@client.test").code == 250
        assert client.rcpt("local@example.test").code == 250
        assert client.data(big).code == 250
        client.quit()
    message = destination.wait_for(1)[0]
    assert message.body == big
    assert "with ESMTPS id" in message.received
    assert "(using TLSv1.3 with cipher TLS_" in message.received
    gateway.wait_log("smtpd", "Anonymous TLS connection established from unknown[127.0.0.1]: TLSv1.3 with cipher")


def test_what_stands_behind_starttls_is_never_executed(secured):
    """CVE-2011-0411: bytes that a man in the middle puts behind STARTTLS, in the same packet."""
    gateway, destination = secured
    with gateway.client() as client:
        client.ehlo()
        client.send(b"STARTTLS\r\nEHLO evil.test\r\nMAIL FROM:<evil@client.test>\r\nRCPT TO:<local@example.test>\r\n")
        assert client.read().code == 220
        client.start_tls(client_context())
        assert client.command("NOOP").code == 250, "the first thing that is answered"
        assert client.mail("good@client.test").code == 503, "no EHLO was heard"
        client.ehlo()
        assert client.rcpt("local@example.test").code == 503, "no MAIL was heard"
        assert client.mail("good@client.test").code == 250
        assert client.rcpt("local@example.test").code == 250
        assert client.data(BODY).code == 250
    assert [m.sender for m in destination.wait_for(1)] == ["good@client.test"]
    assert not destination.saw("MAIL FROM:<evil")


def test_bytes_in_the_clear_instead_of_a_handshake_end_the_connection(secured):
    gateway, destination = secured
    with gateway.client() as client:
        client.ehlo()
        assert client.command("STARTTLS").code == 220
        client.send(b"EHLO evil.test\r\nMAIL FROM:<evil@client.test>\r\n")
        with pytest.raises((Closed, AssertionError, ConnectionError)):  # an alert, then the end
            client.read()
    gateway.wait_log("smtpd", "lost connection from unknown[127.0.0.1]: TLS: ")
    assert gateway.send("local@example.test").code == 250
    assert not destination.saw("MAIL FROM:<evil")


def test_required(world, certificates):
    destination = world.destination()
    gateway = world.gateway(destination, settings={"tls": certificates.make("mx.example.test"),
                                                   "smtpd": {"tls_required": True}})
    with gateway.client() as client:
        client.ehlo()
        assert client.mail("a@client.test").text.startswith("530 5.7.0 ")
        assert client.command("NOOP").code == 250
        start_tls(client)
        client.ehlo()
        assert client.mail("a@client.test").code == 250


def shown_for(gateway, certificates, name):
    with gateway.client() as client:
        start_tls(client, certificates, name)
        return client.socket.getpeercert()["serialNumber"]


def test_names_and_a_renewed_certificate(world, certificates):
    pair = certificates.make("mx.example.test")
    gateway = world.gateway(world.destination(), settings={
        "tls": {**pair, "names": {"mx2.example.test": certificates.make("mx2.example.test")}}})
    first, other = shown_for(gateway, certificates, "mx.example.test"), shown_for(gateway, certificates, "mx2.example.test")
    assert first != other

    certificates.make("mx.example.test")  # over the old files
    with gateway.client() as standing:
        start_tls(standing, certificates)
        gateway.reload()
        until(lambda: shown_for(gateway, certificates, "mx.example.test") != first, "the new certificate is shown")
        assert standing.ehlo().code == 250, "who is here stays here"
    renewed = shown_for(gateway, certificates, "mx.example.test")

    with open(pair["key"], "w") as file:
        file.write("rubbish\n")
    gateway.reload()
    gateway.wait_log("master", "configuration not reloaded: ")
    assert "no private key in PEM form" in gateway.log("master")
    assert shown_for(gateway, certificates, "mx.example.test") == renewed, "the one before stays"
    check = gateway.ctl("config", "check")
    assert check.returncode == 78 and "tls.key: " in check.stderr
    assert gateway.ctl("status").returncode == 0, "others need not read the key"
    # A worker that dies meanwhile comes back with what is in force, not with what lies on the disk.
    old = gateway.kill("smtpd")
    gateway.wait_restarted("smtpd", old)
    assert shown_for(gateway, certificates, "mx.example.test") == renewed
    assert gateway.send("local@example.test").code == 250


def test_swaks_and_openssl(secured, certificates):
    gateway, destination = secured
    done = swaks(gateway.port, "--tls", "--tls-verify", "--tls-ca-path", certificates.ca, "--tls-sni", "mx.example.test",
                 "--from", "a@client.test", "--to", "local@example.test")
    assert "TLS started" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0 or "hostname" in done.stdout.lower(), done.stdout
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-starttls", "smtp", "-CAfile",
                           certificates.ca, "-verify_hostname", "mx.example.test", "-verify_return_error", "-brief"],
                          input="QUIT\n", capture_output=True, text=True, timeout=30)
    assert "Verification: OK" in done.stderr, done.stderr
    for version, good in (("-tls1_2", True), ("-tls1_1", False)):
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-starttls", "smtp", version,
                               "-cipher", "DEFAULT@SECLEVEL=0", "-brief"],
                              input="QUIT\n", capture_output=True, text=True, timeout=30)
        assert (done.returncode == 0) == good, done.stderr


# towards the destination

def office(world, destination, tls=None, **more):
    gateway = world.gateway(destinations={"office": {"servers": [f"127.0.0.1:{destination.port}"], "tls": tls or {}, **more}})
    return gateway


def test_the_destination_gets_it_by_tls_live_and_from_the_queue(world, certificates):
    destination = world.destination(start=False)
    destination.tls = server_context(certificates.make("dest.test"))
    gateway = office(world, destination)
    gateway.wait_state("down")
    assert gateway.send("local@example.test").code == 250
    gateway.wait_queue(1)
    destination.start()
    kept = destination.wait_for(1)[0]
    gateway.wait_state("up")
    assert gateway.send("local@example.test").code == 250
    live = destination.wait_for(2)[1]
    assert kept.secured and live.secured
    gateway.wait_log("deliver", f"Untrusted TLS connection established to 127.0.0.1[127.0.0.1]:{destination.port}: TLSv1.3 with")
    gateway.wait_log("smtpd", f"Untrusted TLS connection established to 127.0.0.1[127.0.0.1]:{destination.port}: TLSv1.3 with")
    gateway.wait_log("prober", "Untrusted TLS connection established")
    assert "STARTTLS" in gateway.json("dest", "show", "office")[0]["capabilities"], "also where it is in use"


def test_verified_or_down(world, certificates):
    destination = world.destination()
    destination.tls = server_context(certificates.make("dest.test"))
    tls = {"policy": "verify", "ca_file": str(certificates.ca), "name": "other.test"}
    gateway = office(world, destination, tls)
    assert "STARTTLS: hostname mismatch" in gateway.wait_state("down")["reason"]
    assert gateway.send("local@example.test").code == 250
    gateway.wait_queue(1)
    assert not destination.messages
    gateway.config["destinations"]["office"]["tls"]["name"] = "dest.test"
    gateway.reload()
    assert destination.wait_for(1)[0].secured
    gateway.wait_state("up")
    gateway.wait_log("deliver", "Verified TLS connection established")
    # A server that does not offer it any more is not given anything in the clear.
    destination.tls = None
    destination.cut()
    assert "not offered by the server" in gateway.wait_state("down")["reason"]
    assert gateway.send("local@example.test").code == 250
    gateway.wait_queue(1)
    assert len(destination.messages) == 1


def test_pinned(world, certificates):
    destination = world.destination()
    pair = certificates.make("dest.test")
    destination.tls = server_context(pair)
    gateway = office(world, destination, {"policy": "pin", "pins": [certificates.fingerprint(pair)]})
    gateway.wait_probed()
    assert gateway.send("local@example.test").code == 250
    assert destination.wait_for(1)[0].secured
    destination.tls = server_context(certificates.make("dest.test", into="changed"))
    destination.cut()
    assert "not one of the pinned" in gateway.wait_state("down")["reason"]


def test_a_server_that_asks_who_we_are(world, certificates):
    """`tls.certificate` of a destination: shown by smtpd, deliver and prober; without it such a server is down."""
    destination = world.destination(start=False)
    destination.tls = asking_context(certificates.make("dest.test"), certificates)
    ours = certificates.make("mx.example.test")
    gateway = office(world, destination, {"policy": "encrypt", **ours})
    gateway.wait_state("down")
    assert gateway.send("local@example.test").code == 250
    destination.start()
    assert destination.wait_for(1)[0].secured
    gateway.wait_state("up")
    assert gateway.send("local@example.test").code == 250
    assert destination.wait_for(2)[1].secured
    gateway.config["destinations"]["office"]["tls"] = {"policy": "encrypt"}
    gateway.reload()
    destination.cut()
    gateway.wait_state("down")  # by TLS 1.3 the server says no behind the handshake, and may be gone before its alert is read
    assert gateway.send("local@example.test").code == 250
    gateway.wait_queue(1)
    assert len(destination.messages) == 2


def test_what_stands_behind_the_220_is_thrown_away(world, certificates):
    destination = world.destination()
    destination.tls = server_context(certificates.make("dest.test"))
    destination.on("starttls", "220 Go on\n250-evil\n250 SMTPUTF8\n250 2.1.0 Ok")
    gateway = office(world, destination)
    gateway.wait_probed()
    assert gateway.send("local@example.test").code == 250
    assert destination.wait_for(1)[0].secured


def test_a_broken_handshake_means_the_clear_if_it_may(world, certificates):
    destination = world.destination()
    destination.tls = server_context(certificates.make("dest.test"))

    def no_handshake(session, _):
        session.writer.write(b"220 Go on\r\n")
        return DROP

    destination.on("starttls", no_handshake)
    gateway = office(world, destination)
    gateway.wait_probed()
    gateway.wait_log("prober", "going on in the clear")
    assert gateway.send("local@example.test").code == 250
    assert not destination.wait_for(1)[0].secured
    gateway.wait_log("smtpd", "going on in the clear")


def test_points_back_at_us_with_tls(world, certificates):
    """Our own EHLO behind the handshake shows the token too."""
    gateway = world.gateway("127.0.0.1:9", start=False, settings={"tls": certificates.make("mx.example.test")})
    forwarder = world.keep(Forwarder(gateway.port))
    gateway.config["destinations"]["office"]["servers"] = [forwarder.server]
    gateway.write_config()
    gateway.start()
    assert "points back at us" in gateway.wait_state("down")["reason"]
    gateway.wait_log("prober", "TLS connection established")


def test_a_password_goes_by_tls_alone(world, certificates, tmp_path):
    destination = world.destination()
    destination.tls = server_context(certificates.make("dest.test"))
    destination.capabilities.append("AUTH PLAIN LOGIN")
    secret = tmp_path / "password"
    secret.write_text("pass-word-1\n")
    gateway = office(world, destination, auth={"user": "relay", "password_file": str(secret)})
    gateway.wait_probed()
    assert gateway.send("local@example.test").code == 250
    assert destination.wait_for(1)[0].secured
    assert destination.logins and all(by_tls and line == "AUTH PLAIN AHJlbGF5AHBhc3Mtd29yZC0x" for by_tls, line in destination.logins)
    before = len(destination.logins)
    destination.tls = None
    destination.cut()
    assert "the password may not go in the clear" in gateway.wait_state("down")["reason"]
    assert len(destination.logins) == before
    for name, text in gateway.logs().items():
        assert "pass-word-1" not in text and "AHJlbGF5" not in text, name
    shown = gateway.ctl("config", "show").stdout
    assert "pass-word-1" not in shown and str(secret) in shown


@needs_root
def test_postfix_as_a_destination_that_wants_tls(world, certificates):
    pair = certificates.make("postfix.test")
    postfix = world.keep(RealPostfix(smtpd_tls_security_level="encrypt", smtpd_tls_cert_file=pair["certificate"],
                                     smtpd_tls_key_file=pair["key"], smtpd_tls_received_header="yes",
                                     smtpd_tls_loglevel="1").start())
    gateway = office(world, postfix, {"policy": "verify", "ca_file": str(certificates.ca), "name": "postfix.test"})
    gateway.wait_state("up")
    assert gateway.send("bob@example.test").code == 250
    mail = until(lambda: postfix.mail("bob"), "it is in bob's mailbox")[0]
    assert b"using TLSv1.3 with cipher" in mail
