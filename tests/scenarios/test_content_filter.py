"""holdfast-filter as master runs it (docs/content-filter.md), asked over its socket."""

import email.message
import errno
import io
import os
import random
import signal
import socket
import subprocess
import zipfile

import pytest

from support.deeds import AT_FDCWD, Deeds
from support.gateway import BIN
from support.milter_client import MilterClient
from support.processes import rss_kib
from support.waiting import sanitized, until

NAME = "holdfast-filter"


def filtering(world, env=None, **content):
    return world.gateway(world.destination(), env=env, settings={
        "smtpd": {"workers": 1}, "deliver": {"workers": 1},
        "content_filter": {"enabled": True, "limits": {"bytes": "4MiB"}, **content}})


def client_of(gateway):
    return MilterClient(gateway.folder / "run/filter/socket")


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def mail(name=None, content=b"x", text="hello\n"):
    message = email.message.EmailMessage()
    message["Subject"] = "filtered"
    message.set_content(text)
    if name:
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes().replace(b"\n", b"\r\n")


def test_what_it_says_of_mail(world, tmp_path):
    """A line for each action; lists are read again on a reload, their files as well."""
    hosts = tmp_path / "hosts.txt"
    hosts.write_text("evil.test\n")
    gateway = filtering(world, urls={"blocked": str(hosts)}, types={"action": "header"})
    with client_of(gateway) as client:
        assert client.send(mail("invoice.exe")) == "554 5.7.1 attachment \"invoice.exe\" is not allowed here"
        assert client.send(mail("photos.zip", zipped({"a/invoice.exe": b"x"}))) == \
            "554 5.7.1 \"a/invoice.exe\" in attachment \"photos.zip\" is not allowed here"
        assert client.send(mail(text="see http://www.evil.test/x\n")) == "554 5.7.1 link to \"www.evil.test\" is not allowed here"
        assert client.send(mail("report.pdf", b"%PDF-1.7")) == "go on"
        whole = zipped({"a.bin": random.Random(1).randbytes(5000)})
        assert client.send(mail("a.zip", whole[:2500])) == "quarantine: attachment \"a.zip\" cannot be checked to its end"
        dangerous = mail("a.bin").replace(b"application/octet-stream", b"application/x-msdownload")
        assert client.send(dangerous) == "header: attachment \"a.bin\" of type application/x-msdownload is not allowed here"
        gateway.wait_log("filter", "4F00BA: content=reject, rule=url, link to \"www.evil.test\" is not allowed here")

        assert client.send(mail(text="see http://bad.test/x\n")) == "go on"
        hosts.write_text("evil.test\nbad.test\n")
        gateway.reload()
        until(lambda: client.send(mail(text="see http://bad.test/x\n")).startswith("554"), "the list is read again")


def test_a_dead_filter_is_started_again(world):
    gateway = filtering(world)
    with client_of(gateway) as client:
        client.begin(mail())  # it has the content, and waits for its end
        old = gateway.kill(NAME, signal.SIGKILL)
        assert client.end() == "hung up"
    gateway.wait_restarted(NAME, old)
    with client_of(gateway) as client:
        assert client.send(mail("invoice.exe")).startswith("554")


def test_bombs_leave_nothing_behind(world):
    zeros = zipped({"zeros.bin": bytes(6 << 20)})
    bombs = [mail("bomb.zip", zeros), mail("bomb.zip", zipped({"b.zip": zipped({"b.zip": zeros})}))]
    rounds = 500 if os.environ.get("HOLDFAST_LONG") else 40
    gateway = filtering(world)
    with client_of(gateway) as client:
        pid, = gateway.pids(NAME)

        def explode(times):
            for _ in range(times):
                for bomb in bombs:
                    assert client.send(bomb).startswith("quarantine: "), "it cannot be checked to its end"

        explode(5)
        before = rss_kib(pid)
        explode(rounds)
        assert sanitized() or rss_kib(pid) < before + 16 * 1024, "a sanitizer keeps what was freed"
        assert gateway.pids(NAME) == [pid]


def test_it_can_reach_nothing(world):
    """What somebody could do who has taken it over (docs/security.md)."""
    deeds = world.keep(Deeds())
    gateway = filtering(world, env=deeds.env)
    if "built with sanitizers" in gateway.log("filter"):
        pytest.skip("a build with sanitizers closes no doors")
    pid, = gateway.pids(NAME)

    def opened(path, flags=os.O_RDONLY):
        return deeds.do(pid, "openat", AT_FDCWD, path, flags | os.O_CLOEXEC, 0o600).error

    run, write = gateway.folder / "run", os.O_RDWR | os.O_CREAT
    for path, flags in [(gateway.file, os.O_RDONLY), (gateway.spool / "index/data.mdb", os.O_RDONLY),
                        (gateway.folder / "state/directory/data.mdb", os.O_RDONLY), (run / "running.yaml", write),
                        (run / "new", write), ("/etc/passwd", os.O_RDONLY), ("/tmp/new-file", write),
                        (gateway.folder / "log/filter.log", os.O_RDONLY)]:
        assert opened(path, flags) in (errno.EACCES, errno.EPERM), path
    made = deeds.do(pid, "socket", socket.AF_UNIX, socket.SOCK_STREAM, 0)
    assert made.error == 0
    there = socket.AF_UNIX.to_bytes(2, "little") + os.fsencode(run / "qmgr.sock") + b"\0"
    assert deeds.do(pid, "connect", made.result, there, len(there)).error == errno.EACCES
    assert deeds.do(pid, "socket", socket.AF_INET, socket.SOCK_STREAM, 0).error != 0
    assert deeds.do(pid, "unlinkat", AT_FDCWD, run / "qmgr.sock", 0).error == errno.EACCES
    with client_of(gateway) as client:
        assert client.send(mail("invoice.exe")).startswith("554")
    assert deeds.do(pid, "execve", "/bin/sh", 0, 0).killed
    gateway.wait_restarted(NAME, [pid])


def test_a_message_is_checked_without_a_gateway(world, tmp_path):
    gateway = world.gateway(world.destination(start=False), start=False, settings={"content_filter": {"urls": {"blocked": ["evil.test"]}}})

    def check(content):
        (tmp_path / "mail.eml").write_bytes(content)
        done = subprocess.run([BIN / NAME, "--config", gateway.file, "--check", tmp_path / "mail.eml"], capture_output=True, text=True,
                              timeout=60, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout

    assert check(mail()) == (0, "nothing found\n")
    code, said = check(mail("invoice.exe", text="see http://evil.test/\n"))
    assert code == 65
    assert said.splitlines() == ["reject: url: link to \"evil.test\" is not allowed here",
                                 "reject: name: attachment \"invoice.exe\" is not allowed here"]
