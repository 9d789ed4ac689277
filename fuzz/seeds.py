#!/usr/bin/python3
"""First inputs for the fuzz targets, out of the dialogs and of what else the tests know.

    fuzz/seeds.py FOLDER        writes FOLDER/TARGET/N for each target

Not part of any build: `tools/fuzz merge` keeps of them, and of what fuzzing finds, what the committed corpora need.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DIALOGS = sorted((ROOT / "tests/dialogs").glob("*.dialog"))
OFFERS = {"smtputf8": 2, "dsn": 4, "chunking": 8, "starttls": 16, "xclient": 32, "tls_required": 64}


def unescape(text):
    def one(found):
        word = found.group(1)
        if word[0] == "{":
            return int(found.group(2)) * found.group(3).encode("latin-1")
        if word[0] == "x":
            return bytes([int(word[1:], 16)])
        return {"r": b"\r", "n": b"\n", "0": b"\0", "\\": b"\\"}[word]

    out, at = b"", 0
    for found in re.finditer(r"\\(x[0-9A-Fa-f]{2}|\{(\d+)\*(.)\}|[rn0\\])", text):
        out += text[at:found.start()].encode("utf-8") + one(found)
        at = found.end()
    return out + text[at:].encode("utf-8")


def read_dialog(path):
    """(options, what the client sends, what the server says)"""
    options, client, server = {}, b"", b""
    for line in path.read_text(encoding="utf-8").splitlines():
        kind, text = line[:2], line[3:]
        if kind == "O:":
            word, _, value = text.partition(" ")
            options[word] = value
        elif kind == "C:":
            client += text.encode("utf-8") + b"\r\n"
        elif kind == "R:":
            client += unescape(text)
        elif kind == "S:":
            server += text.encode("utf-8") + b"\r\n"
        elif line == "tls":
            client += b"\xfe"
    return options, client, server


def server_session():
    for path in DIALOGS:
        options, client, _ = read_dialog(path)
        offers = sum(bit for name, bit in OFFERS.items() if name in options)
        limits = 4 if options.get("bare_newline") == "normalize" else 0
        limits += 2 if int(options.get("size_limit") or 0) else 0
        limits += 8 if "max_errors" in options else 0
        limits += 16 if "max_junk" in options else 0
        limits += 32 if "max_recipients" in options else 0
        for answers in (0, 0b00101000):
            yield bytes([offers, limits, answers, 0, 7]) + client


def bdat():
    for path in DIALOGS:
        _, client, _ = read_dialog(path)
        for flags in range(4):
            yield bytes([flags, 5]) + client[-400:]
    for line in ("BDAT 12 LAST", "BDAT 0", "bdat  18446744073709551615  last", "BDAT 18446744073709551616"):
        yield b"\0\0" + line.encode() + b"\r\n"


COMMANDS = ["ehlo", "helo", "lhlo", "starttls", "plain", "login", "xclient", "null", "mail", "rcpt", "data", "rset", "noop",
            "quit"]


def say(*names):
    """Commands of ours: in content the odd one is the dot."""
    return b"".join(b"\xff" + bytes([15 if name == "dot" else COMMANDS.index(name)]) for name in names)


def client_session():
    banner = b"220 mx.test ESMTP\r\n"
    hello = say("ehlo") + b"250-mx.test\r\n250-SIZE 1000\r\n250-AUTH PLAIN LOGIN\r\n250-STARTTLS\r\n250 LIMITS RCPTMAX=5\r\n"
    start = b"\x07" + banner + hello
    yield start + say("mail", "rcpt", "data") + b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go\r\n" + say("dot") + b"250 2.0.0 Ok\r\n"
    yield start + say("starttls") + b"220 Go\r\n250 injected\r\n" + say("ehlo", "ehlo") + b"250 mx.test\r\n"
    yield start + say("plain") + b"235 2.7.0 Ok\r\n" + say("quit") + b"221 Bye\r\n"
    yield start + say("login") + b"334 VXNlcg==\r\n334 UGFzcw==\r\n334 more\r\n535 5.7.8 No\r\n"
    yield start + say("xclient") + b"220 mx.test\r\n" + say("ehlo") + b"250-mx.test\r\n250 XCLIENT NAME ADDR\r\n"
    yield b"\x03" + banner + say("lhlo") + b"250 x\r\n" + say("null", "rcpt", "rcpt", "data") + (
        b"250 a\r\n250 b\r\n250 c\r\n354 d\r\n") + say("dot") + b"250 e\r\n450 f\r\n"
    yield start + say("rset", "noop") + b"250 a\n250 b\n" + b"421 4.3.2 Bye\r\n"
    yield b"\x02" + b"220-a\r\n220-b\x01\r\n220\r\n" + say("helo") + b"500 no\r\n"
    yield b"\x02" + b"HTTP/1.1 400 Bad\r\n"
    for path in DIALOGS:
        yield b"\x05" + re.sub(rb"\r\n(?=\d{3} )", b"\r\n" + say("mail"), read_dialog(path)[2])


def main():
    folder = pathlib.Path(sys.argv[1])
    for make in [server_session, bdat, client_session]:
        (folder / make.__name__).mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(make()):
            (folder / make.__name__ / f"seed-{number:03}").write_bytes(seed)


if __name__ == "__main__":
    main()
