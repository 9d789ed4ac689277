"""A scripted mail server: it does at each stage of a session what a test says, and remembers everything.

    dest = Destination().start()
    dest.on("rcpt", {"bob@example.test": "550 5.1.1 No such user"})
    dest.on("dot", HANG)
    dest.messages[0].content

Stages: connect, banner, ehlo, helo, mail, rcpt, data, content, dot, rset, noop, quit. What a stage does is
  a text     the reply ("\\n" between the lines of a longer one, each with its code)
  bytes      sent as they are
  HANG       nothing, until the client or the test ends it
  DROP       the connection is closed
  After(s, …)  one of these, after a while, or when a threading.Event is set
  Cut(n)     for content: the connection is closed when n bytes have come
  a dict     by address (mail: the sender; rcpt: the recipient; dot, by LMTP: the recipient), None is the default
  a function of (session, argument) that returns one of these, or None for the usual reply
Rules can be changed at any time and count from the next command on.
"""

import asyncio
import dataclasses
import re
import socket
import threading
import time

from . import ports
from .waiting import patient


@dataclasses.dataclass(frozen=True)
class After:
    seconds: object
    action: object


@dataclasses.dataclass(frozen=True)
class Cut:
    bytes: int


HANG = object()
DROP = object()

LONGEST_NAME = 20

USUAL = {
    "banner": "220 dest.test ESMTP",
    "helo": "250 dest.test",
    "mail": "250 2.1.0 Sender ok",
    "rcpt": "250 2.1.5 Recipient ok",
    "data": "354 Go on",
    "dot": "250 2.0.0 Taken",
    "rset": "250 2.0.0 Forgotten",
    "noop": "250 2.0.0 Ok",
    "quit": "221 2.0.0 Bye",
}


@dataclasses.dataclass
class Message:
    sender: str
    recipients: list
    content: bytes  # as it left the sender's hands: without dot-stuffing, without the final dot
    mail_params: str
    connection: int
    at: float  # time.monotonic() of the dot
    secured: bool = False  # came by TLS

    @property
    def received(self):
        """Our gateway's own header field, unfolded, or nothing."""
        head = re.match(rb"Received: .*?\r\n(?![ \t])", self.content, re.S)
        return re.sub(rb"\r\n[ \t]+", b" ", head.group(0)).decode().strip() if head else ""

    @property
    def body(self):
        """What is below our Received field: what the client sent."""
        head = re.match(rb"Received: .*?\r\n(?![ \t])", self.content, re.S)
        return self.content[head.end():] if head else self.content


@dataclasses.dataclass(frozen=True)
class Command:
    connection: int
    text: str
    at: float


class _Gone(Exception):
    pass


