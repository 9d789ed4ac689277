"""The web of a gateway, as a browser or a program asks it."""

import http.client
import json
import ssl
import subprocess

from . import ports
from .gateway import BIN
from .waiting import patient

PASSWORD = "correct horse battery"


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self):
        return json.loads(self.body)

    @property
    def kind(self):
        return self.json()["error"]["kind"]


class Browser:
    """Keeps the cookie and the CSRF token, as a page does. `origin`: what it says in that header."""

    def __init__(self, port, tls=None, token=None):
        self.port, self.tls, self.token = port, tls, token
        self.cookie, self.csrf, self.origin = None, None, None

    def connection(self):
        if self.tls is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=patient(30))
        return http.client.HTTPSConnection("localhost", self.port, timeout=patient(30),
                                           context=ssl.create_default_context(cafile=str(self.tls)))

    def request(self, method, path, body=None, **headers):
        """`path` from /api/v1/ on unless it begins with a slash; headers with _ for -; None leaves one out."""
        path = path if path.startswith("/") else "/api/v1/" + path
        all_headers = {}
        if self.cookie:
            all_headers["Cookie"] = self.cookie
        if self.token:
            all_headers["Authorization"] = f"Bearer {self.token}"
        if self.origin:
            all_headers["Origin"] = self.origin
        if method != "GET" and self.csrf:
            all_headers["X-CSRF-Token"] = self.csrf
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            all_headers["Content-Type"] = "application/json"
        for name, value in headers.items():
            all_headers[name.replace("_", "-")] = value
        connection = self.connection()
        try:
            connection.request(method, path, body, {n: v for n, v in all_headers.items() if v is not None})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.request("GET", path, **headers)

    def post(self, path, body=None, **headers):
        return self.request("POST", path, {} if body is None else body, **headers)

    def delete(self, path, **headers):
        return self.request("DELETE", path, **headers)

    def login(self, name, password=PASSWORD):
        answer = self.post("login", {"name": name, "password": password})
        if answer.status == 200:
            self.cookie = answer.headers["Set-Cookie"].split(";")[0]
            self.csrf = answer.json()["csrf"]
        return answer


def settings(port=None, tls=None):
    """For a gateway that has a web."""
    web = {"listen": f"127.0.0.1:{port or ports.free_port()}"}
    return {"web": {**web, "tls": tls} if tls else web}


def port_of(gateway):
    return int(gateway.config["web"]["listen"].rsplit(":", 1)[1])


def add_user(gateway, name, role, password=PASSWORD):
    with_password(gateway, password, "add", name, "--role", role)


def change_password(gateway, name, password):
    with_password(gateway, password, "password", name)


def with_password(gateway, password, *words):
    done = subprocess.run([BIN / "gatewayctl", "--config", gateway.file, "web", "user", *words, "--password-stdin"],
                          input=password + "\n", capture_output=True, text=True, timeout=patient(60))
    assert done.returncode == 0, done.stderr


def add_token(gateway, name, role, *words):
    done = gateway.ctl("web", "token", "add", name, "--role", role, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def browser(gateway, name=None, tls=None, token=None):
    """One that is logged in as `name`, if that is given."""
    out = Browser(port_of(gateway), tls=tls, token=token)
    if name is not None:
        answer = out.login(name)
        assert answer.status == 200, answer.body
    return out
