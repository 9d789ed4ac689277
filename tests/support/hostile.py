"""Hostile clients as data: the cases of tests/scenarios/hostile/*.yaml, and what plays them against a server.

A file: `gateway` (which of test_hostile.py's), `down` (true: played once more while the destination is down), and
`cases`. A case: `name`; `script`; `far`, the messages that the destination must have got, byte for byte, and no
other; `each`, values of a word ("end") or of several ("sent got"): a case for each, with $word in script, name, far; `source`, a network other
than 127.1; `postfix`, why Postfix does not do the same, or `skip: why` where it cannot be asked.

A script is a line a step, in the manner of tests/dialogs:
  C: text             a line, with CRLF behind it
  R: a\\r\\n            bytes: \\r \\n \\0 \\t \\\\ \\xHH, and \\{COUNT*BYTES}
  B: a\\r\\n            the same, each byte a packet of its own
  K: a\\r\\n            the same, as a chunk: BDAT, and its size, in front;  L: the last chunk
  S: 550 5.6.11       the reply: its code, and its enhanced code if one is given
  S*: 250             replies with this code, none or many
  slow N SECONDS a    bytes N times, with a pause behind each; ends early when the server speaks
  hello | mail | rcpt | begin    EHLO; and MAIL FROM:<$me>; and RCPT TO:<local@example.test>; and DATA; all accepted
  tls                 the handshake;  plain a\\r\\n    bytes past the TLS that is there
  shut | reset | close           the end of our half; a RST; the end
  closed              the server has closed, and said nothing more;  ends: whatever it says first
  nobanner            as the first step: the banner is not waited for
$me is a sender of the case's own, $evil another that must never be seen by the destination.
"""

import dataclasses
import os
import pathlib
import re
import select
import socket
import ssl

import yaml

from .certificates import client_context
from .smtp_client import Closed, SmtpClient
from .waiting import patient

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "scenarios/hostile"
RECIPIENT = "local@example.test"

_MACROS = {"hello": ["C: EHLO client.test", "S: 250"]}
_MACROS["mail"] = [*_MACROS["hello"], "C: MAIL FROM:<$me>", "S: 250"]
_MACROS["rcpt"] = [*_MACROS["mail"], f"C: RCPT TO:<{RECIPIENT}>", "S: 250"]
_MACROS["begin"] = [*_MACROS["rcpt"], "C: DATA", "S: 354"]
_SIMPLE = {"tls", "shut", "reset", "close", "closed", "ends", "nobanner"}
_ESCAPE = re.compile(r"\\(?:\{(\d+)\*((?:[^{}]|\{[^{}]*\})*)\}|x([0-9a-fA-F]{2})|(.))", re.S)
_CHARACTERS = {"r": "\r", "n": "\n", "0": "\0", "t": "\t", "\\": "\\"}


@dataclasses.dataclass(frozen=True)
class Case:
    number: int
    group: str
    name: str
    steps: tuple  # of (kind, argument)
    far: tuple  # of (sender, recipients, content)
    gateway: str
    down: bool
    source: str
    postfix: str
    skip: str

    @property
    def me(self):
        return f"me{self.number}@client.test"

    @property
    def evil(self):
        return f"evil{self.number}@client.test"

    def address(self):
        return (f"{self.source}.{self.number // 200}.{self.number % 200 + 1}", 0)


def unescape(text):
    """The bytes that a script means."""
    def one(found):
        count, what, code, character = found.groups()
        if count:
            return unescape(what).decode("latin-1") * int(count)
        if code:
            return chr(int(code, 16))
        return _CHARACTERS[character]  # any other is a mistake in the script
    raw = "".join(c if ord(c) < 128 else c.encode().decode("latin-1") for c in text)  # UTF-8, as written
    return _ESCAPE.sub(one, raw).encode("latin-1")


def load():
    """All cases, in the order of the files and of what stands in them."""
    cases = []
    for path in sorted(FOLDER.glob("*.yaml")):
        file = yaml.safe_load(path.read_text())
        for row in file["cases"]:
            for words in _choices(row.get("each", {})):
                cases.append(_case(len(cases), path.stem, file, row, words))
    names = [(case.group, case.name) for case in cases]
    assert len(set(names)) == len(names), f"given twice: {[n for n in names if names.count(n) > 1]}"
    return cases


def _choices(each):
    if not each:
        return [{}]
    (words, rows), = each.items()
    words = words.split()
    rows = [row if isinstance(row, list) else [row] for row in rows]
    assert all(len(row) == len(words) for row in rows), each
    return [dict(zip(words, map(str, row))) for row in rows]


def _case(number, group, file, row, words):
    known = {"name", "script", "far", "each", "source", "postfix", "skip", "gateway"}
    assert set(row) <= known, f"{row['name']}: {set(row) - known}"

    def fill(text):
        for word, value in {**words, "me": f"me{number}@client.test", "evil": f"evil{number}@client.test"}.items():
            text = text.replace(f"${word}", value)
        return text

    far = []
    for message in row.get("far", []):
        message = message if isinstance(message, dict) else {"content": message}
        far.append((fill(message.get("sender", "$me")), _recipients(message.get("to", [RECIPIENT]), fill),
                    unescape(fill(message["content"]))))
    return Case(number, group, fill(row["name"]), tuple(_steps(fill(row["script"]), fill)), tuple(far),
                row.get("gateway", file.get("gateway", "main")), file.get("down", False), row.get("source", "127.1"),
                row.get("postfix", ""), row.get("skip", file.get("skip", "")))


