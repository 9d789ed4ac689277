#!/usr/bin/python3
"""What the closed doors cost: smtpd's CPU a proxied message of 4 KiB, a connection each, with the sandbox off and on in
turns.

    bench/sandbox.py [MESSAGES [TURNS]]
"""

import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

from support.destination import Destination  # noqa: E402
from support.gateway import Gateway  # noqa: E402
from support.processes import cpu_seconds  # noqa: E402

CONTENT = b"Subject: x\r\n\r\n" + (b"y" * 76 + b"\r\n") * 52


def one_message(port):
    with socket.create_connection(("127.0.0.1", port)) as client, client.makefile("rb") as replies:
        def answer():
            while (line := replies.readline())[3:4] == b"-":
                pass
            return line
        answer()
        for command in (b"EHLO c", b"MAIL FROM:<a@client.test>", b"RCPT TO:<local@example.test>", b"DATA"):
            client.sendall(command + b"\r\n")
            answer()
        client.sendall(CONTENT + b".\r\n")
        assert answer().startswith(b"250")
        client.sendall(b"QUIT\r\n")
        answer()


def microseconds(messages, sandbox):
    destination = Destination().start()
    gateway = Gateway([destination], settings={"sandbox": sandbox, "smtpd": {"workers": 1}, "deliver": {"workers": 1}})
    try:
        gateway.start()
        gateway.wait_probed()
        (smtpd,) = gateway.pids("smtpd")
        for _ in range(50):
            one_message(gateway.port)
        before = cpu_seconds(smtpd)
        for _ in range(messages):
            one_message(gateway.port)
        return (cpu_seconds(smtpd) - before) / messages * 1e6
    finally:
        gateway.stop()
        gateway.dispose()
        destination.stop()


def main():
    messages, turns = (int(word) for word in (sys.argv[1:] + ["1500", "3"][len(sys.argv) - 1:])[:2])
    for _ in range(turns):
        print(f"off {microseconds(messages, False):.0f} µs, on {microseconds(messages, True):.0f} µs a message", flush=True)


if __name__ == "__main__":
    main()
