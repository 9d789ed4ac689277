"""An MTA's half of the milter protocol, as much of it as a filter of content needs: waits for what it asks.

    with MilterClient(socket) as client:
        client.send(mail)   # "go on", "554 5.7.1 …", "quarantine: REASON", "header: VALUE", "hung up"
"""

import os
import socket
import struct

from .waiting import patient, until

VERSION, ACTIONS, STEPS = 6, 0x1FF, 0x1FF7FF


class MilterClient:
    def __init__(self, path):
        self.path, self.socket = os.fspath(path), None

    def __enter__(self):
        self.socket = until(self._connect, f"somebody listens on {self.path}")
        self._send(b"O", struct.pack(">III", VERSION, ACTIONS, STEPS))
        kind, data = self._receive()
        assert kind == b"O", kind
        self.actions, self.steps = struct.unpack(">II", data[4:12])
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _connect(self):
        made = socket.socket(socket.AF_UNIX)
        made.settimeout(patient(60))
        try:
            made.connect(self.path)
        except OSError:
            made.close()
            return None
        return made

    def _send(self, kind, data=b""):
        self.socket.sendall(struct.pack(">I", len(data) + 1) + kind + data)

    def _take(self, size):
        out = b""
        while len(out) < size:
            piece = self.socket.recv(size - len(out))
            if not piece:
                raise ConnectionError
            out += piece
        return out

    def _receive(self):
        size, = struct.unpack(">I", self._take(4))
        packet = self._take(size)
        return packet[:1], packet[1:]

    def begin(self, message):
        """All of a message but its end. The filter must have said that it answers none of this."""
        head, _, body = message.partition(b"\r\n\r\n")
        for field in head.replace(b"\r\n ", b"\n ").replace(b"\r\n\t", b"\n\t").split(b"\r\n"):
            name, _, value = field.partition(b":")
            self._send(b"L", name + b"\0" + value.removeprefix(b" ") + b"\0")
        self._send(b"N")
        for at in range(0, len(body), 65535):
            self._send(b"B", body[at:at + 65535])

    def end(self):
        """The end of the message, and the filter's word on it."""
        found = "go on"
        try:
            self._send(b"D", b"Ei\0" + b"4F00BA\0")
            self._send(b"E")
            while True:
                kind, data = self._receive()
                if kind == b"y":
                    return data.rstrip(b"\0").decode()
                if kind == b"t":
                    return "tempfail"
                if kind in b"ac":
                    return found
                if kind == b"q":
                    found = f"quarantine: {data.rstrip(bytes(1)).decode()}"
                elif kind == b"h":
                    found = f"header: {data.split(bytes(1))[1].decode()}"
                else:
                    assert kind == b"p", kind
        except (ConnectionError, BrokenPipeError):
            return "hung up"

    def send(self, message):
        self.begin(message)
        return self.end()