def _recipients(to, fill):
    """A number behind an address: so often."""
    if len(to) == 2 and isinstance(to[1], int):
        return (fill(to[0]),) * to[1]
    return tuple(map(fill, to))


def _steps(script, fill):
    lines = script.splitlines()
    if lines[0] != "nobanner":
        lines.insert(0, "S: 220")
    for line in lines:
        if line in _MACROS:
            yield from _steps("\n".join(["nobanner", *map(fill, _MACROS[line])]), fill)
        elif line in _SIMPLE:
            if line != "nobanner":
                yield line, ""
        elif line.startswith(("slow ", "plain ")):
            yield tuple(line.split(" ", 1))
        else:
            kind, found, argument = line.partition(": ")
            assert found and kind in ("C", "R", "B", "K", "L", "S", "S*"), f"no step: {line!r}"
            yield kind, argument


class Surprise(Exception):
    """The server did something else than the script says."""


@dataclasses.dataclass
class Played:
    surprise: str = ""  # "" when all went as the script says
    codes: list = dataclasses.field(default_factory=list)  # (wanted, got), where only the codes differ


class Player:
    """Plays a case once. strict: each code must be the script's; else only its first digit counts."""

    def __init__(self, case, port, strict=True, timeout=30):
        self.case, self.strict, self.timeout, self.port = case, strict, timeout, port
        self.played, self.pending, self.dead = Played(), [], False

    def play(self):
        self.client = SmtpClient(self.port, timeout=patient(self.timeout), greet=False, source=self.case.address())
        try:
            for at, (kind, argument) in enumerate(self.case.steps):
                try:
                    getattr(self, "do_" + kind.replace("*", "s"))(argument)
                except Surprise as surprise:
                    self.played.surprise = f"step {at} ({kind}: {argument[:60]}): {surprise}"
                    break
        finally:
            self.client.close()
        return self.played

    def _send(self, raw):
        try:
            self.client.send(raw)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has gone, as the next step may want it to
        except TimeoutError:
            raise Surprise("it does not read") from None

    def _read(self):
        if self.pending:
            return self.pending.pop()
        try:
            return self.client.read()
        except (Closed, ConnectionError):
            raise Surprise("it closed") from None
        except TimeoutError:
            raise Surprise("no answer") from None
        except AssertionError as fault:
            raise Surprise(str(fault)) from None

    def do_C(self, text):
        self._send(text.encode() + b"\r\n")

    def do_R(self, text):
        self._send(unescape(text))

    def do_B(self, text):
        for byte in unescape(text):
            self._send(bytes([byte]))

    def do_K(self, text, last=b""):
        raw = unescape(text)
        self._send(b"BDAT %d%s\r\n" % (len(raw), last) + raw)

    def do_L(self, text):
        self.do_K(text, b" LAST")

    def do_plain(self, text):
        with socket.socket(fileno=os.dup(self.client.socket.fileno())) as below:
            below.sendall(unescape(text))

    def do_slow(self, text):
        count, pause, what = text.split(" ", 2)
        raw = unescape(what)
        for _ in range(int(count)):
            self._send(raw)
            if select.select([self.client.socket], [], [], float(pause))[0]:
                return

    def do_S(self, wanted):
        got = self._read().text
        if got == wanted or got.startswith(wanted + " "):
            return
        if self.strict or got[0] != wanted[0]:
            raise Surprise(f"wanted {wanted}, got {got}")
        self.played.codes.append((wanted, " ".join(got.split(" ")[:2 if " " in wanted else 1])))

    def do_Ss(self, wanted):
        first = True
        while True:
            try:
                reply = self._read()
            except Surprise as surprise:
                if str(surprise) == "it closed":
                    self.dead = True
                    return
                raise
            if first and not self.strict and reply.text[0] == wanted[0]:
                wanted = reply.text[:3]
            if not reply.text.startswith(wanted):
                self.pending.append(reply)
                return
            first = False

    def do_tls(self, _):
        try:
            self.client.start_tls(client_context())
        except (ssl.SSLError, OSError) as fault:
            raise Surprise(f"no handshake: {fault}") from None

    def do_shut(self, _):
        try:
            self.client.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other end was first

    def do_reset(self, _):
        self.client.abort()

    def do_close(self, _):
        self.client.close()

    def do_closed(self, _):
        if self.pending:
            raise Surprise(f"it said {self.pending.pop()}")
        try:
            if not self.dead and not self.client.closed():
                raise Surprise("it said something more")
        except TimeoutError:
            raise Surprise("it did not close") from None

    def do_ends(self, _):
        try:
            while self.client.socket.recv(65536):
                pass
        except TimeoutError:
            raise Surprise("it did not close") from None
        except OSError:
            pass


def far_side(destination, case):
    """What the destination has got in the case's name."""
    return tuple((m.sender, tuple(m.recipients), m.body) for m in list(destination.messages)
                 if m.sender in (case.me, case.evil))


def differs(wanted, got):
    """In words, "" when both are the same; the order of messages does not matter."""
    if sorted(wanted) == sorted(got):
        return ""
    if len(wanted) != len(got):
        return f"{len(got)} messages have come, not {len(wanted)}: {[m[2][:300] for m in got]}"
    return f"came as {got!r:.600}, not as {wanted!r:.600}"


def never_ambiguous(wire):
    """The connections, with the place, at which a parser may have taken something for a line's end that is none."""
    return [(number, bytes(raw[max(0, found.start() - 40):found.end() + 40]))
            for number, raw in [(n, bytes(w)) for n, w in list(wire.items())]
            for found in re.finditer(rb"(?<!\r)\n|\r(?!\n)", raw)]
