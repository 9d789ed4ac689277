"""OpenLDAP's server, unpacked under build/peers/slapd by tools/unpack-peers, never installed: on loopback, as whoever runs the test."""

import os
import pathlib
import shutil
import subprocess
import tempfile

from . import guard, ports
from .peers import PEERS, _end
from .waiting import until

ROOT = PEERS / "slapd"
BASE, ADMIN, PASSWORD = "dc=example,dc=test", "cn=admin,dc=example,dc=test", "open sesame"

# Nobody may hold more than `page` entries at a time: whoever wants all has to page.
CONFIG = """\
include {root}/etc/ldap/schema/core.schema
include {root}/etc/ldap/schema/cosine.schema
include {root}/etc/ldap/schema/inetorgperson.schema
attributetype ( 1.2.840.113556.1.2.210 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.4.1.99999.1 NAME 'exchangePerson' SUP top AUXILIARY MAY proxyAddresses )
modulepath {root}/usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
sizelimit size.soft={page} size.hard={page} size.pr={page} size.prtotal=unlimited
{extra}
database mdb
suffix "{base}"
rootdn "{admin}"
rootpw "{password}"
directory {folder}/db
maxsize 16777216
limits dn.exact="{admin}" size.soft={page} size.hard={page} size.pr={page} size.prtotal=unlimited
access to * by {readers} read by anonymous auth
"""


class Slapd:
    """`people`: {name: [attribute lines]}; `anonymous`: everybody may read."""

    def __init__(self, people, page=5, anonymous=True, extra=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-slapd-"))
        guard.watch("folder", self.folder)
        self.port = ports.free_port()
        self.uri = f"ldap://127.0.0.1:{self.port}"
        self.process = None
        (self.folder / "db").mkdir()
        (self.folder / "slapd.conf").write_text(CONFIG.format(
            root=ROOT, folder=self.folder, page=page, base=BASE, admin=ADMIN, password=PASSWORD, extra=extra,
            readers="*" if anonymous else "users"))
        ldif = f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\n"
        for name, lines in people.items():
            ldif += (f"dn: cn={name},{BASE}\nobjectClass: inetOrgPerson\nobjectClass: exchangePerson\ncn: {name}\nsn: {name}\n"
                     + "".join(line + "\n" for line in lines) + "\n")
        self._run("slapadd", "-q", "-f", self.folder / "slapd.conf", input=ldif)

    def _env(self):
        return {**os.environ, "LD_LIBRARY_PATH": f"{ROOT}/usr/lib/x86_64-linux-gnu:{ROOT}/lib/x86_64-linux-gnu"}

    def _run(self, name, *words, **more):
        done = subprocess.run([name, *map(str, words)], executable=ROOT / "usr/sbin/slapd", env=self._env(), capture_output=True,
                              text=True, timeout=60, **more)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self):
        self.process = subprocess.Popen(["slapd", "-h", self.uri, "-f", self.folder / "slapd.conf", "-d", "0"],
                                        executable=ROOT / "usr/sbin/slapd", env=self._env(), stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        guard.watch("session", self.process.pid)
        until(lambda: not ports.refused(self.port) or self.process.poll() is not None, "slapd listens")
        assert self.process.poll() is None, f"slapd ended with {self.process.returncode}"
        return self

    def stop(self):
        if self.process is not None:
            _end(self.process)
            self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)
        guard.over("folder", self.folder)
