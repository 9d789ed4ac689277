"""Issue 5, "interoperation": Exim as a client (with CHUNKING, which it uses wherever it is offered) and as a destination."""

import os

import pytest

from support.certificates import Certificates
from support.exim import Exim, needs_exim
from support.smtp_client import send
from support.waiting import until

pytestmark = needs_exim

BODY = b"Subject: by Exim\r\n\r\n.\r\n..two\r\n\r\nlast\r\n"


@pytest.fixture
def certificates(world):
    return world.keep(Certificates())


@pytest.mark.parametrize("kept", [False, True], ids=["live", "kept"])
def test_as_a_client_by_tls_and_in_chunks(world, destination, certificates, kept):
    gateway = world.gateway(destination, settings={"tls": certificates.make("mx.example.test")})
    gateway.wait_probed()
    exim = world.keep(Exim(relay=gateway.port, transport="  hosts_require_tls = *\n  tls_verify_certificates =\n  tls_verify_hosts =\n  tls_try_verify_hosts ="))
    exim.start()
    if kept:
        destination.close()
        gateway.wait_state("down")
    for number in range(3):
        assert send(exim.port, f"a{number}@client.test", ["local@example.test", "postmaster@example.test"], BODY)[0].code == 250
    if kept:
        gateway.wait_queue(3)
        destination.start()
    messages = destination.wait_for(3, 40)
    assert all(m.content.endswith(b"\r\n\r\n.\r\n..two\r\n\r\nlast\r\n") for m in messages)
    assert all(sorted(m.recipients) == ["local@example.test", "postmaster@example.test"] for m in messages)
    assert "with ESMTPS" in messages[0].received
    line = until(lambda: next((each for each in exim.log().splitlines() if "=> local@example.test" in each), None), "Exim logs it")
    assert " K " in line and " X=TLS1.3:" in line, line  # CHUNKING and TLS


def test_as_a_client_whose_recipient_is_refused(world, destination):
    gateway = world.gateway(destination)
    gateway.wait_probed()
    destination.on("rcpt", {"no@example.test": "550 5.1.1 No such user"})
    exim = world.keep(Exim(relay=gateway.port)).start()
    assert send(exim.port, "a@client.test", ["no@example.test", "local@example.test"], BODY)[0].code == 250
    (message,) = destination.wait_for(1)
    assert message.recipients == ["local@example.test"]
    until(lambda: "** no@example.test" in exim.log() and "550 5.1.1 No such user" in exim.log(), "Exim hears of it")


def test_as_a_destination_with_tls_live_and_from_the_queue(world, certificates):
    pair = certificates.make("exim.test")
    main = f"tls_advertise_hosts = *\ntls_certificate = {pair['certificate']}\ntls_privatekey = {pair['key']}"
    for path in (pair["certificate"], pair["key"]):
        os.chmod(path, 0o644)  # Exim reads them as its own user
    exim = world.keep(Exim(main=main)).start()
    gateway = world.gateway(destinations={"office": {"servers": [exim.server], "tls": {
        "policy": "verify", "ca_file": str(certificates.ca), "name": "exim.test"}}})
    gateway.wait_probed()
    assert gateway.send(["bob@example.test", "local@example.test"], content=BODY).code == 250
    gateway.wait_learnt("bob@example.test")
    assert gateway.send("nobody-of-that-name-is-here@example.test").text.startswith("550 ")
    exim.close()
    gateway.wait_state("down")
    assert gateway.send("bob@example.test", content=b"Subject: kept\r\n\r\nx\r\n").text.startswith("250 2.0.0 Ok: queued")
    exim.start()
    until(lambda: len(exim.mail("bob")) == 2 and len(exim.mail("local")) == 1, "Exim has them", 30)
    first = next(mail for mail in exim.mail("bob") if b"by Exim" in mail)
    assert first.endswith(b"\n\n.\n..two\n\nlast\n")
    gateway.wait_log("deliver", "Verified TLS connection established")
