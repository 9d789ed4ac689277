"""What several scenarios share: many messages that can be told apart."""

import collections
import threading

from support.smtp_client import SmtpClient


def fill(gateway, count, connections=8, recipient="local@example.test", prefix="queued", size=500):
    """Sends messages with subjects and senders of their own; all must get 250."""
    faults = []

    def run(part):
        try:
            with SmtpClient(gateway.port) as client:
                client.ehlo()
                for number in range(part, count, connections):
                    body = f"Subject: {prefix} {number}\r\n\r\n".encode() + (b"t" * 78 + b"\r\n") * (size // 80)
                    client.send(f"MAIL FROM:<s{number}@client.test>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode())
                    codes = [client.read().code for _ in range(3)]
                    assert codes == [250, 250, 354], codes
                    assert client.content(body).code == 250
        except Exception as fault:  # shown by the main thread
            faults.append(fault)
    threads = [threading.Thread(target=run, args=(part,)) for part in range(min(connections, count))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults


def numbered(count, prefix="queued"):
    """What fill() sent, as subjects() shows it when each has come once."""
    return {f"Subject: {prefix} {n}": 1 for n in range(count)}


def subjects(messages):
    return collections.Counter(m.body.split(b"\r\n", 1)[0].decode() for m in messages)
