"""`make run` as a stranger would use it: it says what runs, takes mail, keeps it while the destination is down, and
Ctrl-C leaves nothing behind. Its ports are fixed, so that it is no quick test that runs beside others."""

import os
import pathlib
import re
import signal
import smtplib
import subprocess
import threading

from support import ports
from support.gateway import BIN
from support.waiting import until

ROOT = pathlib.Path(__file__).resolve().parents[3]
MAIL = "Subject: hello\n\nHi!"


def start(lines):
    process = subprocess.Popen([ROOT / "tools/run-demo"], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, start_new_session=True)
    threading.Thread(target=lambda: lines.extend(process.stdout), daemon=True).start()
    return process


def send():
    with smtplib.SMTP("127.0.0.1", 2525) as client:
        client.sendmail("me@example.net", "you@example.test", MAIL)


def test_the_demo_does_what_it_says():
    lines = []
    process = start(lines)
    try:
        until(lambda: any("Try, in another terminal" in line for line in lines), "it says what to try", 20)
        sink = int(re.search(r"kill -USR2 (\d+)", "".join(lines)).group(1))
        send()

        def gatewayctl(*words):
            return subprocess.run([BIN / "gatewayctl", "--config", ROOT / "etc/demo.yaml", *words],
                                  capture_output=True, text=True)

        def kept():
            return "you@example.test" in gatewayctl("queue", "list").stdout
        until(lambda: gatewayctl("rcpt", "check", "you@example.test").returncode == 0, "you are known")
        os.kill(sink, signal.SIGUSR2)
        until(lambda: ports.refused(2526), "the destination is down")
        send()
        until(kept, "the message is kept")
        assert start([]).wait(10) == 69, "a second one is told that the port is taken"
        os.kill(sink, signal.SIGUSR2)
        until(lambda: not kept(), "it is handed over", 20)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(15)
    until(lambda: ports.refused(2525) and ports.refused(2526), "nothing listens any more")
    assert not os.path.exists(f"/proc/{sink}")
