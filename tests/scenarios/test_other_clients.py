"""Issue 2: other people's clients: swaks, and Postfix's smtp-source with many sessions at once."""

import re

from support.peers import smtp_source, swaks
from support.waiting import until


def test_swaks_sends_an_attachment(gateway, destination, tmp_path):
    (tmp_path / "file.bin").write_bytes(bytes(range(256)) * 1000)
    done = swaks(gateway.port, "--from", "a@client.test", "--to", "local@example.test,other@example.test",
                 "--attach", f"@{tmp_path}/file.bin", "--header", "Subject: swaks")
    assert done.returncode == 0, done.stdout[-2000:]
    assert "<-  250 2.0.0 Taken" in done.stdout
    (message,) = destination.wait_for(1)
    assert message.recipients == ["local@example.test", "other@example.test"]
    assert b"Subject: swaks" in message.content


def test_swaks_pipelines(gateway, destination):
    done = swaks(gateway.port, "--from", "a@client.test", "--to", "local@example.test", "--pipeline")
    assert done.returncode == 0, done.stdout[-2000:]
    assert len(destination.wait_for(1)) == 1


def test_swaks_is_refused(gateway):
    done = swaks(gateway.port, "--from", "a@client.test", "--to", "x@elsewhere.test")
    assert done.returncode == 24, done.stdout[-2000:]
    assert re.search(r"<\*\* 554 5\.7\.1 ", done.stdout)


def test_smtp_source_with_many_sessions(gateway, destination):
    assert smtp_source(gateway.port, messages=1000, sessions=100, length=4096).returncode == 0
    assert len(destination.wait_for(1000)) == 1000
    assert gateway.queue() == []
    until(lambda: gateway.state() == "up", "all is well")


def test_smtp_source_with_one_connection_a_message_and_many_recipients(gateway, destination):
    assert smtp_source(gateway.port, "-d", "-r", "50", messages=20, sessions=5).returncode == 0
    assert sum(len(m.recipients) for m in destination.wait_for(20)) == 1000
