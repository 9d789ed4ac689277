"""Who alerts are sent to: a submission server with TLS and AUTH, an HTTP receiver, a command that writes down its facts."""

import base64
import email
import http.server
import json
import pathlib
import shutil
import tempfile
import threading

from .certificates import server_context
from .destination import Destination
from .waiting import until


def relay(certificates=None, user=None, password=None, port=None):
    """A Destination that, with certificates, offers STARTTLS, and wants a login if there is a user."""
    server = Destination(port)
    if certificates is not None:
        server.tls = server_context(certificates.make("127.0.0.1", kind="IP", into=f"relay-{server.port}"))
    if user is not None:
        server.capabilities = [*server.capabilities, "AUTH PLAIN"]
        server.password = password
        token = lambda: base64.b64encode(f"\0{user}\0{server.password}".encode()).decode()  # noqa: E731
        server.on("auth", lambda session, words: None if words.split()[-1] == token() else "535 5.7.8 Wrong password")
    return server.start()


def letters(server):
    """What has come, as email.message.Message."""
    return [email.message_from_bytes(m.content) for m in list(server.messages)]


def titles(server):
    """The subjects without our name in front."""
    return [str(letter["Subject"]).split("] ", 1)[1] for letter in letters(server)]


class WebReceiver:
    """Takes POSTs and keeps them; `status` is what it answers."""

    def __init__(self, port=0):
        self.requests, self.status = [], 200
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                owner.requests.append((self.path, dict(self.headers), body))
                self.send_response(owner.status)
                self.send_header("Content-Length", "3")
                self.end_headers()
                self.wfile.write(b"ok\n")

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def told(self):
        """The bodies that are JSON objects of ours."""
        return [json.loads(body) for _, _, body in list(self.requests)]

    def wait_for(self, what, kind=None, timeout=20):
        return until(lambda: next((t for t in self.told() if t["what"] == what and kind in (None, t["kind"])), None),
                     f"the webhook hears of {what} {kind or ''}; so far {[(t['what'], t['kind']) for t in self.told()]}", timeout)


class Pager:
    """A command in a folder that others than root may use: it writes its environment and its input into files."""

    def __init__(self, ending="exit 0"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-pager-"))
        self.folder.chmod(0o777)
        self.program = self.folder / "page"
        self.program.write_text(f"""#!/bin/sh
cd {self.folder} || exit 1
umask 000
cat >input.$HOLDFAST_ID.part
env >env.$HOLDFAST_ID.part
grep -E "^(CapEff|NoNewPrivs)" /proc/self/status >capabilities
echo "$@" >words
mv env.$HOLDFAST_ID.part env.$HOLDFAST_ID
mv input.$HOLDFAST_ID.part input.$HOLDFAST_ID
{ending}
""")
        self.program.chmod(0o755)

    def stop(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def runs(self):
        """(environment, input) of each."""
        out = []
        for file in sorted(self.folder.glob("input.*[0-9]")):
            env = (self.folder / file.name.replace("input", "env")).read_text()
            out.append((dict(line.split("=", 1) for line in env.splitlines() if line.startswith("HOLDFAST_") and "=" in line),
                        json.loads(file.read_text())))
        return out
