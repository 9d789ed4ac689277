"""Certificates for tests, made by the openssl program in a folder of the test's own."""

import pathlib
import shutil
import ssl
import subprocess
import tempfile


class Certificates:
    """A CA of its own; pairs by name."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-tls-"))
        self.folder.chmod(0o755)  # Postfix reads its own as another user
        self.ca = self.folder / "ca.pem"
        self._run("req", "-x509", *self._new_key("ca"), "-subj", "/CN=test CA", "-days", "30", "-out", self.ca)

    def stop(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, *words):
        done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _new_key(self, name):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.folder / f"{name}.key"]

    def make(self, name, days=30, kind="DNS", into=None):
        """{"certificate": …, "key": …} for a name; `into` is another name for the files. days=-1: expired."""
        into = into or name
        request, pem = self.folder / f"{into}.csr", self.folder / f"{into}.pem"
        self._run("req", "-new", *self._new_key(into), "-subj", f"/CN={name}", "-addext", f"subjectAltName={kind}:{name}",
                  "-out", request)
        # A negative number of days is not to be had from `x509`: one that has begun and ended yesterday is.
        self._run("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.folder / "ca.key", "-copy_extensions", "copy",
                  "-CAcreateserial", "-days", days, "-out", pem)
        return {"certificate": str(pem), "key": str(self.folder / f"{into}.key")}

    def fingerprint(self, pair):
        """SHA-256 of the public key, in hexadecimal."""
        der = subprocess.run(["openssl", "pkey", "-in", pair["key"], "-pubout", "-outform", "DER"], capture_output=True,
                             check=True, timeout=60).stdout
        done = subprocess.run(["openssl", "dgst", "-sha256", "-hex"], input=der, capture_output=True, check=True, timeout=60)
        return done.stdout.decode().split("= ")[1].strip()


def server_context(pair):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair["certificate"], pair["key"])
    return context


def asking_context(pair, certificates):
    """A server that takes no client without a certificate of that CA."""
    context = server_context(pair)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificates.ca)
    return context


def client_context(certificates=None):
    """Verifies by the CA of `certificates`, or takes anything."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if certificates is None:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    else:
        context.load_verify_locations(certificates.ca)
    return context
