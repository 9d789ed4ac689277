"""An SMTP client that sends exactly the bytes it is told, and reads replies exactly."""

import dataclasses
import socket


@dataclasses.dataclass(frozen=True)
class Reply:
    code: int
    lines: tuple  # texts behind the code, enhanced code included

    @property
    def text(self):
        return f"{self.code} " + " ".join(self.lines)

    def __str__(self):
        return self.text


class Closed(Exception):
    """The server has closed the connection."""


class SmtpClient:
    def __init__(self, port, host="127.0.0.1", timeout=30, greet=True, source=None):
        self.socket = socket.create_connection((host, port), timeout, source_address=source)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.banner = self.read() if greet else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def abort(self):
        """Ends the connection with a RST, as a client that dies."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()

    def send(self, raw):
        self.socket.sendall(raw)

    def read(self):
        lines = []
        while True:
            line = self._line()
            if len(line) < 3 or not line[:3].isdigit() or (len(line) > 3 and line[3] not in " -"):
                raise AssertionError(f"not a reply line: {line!r}")
            lines.append(line[4:])
            if line[3:4] != "-":
                return Reply(int(line[:3]), tuple(lines))

    def _line(self):
        while b"\r\n" not in self.buffer:
            chunk = self.socket.recv(65536)
            if not chunk:
                raise Closed(f"closed after {self.buffer!r}")
            self.buffer += chunk
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode("latin-1")

    def closed(self):
        """Waits for the server's end; false when it sends something instead."""
        try:
            return not self.buffer and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def command(self, text):
        self.send((text if isinstance(text, bytes) else text.encode()) + b"\r\n")
        return self.read()

    def ehlo(self, name="client.test"):
        return self.command(f"EHLO {name}")

    def mail(self, sender, params=""):
        return self.command(f"MAIL FROM:<{sender}>{' ' + params if params else ''}")

    def rcpt(self, recipient):
        return self.command(f"RCPT TO:<{recipient}>")

    def data(self, content):
        """DATA, the content (stuffed here, a missing final CRLF added), and the dot; the last reply."""
        go_on = self.command("DATA")
        if go_on.code != 354:
            return go_on
        return self.content(content)

    def content(self, content):
        self.send(stuffed(content) + b".\r\n")
        return self.read()

    def start_tls(self, context, name="mx.example.test"):
        """The handshake, behind a 220 to STARTTLS; what lies unread is thrown away."""
        self.buffer = b""
        self.socket = context.wrap_socket(self.socket, server_hostname=name)

    def quit(self):
        reply = self.command("QUIT")
        self.close()
        return reply


def stuffed(content):
    if content and not content.endswith(b"\r\n"):
        content += b"\r\n"
    if content.startswith(b"."):
        content = b"." + content
    return content.replace(b"\r\n.", b"\r\n..")


def send(port, sender, recipients, content=b"Subject: x\r\n\r\nx\r\n", params="", timeout=60):
    """One message over a connection of its own; the reply that decided, and those to the recipients."""
    if isinstance(recipients, str):
        recipients = [recipients]
    with SmtpClient(port, timeout=timeout) as client:
        client.ehlo()
        reply = client.mail(sender, params)
        replies = []
        if reply.code == 250:
            replies = [client.rcpt(recipient) for recipient in recipients]
            if any(reply.code // 100 == 2 for reply in replies):
                reply = client.data(content)
            elif replies:
                reply = replies[-1]
        try:
            client.command("QUIT")
        except (Closed, ConnectionError):
            pass
        return reply, replies