class Session:
    """One connection. Public: number, ehlo, sender, recipients, messages (how many it handed over)."""

    def __init__(self, destination, number, reader, writer):
        self.destination, self.number = destination, number
        self.reader, self.writer = reader, writer
        self.buffer = bytearray()
        self.ehlo, self.sender, self.params, self.recipients, self.messages = "", None, "", [], 0
        self.secured = None  # the cipher
        self.lmtp = False  # greeted by LHLO: each recipient gets an answer to the dot
        self.ended = asyncio.Event()

    async def run(self):
        try:
            await self.act("connect", "", default=b"")
            await self.act("banner", "")
            while True:
                await self.command(await self.line())
        except (_Gone, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.ended.set()
            self.writer.close()

    async def fill(self):
        chunk = await self.reader.read(1 << 18)
        if not chunk:
            raise _Gone
        self.buffer += chunk
        if self.destination.wire is not None:
            self.destination.wire.setdefault(self.number, bytearray()).extend(chunk)

    async def line(self):
        while b"\n" not in self.buffer:
            await self.fill()
        end = self.buffer.index(b"\n") + 1
        line = bytes(self.buffer[:end])
        del self.buffer[:end]
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            self.destination.fault(f"a command without a clean CRLF: {line!r}")
        text = line.rstrip(b"\r\n").decode("latin-1")
        self.destination.commands.append(Command(self.number, text, time.monotonic()))
        return text

    async def command(self, text):
        verb = text.split(" ", 1)[0].upper()
        handler = getattr(self, "do_" + verb.lower(), None)
        if handler is None:
            await self.send(b"500 5.5.2 What?\r\n")
        else:
            await handler(text)

    async def act(self, stage, argument, default=None):
        """Does what the rule of a stage says; returns the code that was sent, 0 for none."""
        return await self.say(await self.decide(stage, argument, default))

    async def decide(self, stage, argument, default=None):
        """The bytes to send, when it is time to send them."""
        action = self.destination.rules.get(stage)
        if callable(action):
            action = action(self, argument)
        if isinstance(action, dict):
            action = action.get(argument, action.get(None))
        if action is None or isinstance(action, Cut):
            action = default if default is not None else USUAL[stage]
            if stage == "rcpt" and self.destination.has_no(argument):
                action = "550 5.1.1 No such user"
        while isinstance(action, After):
            event = isinstance(action.seconds, threading.Event)
            await (asyncio.to_thread(action.seconds.wait, 60) if event else asyncio.sleep(action.seconds))
            action = action.action
        if self.ended.is_set():  # cut, with commands still in our buffer: nobody would get the answer
            raise _Gone
        if action is HANG:
            await self.ended.wait()
            raise _Gone
        if action is DROP:
            raise _Gone
        if isinstance(action, str):
            action = b"".join(line.encode() + b"\r\n" for line in action.split("\n"))
        return action

    async def say(self, raw):
        await self.send(raw)
        if raw.startswith(b"421"):  # RFC 5321 section 3.8: who says this closes
            raise _Gone
        return int(raw[:3]) if raw[:3].isdigit() else 0

    async def send(self, raw):
        self.writer.write(raw)
        await self.writer.drain()

    async def do_ehlo(self, text):
        self.ehlo = text[5:]
        self.sender = None
        lines = ["dest.test", *self.destination.capabilities]
        if self.destination.tls is not None and self.secured is None:
            lines.append("STARTTLS")
        usual = "\n".join(f"250{'-' if i + 1 < len(lines) else ' '}{line}" for i, line in enumerate(lines))
        await self.act("ehlo", self.ehlo, "".join(line + "\r\n" for line in usual.split("\n")).encode())

    async def do_lhlo(self, text):
        self.lmtp = True
        await self.do_ehlo(text)

    async def do_helo(self, text):
        self.ehlo = text[5:]
        await self.act("helo", self.ehlo)

    async def do_mail(self, text):
        match = re.match(r"MAIL FROM:<([^>]*)>(.*)$", text, re.I)
        if match is None or not self.ehlo or self.sender is not None:
            self.destination.fault(f"MAIL out of order or malformed: {text!r}")
            await self.send(b"503 5.5.1 Not now\r\n")
            return
        if await self.act("mail", match.group(1)) // 100 == 2:
            self.sender, self.params, self.recipients = match.group(1), match.group(2).strip(), []

    async def do_rcpt(self, text):
        match = re.match(r"RCPT TO:<([^>]*)>(.*)$", text, re.I)
        if match is None:
            self.destination.fault(f"RCPT malformed: {text!r}")
        if match is None or self.sender is None:
            await self.send(b"503 5.5.1 Not now\r\n")
            return
        if await self.act("rcpt", match.group(1)) // 100 == 2:
            self.recipients.append(match.group(1))

    async def do_data(self, _):
        if not self.recipients:
            await self.send(b"554 5.5.1 No valid recipients\r\n")
            return
        if self.buffer:
            self.destination.fault(f"bytes behind DATA before the 354: {bytes(self.buffer[:80])!r}")
        if await self.act("data", "") != 354:
            return
        content = await self.content()
        message = Message(self.sender, self.recipients, content, self.params, self.number, time.monotonic(),
                          self.secured is not None)
        self.destination.content_seen.append(message)
        if self.lmtp:
            return await self.answer_each(message)
        answer = await self.decide("dot", message)
        self.sender, self.recipients = None, []
        if answer.startswith(b"2"):  # taken before it is said: the answer may be lost
            self.messages += 1
            self.destination.keep(message)
        await self.say(answer)

    async def answer_each(self, message):
        """LMTP: the message is that of those who were told 2xx."""
        asked, message.recipients = message.recipients, []
        self.sender, self.recipients = None, []
        try:
            for recipient in asked:
                answer = await self.decide("dot", recipient)
                if answer.startswith(b"2"):
                    message.recipients.append(recipient)
                await self.say(answer)
        finally:
            if message.recipients:
                self.messages += 1
                self.destination.keep(message)

    async def content(self):
        rule = self.destination.rules.get("content")
        searched = 0
        while True:
            if self.buffer.startswith(b".\r\n"):
                end, skip = 0, 3
                break
            found = self.buffer.find(b"\r\n.\r\n", max(0, searched - 4))
            if found >= 0:
                end, skip = found + 2, 3
                break
            if isinstance(rule, Cut) and len(self.buffer) >= rule.bytes:
                raise _Gone
            if rule is HANG:
                await self.ended.wait()
                raise _Gone
            searched = len(self.buffer)
            await self.fill()
        raw = bytes(self.buffer[:end])
        del self.buffer[: end + skip]
        if isinstance(rule, Cut):
            raise _Gone
        if re.search(rb"(?<!\r)\n|\r(?!\n)", raw):
            self.destination.fault("a bare CR or LF in the content")
        return re.sub(rb"(?m)^\.", b"", raw) if raw.startswith(b".") or b"\n." in raw else raw

    async def do_starttls(self, _):
        context = self.destination.tls
        if context is None:
            await self.send(b"502 5.5.1 Not here\r\n")
            return
        if await self.say(await self.decide("starttls", "", b"220 2.0.0 Go on\r\n")) != 220:
            return
        self.ehlo, self.sender = "", None
        self.buffer.clear()
        try:
            await self.writer.start_tls(context)
        except OSError as fault:
            self.destination.tls_faults.append(str(fault))
            raise _Gone from fault
        self.secured = self.writer.get_extra_info("cipher")

    async def do_auth(self, text):
        self.destination.logins.append((self.secured is not None, text))
        await self.act("auth", text, b"235 2.7.0 Welcome\r\n")

    async def do_rset(self, _):
        self.sender, self.recipients = None, []
        await self.act("rset", "")

    async def do_noop(self, _):
        await self.act("noop", "")

    async def do_quit(self, _):
        await self.act("quit", "")
        raise _Gone


class Destination:
    """The server. Lives in a thread of its own; its lists may be read from any thread."""

    def __init__(self, port=None, address="127.0.0.1"):
        self.port, self.address = port or ports.free_port(), address
        self.rules = {}
        self.capabilities = ["PIPELINING", "SIZE 52428800", "8BITMIME", "ENHANCEDSTATUSCODES"]
        self.messages, self.content_seen, self.commands, self.faults = [], [], [], []
        self.connections = 0
        self.catch_all = False
        self.wire = None  # a dict: the bytes of each connection, by its number, as they came in the clear
        self.tls = None  # an ssl.SSLContext: STARTTLS is offered
        self.tls_faults, self.logins = [], []
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server, self._sessions, self._plugs = None, set(), []

    @property
    def server(self):
        return f"{self.address}:{self.port}"

    # rules

    def on(self, stage, action):
        self.rules = {**self.rules, stage: action}
        return self

    def behave(self):
        """As a healthy server again, from the next command on."""
        self.rules = {}

    def has_no(self, recipient):
        """Mailboxes have short names: what a prober makes up is nobody's, unless this is a catch-all."""
        return not self.catch_all and len(recipient.split("@")[0]) > LONGEST_NAME

    # up and down

    def start(self):
        self._unplug()
        self._call(self._start())
        return self

    def close(self, sessions=True):
        """Nobody listens any more: connections are refused; those that stand are cut, unless told not to."""
        self._call(self._close(sessions))
        self._unplug()

    def silence(self):
        """As if packets were dropped: connections are neither accepted nor refused."""
        self.close()
        plug = socket.socket()
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        plug.bind((self.address, self.port))
        plug.listen(0)
        self._plugs.append(plug)
        while True:  # fill its backlog
            filler = socket.socket()
            self._plugs.append(filler)
            filler.settimeout(0.3)
            if filler.connect_ex((self.address, self.port)) != 0:
                return

    def cut(self):
        """Cuts the connections that stand, and goes on listening."""
        self._call(self._cut())

    def stop(self):
        self.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _start(self):
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, self.address, self.port, backlog=1024,
                                                      reuse_address=True, limit=1 << 20)

    async def _close(self, sessions):
        if self._server is not None:
            self._server.close()
            self._server = None
        if sessions:
            await self._cut()

    async def _cut(self):
        for session in list(self._sessions):
            session.ended.set()
            session.writer.transport.abort()
        await asyncio.sleep(0)

    def _unplug(self):
        for plug in self._plugs:
            plug.close()
        self._plugs = []

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _accept(self, reader, writer):
        self.connections += 1
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = Session(self, self.connections, reader, writer)
        self._sessions.add(session)
        try:
            await session.run()
        finally:
            self._sessions.discard(session)

    # what came

    def keep(self, message):
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()

    def fault(self, words):
        self.faults.append(words)

    def wait_for(self, count, timeout=20):
        """Waits until so many messages have come in all; returns them."""
        timeout = patient(timeout)
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.messages) >= count, timeout), (
                f"after {timeout} s {len(self.messages)} of {count} messages have come")
            return list(self.messages)

    def saw(self, command, connection=None):
        """The commands that begin so, from one connection or all."""
        return [c for c in list(self.commands)
                if c.text.upper().startswith(command.upper()) and connection in (None, c.connection)]

    @property
    def open_connections(self):
        return len(self._sessions)
