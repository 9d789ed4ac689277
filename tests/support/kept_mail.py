"""Mail that knows what must become of it, for tests that let daemons die: who got a 250, what came where.

Each message has a number. One to `local@` is to arrive; one to `gone@`, whom the destination refuses although we
know him, is to come back to its sender as a bounce: by the relay, or by the destination if the sender is ours.
"""

import collections
import re
import threading

from .destination import Destination
from .smtp_client import Closed, SmtpClient
from .waiting import until
from support.waiting import patient

LOCAL, GONE = "local@example.test", "gone@example.test"
COPIES = {"while_down": {"copy": {LOCAL: "local@elsewhere.test"}}}  # by the relay, as bounces go
OUTSIDE, OURS = "outside@client.test", "local@example.test"
GONE_EVERY = 4
_NUMBER = re.compile(rb"^Subject: kept (\d+)\r$", re.M)


def number_of(message):
    """Of a message, or of the one that a bounce is about."""
    found = _NUMBER.search(message.content)
    return int(found.group(1)) if found else None


def times(messages):
    """How often each numbered message came."""
    return collections.Counter(n for m in list(messages) if (n := number_of(m)) is not None)


def is_gone(number):
    """Whether this one is to bounce."""
    return number % GONE_EVERY == GONE_EVERY - 1


# A refusal that is not believed yet is tried again soon: tests do not wait a quarter of an hour for its bounce.
QUICK_RETRY = {"retry": [{"until": "4d", "every": "2s"}], "retry_jitter": 0}


def settings(relay):
    """What a gateway for such mail has besides its usual configuration."""
    return {"bounces": {"relay": relay.server}}


def domains():
    return {"example.test": {"destination": "office", "local_recipients": ["local", "gone"]}}


class Peers:
    """The destination and the relay of bounces; `tell(words)` hears what is taken before its 250 is said."""

    def __init__(self, tell=lambda words: None, office=None, relay=None):
        self.tell = tell
        self.office, self.relay = office or Destination(), relay or Destination()
        self.office.on("dot", self._taken)
        self.relay.on("dot", self._relayed)
        self.office.on("rcpt", {GONE: "550 5.1.1 No such user"})

    def start(self):
        self.office.start()
        self.relay.start()
        return self

    def stop(self):
        self.office.stop()
        self.relay.stop()

    def _taken(self, _, message):
        return self._tell("there", message)

    def _relayed(self, _, message):
        return self._tell("copied", message)

    def _tell(self, word, message):
        number = number_of(message)
        if number is not None:
            self.tell(f"{word if message.sender else 'bounced'} {number}")
        return None

    def arrived(self):
        """Numbers of the messages that came, one for each time."""
        return [n for m in list(self.office.messages) if m.sender != "" and (n := number_of(m)) is not None]

    def copied(self):
        """Numbers of the messages whose emergency copy came, one for each time."""
        return [n for m in list(self.relay.messages) if m.sender != "" and (n := number_of(m)) is not None]

    def bounced(self):
        """Numbers of the messages whose bounce came, one for each time."""
        return [n for peer in (self.office, self.relay) for m in list(peer.messages)
                if m.sender == "" and (n := number_of(m)) is not None]

    def faults(self):
        return self.office.faults + self.relay.faults


def numbered(number, size=0):
    """The content of such a message."""
    return b"Subject: kept %d\r\n\r\n%s\r\n" % (number, b"x" * size)


class Sender:
    """Sends numbered messages, one at a time, and remembers which of them were promised."""

    def __init__(self, gateway):
        self.gateway, self.count, self.promised = gateway, 0, []

    def send(self, size=0):
        self.count += 1
        reply = self.gateway.send(LOCAL, content=numbered(self.count, size))
        if reply.code == 250:
            self.promised.append(self.count)
        return reply

    def all_arrive(self, destination, timeout=40):
        until(lambda: len(destination.messages) >= len(self.promised) and not self.gateway.queue(),
              "what was promised has arrived", timeout)
        assert sorted(times(destination.messages).elements()) == self.promised, "each once, and nothing that was refused"


class Senders:
    """Threads that send numbered messages, one after another. `promised` has the numbers that got 250, `tell` hears
    each of them at once. With bounces=False all are to arrive."""

    def __init__(self, port, tell=lambda words: None, per_connection=7, bounces=True):
        self.port, self.tell, self.per_connection, self.bounces = port, tell, per_connection, bounces
        self.promised, self.offered, self.broken, self.refused = set(), set(), 0, 0
        self._next, self._lock, self._over = 0, threading.Lock(), threading.Event()
        self._threads = []

    def to_arrive(self):
        return {n for n in self.promised if not is_gone(n)}

    def to_bounce(self):
        return {n for n in self.promised if is_gone(n)}

    def send(self, count, clients=4):
        """So many messages, in several threads; each must get 250."""
        last = self._next + count
        self._run_all(clients, lambda: self._next < last)
        assert self.broken == self.refused == 0, f"{self.broken} connections broke, {self.refused} were refused"

    def start(self, clients=4):
        """Until stop(); what breaks is begun again."""
        self._threads = [threading.Thread(target=self._run, args=(lambda: not self._over.is_set(),), daemon=True)
                         for _ in range(clients)]
        for thread in self._threads:
            thread.start()
        return self

    def stop(self):
        self._over.set()
        for thread in self._threads:
            thread.join(patient(90))
            assert not thread.is_alive(), "a client got no answer for 90 s"
        return self.promised

    def _run_all(self, clients, more):
        threads = [threading.Thread(target=self._run, args=(more,), daemon=True) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(patient(90))
            assert not thread.is_alive(), "a client got no answer for 90 s"

    def _take(self, more):
        with self._lock:
            if not more():
                return None
            self._next += 1
            self.offered.add(self._next - 1)
            return self._next - 1

    def _run(self, more):
        while True:
            try:
                with SmtpClient(self.port, timeout=60) as client:
                    client.ehlo()
                    for _ in range(self.per_connection):
                        number = self._take(more)
                        if number is None:
                            return
                        self._message(client, number)
            except (Closed, OSError, AssertionError):
                with self._lock:
                    self.broken += 1
                self._over.wait(0.05)

    def _message(self, client, number):
        gone = self.bounces and is_gone(number)
        sender = OURS if gone and number // GONE_EVERY % 2 else OUTSIDE
        recipient = GONE if gone else LOCAL
        replies = [client.mail(sender), client.rcpt(recipient)]
        if all(reply.code == 250 for reply in replies):
            # Sizes differ, so that records end at different places of a block.
            body = b"t" * 70 + b"\r\n"
            replies.append(client.data(f"Subject: kept {number}\r\n\r\n".encode() + body * (number * 37 % 150)))
        if replies[-1].code == 250:
            self.tell(f"got {number}")
            with self._lock:
                self.promised.add(number)
        else:
            with self._lock:
                self.refused += 1
            client.command("RSET")
