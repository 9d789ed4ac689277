"""A filter that speaks milter (version 6) and says what a test wants. Written after the protocol's packets, not by libmilter,
so that it can lie."""

import socket
import struct
import threading

NAMES = {"C": "connect", "H": "helo", "M": "mail", "R": "rcpt", "T": "data", "L": "header", "N": "eoh", "B": "body", "E": "end"}
HANG = object()
CLOSE = object()


def packet(kind, data=b""):
    return struct.pack(">I", len(data) + 1) + kind.encode() + data


def text(value):
    return value.encode() + b"\0"


PROGRESS = packet("p")
SKIP = packet("s")
ACCEPT = packet("a")
DISCARD = packet("d")
SHUTDOWN = packet("4")

# Of the offer: what a filter may leave out, or need not answer.
MAY_SKIP = 0x400


def reply(words):
    return packet("y", text(words))


def insert_header(name, value, index=0):
    return packet("i", struct.pack(">I", index) + text(name) + text(value))


def add_header(name, value):
    return packet("h", text(name) + text(value))


def change_header(name, value, index=1):
    return packet("m", struct.pack(">I", index) + text(name) + text(value))


def replace_body(body):
    return packet("b", body)


def add_rcpt(address):
    return packet("+", text(f"<{address}>"))


def delete_rcpt(address):
    return packet("-", text(f"<{address}>"))


def change_from(address):
    return packet("e", text(f"<{address}>"))


def quarantine(reason):
    return packet("q", text(reason))


class Milter:
    """`on(stage, answer)`: bytes to send, HANG or CLOSE, or a function of (data, connection) that returns one of these; else the
    filter goes on. `heard` has (stage, data) of all. `path`: of a Unix socket, else it listens on a port of loopback."""

    def __init__(self, path=None, steps=0):
        self.path, self.steps, self.offer = path, steps, None
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(path))
            self.listener.listen()
        else:
            self.listener = socket.create_server(("127.0.0.1", 0))
            self.port = self.listener.getsockname()[1]
        self.answers, self.heard, self.macros, self.connections = {}, [], {}, []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def where(self):
        return f"unix:{self.path}" if self.path else f"inet:127.0.0.1:{self.port}"

    def on(self, stage, answer):
        self.answers[stage] = answer

    def reset(self, **answers):
        self.answers, self.heard = answers, []

    def stages(self):
        return [stage for stage, _ in self.heard]

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept(), which would take one more
        except OSError:
            pass
        self.listener.close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            stream = connection.makefile("rb")
            while True:
                head = stream.read(5)
                if len(head) < 5:
                    return
                length, kind = struct.unpack(">I", head[:4])[0], chr(head[4])
                data = stream.read(length - 1)
                if kind == "Q":
                    return
                if not self._answer(connection, kind, data):
                    return
        except (OSError, ValueError):
            return

    def _answer(self, connection, kind, data):
        if kind == "O":
            version, actions, steps = struct.unpack(">III", data[:12])
            connection.sendall(self.offer or packet("O", struct.pack(">III", min(6, version), actions & 0xFF, steps & self.steps)))
            return True
        if kind == "D":
            parts = data[1:].split(b"\0")
            self.macros.update(zip((p.decode() for p in parts[::2]), (p.decode() for p in parts[1::2])))
            return True
        stage = NAMES.get(kind)
        if stage is None:  # abort, unknown
            return True
        self.heard.append((stage, data))
        answer = self.answers.get(stage)
        if callable(answer):
            answer = answer(data, connection)
        if answer is HANG:
            return True
        if answer is CLOSE:
            connection.close()
            return False
        answer = answer or b""
        connection.sendall(answer if self._ends(answer) else answer + packet("c"))
        return True

    @staticmethod
    def _ends(answer):
        """Whether the last packet is a verdict."""
        last, at = "", 0
        while at + 5 <= len(answer):
            length = struct.unpack(">I", answer[at:at + 4])[0]
            last = chr(answer[at + 4])
            at += 4 + length
        return last in tuple("acdrty4s")
