"""A load that knows what it was promised: every message has a number, and each 250 is written down."""

import threading

from support.smtp_client import Closed, SmtpClient
from support.waiting import patient


class Load:
    """`clients` threads send messages until stop(); a connection that ends is made again."""

    def __init__(self, gateway, clients=4, recipient="local@example.test", per_connection=20, name="load"):
        self.gateway, self.recipient, self.per_connection, self.name = gateway, recipient, per_connection, name
        self.promised, self.refused, self.broken = set(), 0, 0
        self._next, self._lock, self._over = 0, threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def stop(self):
        self._over.set()
        for thread in self._threads:
            thread.join(patient(60))
            assert not thread.is_alive(), "a client got no answer for a minute"
        return self.promised

    def _number(self):
        with self._lock:
            self._next += 1
            return self._next

    def _run(self):
        while not self._over.is_set():
            try:
                with SmtpClient(self.gateway.port, timeout=45) as client:
                    client.ehlo()
                    for _ in range(self.per_connection):
                        if self._over.is_set():
                            return
                        self._message(client)
            except (Closed, ConnectionError, TimeoutError, AssertionError):
                self.broken += 1
                self._over.wait(0.05)

    def _message(self, client):
        subject = f"Subject: {self.name} {self._number()}"
        replies = [client.mail("load@client.test"), client.rcpt(self.recipient)]
        if all(reply.code == 250 for reply in replies):
            replies.append(client.data(f"{subject}\r\n\r\nx\r\n".encode()))
        if replies[-1].code == 250:
            with self._lock:
                self.promised.add(subject)
        else:
            self.refused += 1
            client.command("RSET")
