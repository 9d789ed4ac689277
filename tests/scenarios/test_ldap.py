"""holdfast-ldap: recipients from an LDAP directory (OpenLDAP's slapd), by pages, and into the gateway."""

import subprocess

import pytest

from support.certificates import Certificates
from support.gateway import BIN
from support.slapd import ADMIN, BASE, PASSWORD, Slapd

PEOPLE = {
    "ada": ["mail: Ada@Example.test", "proxyAddresses: SMTP:ada@example.test", "proxyAddresses: smtp:a.lovelace@example.test",
            "proxyAddresses: X500:/o=Example/cn=ada", "proxyAddresses: sip:ada@example.test"],
    "room": ["description: nobody writes to it"],
    "guest": ["mail: guest@elsewhere.test"],
    **{f"p{n}": [f"mail: p{n}@example.test"] for n in range(12)},
}
OURS = {"ada@example.test", "a.lovelace@example.test", *(f"p{n}@example.test" for n in range(12))}


def ask(server, *more):
    return subprocess.run([BIN / "holdfast-ldap", "--uri", server.uri, "--base", BASE, "--page", "5", *map(str, more)],
                          capture_output=True, text=True, timeout=60)


@pytest.fixture
def directory(world):
    def make(**options):
        return world.keep(Slapd(PEOPLE, **options)).start()
    return make


def test_each_address_comes_once_though_nobody_may_hold_more_than_five(directory):
    done = ask(directory(page=5))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.split()
    assert sorted(lines) == sorted(OURS | {"guest@elsewhere.test"})


def test_a_name_and_a_password_where_they_are_asked_for(directory, tmp_path):
    server = directory(anonymous=False)
    assert ask(server).stdout == ""
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text(PASSWORD + "\n")
    wrong.write_text("guess\n")
    done = ask(server, "--bind", ADMIN, "--password-file", right, "--attribute", "mail", "--filter", "(cn=p1*)")
    assert sorted(done.stdout.split()) == ["p10@example.test", "p11@example.test", "p1@example.test"]
    refused = ask(server, "--bind", ADMIN, "--password-file", wrong)
    assert refused.returncode == 77 and "guess" not in refused.stderr
    assert ask(server, "--bind", ADMIN).returncode == 64


def test_what_cannot_be_is_said(directory):
    server = directory()
    assert ask(server, "--filter", "(cn=").returncode == 64
    server.stop()
    dead = ask(server)
    assert dead.returncode == 69 and dead.stdout == ""


def test_nothing_is_said_to_a_server_whose_certificate_is_not_good(directory, world):
    certificates = world.keep(Certificates())
    pair = certificates.make("127.0.0.1", kind="IP")
    server = directory(extra=f"TLSCertificateFile {pair['certificate']}\nTLSCertificateKeyFile {pair['key']}")
    assert ask(server, "--starttls").returncode == 69, "nobody vouches for it"
    done = ask(server, "--starttls", "--ca-file", certificates.ca)
    assert done.returncode == 0, done.stderr
    assert OURS <= set(done.stdout.split())


def test_into_the_gateway(directory, world, destination):
    gateway = world.gateway(destination)
    gateway.wait_probed()
    found = ask(directory()).stdout
    done = subprocess.run([BIN / "gatewayctl", "--config", gateway.file, "rcpt", "import", "--format", "csv", "-"], input=found,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert OURS <= gateway.known()
    assert "guest@elsewhere.test" not in gateway.known()
