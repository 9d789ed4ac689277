"""A mail server's side of milter, small and without options: what a filter says of one message. Not our own code, on purpose."""

import socket
import struct

VERSION, ACTIONS, STEPS = 6, 0x1FF, 0xFFFFF


class MilterJudge:
    def __init__(self, port, timeout=30):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.file = self.socket.makefile("rb")
        self._send(b"O", struct.pack("!III", VERSION, ACTIONS, STEPS))
        code, data = self._read()
        assert code == b"O", code
        self.actions, self.steps = struct.unpack_from("!II", data, 4)

    def close(self):
        self.file.close()
        self.socket.close()

    def judge(self, sender, recipients, header, body, client="192.0.2.7", queue_id="3F2A91C07B4D"):
        """Its last word ("a" accept, "c" go on, "r", "t", "y" + reply, "d") and {name: value} of what it adds to the header."""
        added = {}
        fields = [f"{name}\0{value}\0".encode() for name, value in header]
        told = [
            (b"C", b"j\0mx.test\0", b"client.test\0004" + struct.pack("!H", 2525) + client.encode() + b"\0"),
            (b"H", b"", b"client.test\0"),
            (b"M", b"i\0" + queue_id.encode() + b"\0", f"<{sender}>\0".encode()),
            *[(b"R", b"", f"<{recipient}>\0".encode()) for recipient in recipients],
            (b"T", b"", b""),
            *[(b"L", b"", field) for field in fields],
            (b"N", b"", b""),
            (b"B", b"", body),
            (b"E", b"i\0" + queue_id.encode() + b"\0", b""),
        ]
        for command, macros, data in told:
            if macros:
                self._send(b"D", command + macros)
            if self.steps & _LEFT_OUT.get(command, 0):
                continue
            self._send(command, data)
            if self.steps & _SILENT.get(command, 0):
                continue
            code, data = self._read()
            while command == b"E" and code in b"hip+-bm2eq":  # changes, "in progress"; then the last word
                if code in b"hi":
                    name, value = data[4 if code == b"i" else 0:].split(b"\0")[:2]
                    added[name.decode()] = value.decode()
                code, data = self._read()
            if code not in b"cs":
                return (code + data.rstrip(b"\0")).decode(), added
        return "c", added

    def _send(self, command, data):
        self.socket.sendall(struct.pack("!I", len(data) + 1) + command + data)

    def _read(self):
        head = self.file.read(5)
        if len(head) < 5:
            raise ConnectionError("the filter closed the connection")
        return head[4:], self.file.read(struct.unpack("!I", head[:4])[0] - 1)


# Which steps a filter wants left out, and which it does not answer (bits of its offer's answer).
_LEFT_OUT = {b"C": 0x1, b"H": 0x2, b"M": 0x4, b"R": 0x8, b"B": 0x10, b"L": 0x20, b"N": 0x40, b"T": 0x200}
_SILENT = {b"L": 0x80, b"C": 0x1000, b"H": 0x2000, b"M": 0x4000, b"R": 0x8000, b"T": 0x10000, b"N": 0x40000, b"B": 0x80000}
