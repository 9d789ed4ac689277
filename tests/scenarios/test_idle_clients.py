"""Issue 2, item 2: thousands of idle connections cost little."""

import os
import resource

from support.smtp_client import SmtpClient
from support.waiting import holds, until

CLIENTS = 2000


def memory(pid):
    """Private memory in KiB."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith(("Private_Clean", "Private_Dirty")))


def processor(pid):
    with open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rsplit(b")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_2000_idle_clients(gateway, destination, record_property, capsys):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8192)), hard))
    workers = gateway.pids("smtpd")
    assert gateway.send("local@example.test").code == 250
    before = sum(memory(pid) for pid in workers)
    clients = []
    try:
        for _ in range(CLIENTS):
            client = SmtpClient(gateway.port)
            client.ehlo()
            clients.append(client)
        with_clients = sum(memory(pid) for pid in workers)
        used = sum(processor(pid) for pid in workers)
        holds(lambda: True, "", 3)
        idle = sum(processor(pid) for pid in workers) - used
        assert gateway.send("local@example.test").text == "250 2.0.0 Taken"
        for client in clients[::100]:
            assert client.command("NOOP").code == 250
        per_client = (with_clients - before) / CLIENTS
        daemons = {name: [memory(pid) for pid in gateway.pids(name)]
                   for name in ("master", "smtpd", "qmgr", "deliver", "prober")}
        with capsys.disabled():
            print(f"\nidle clients: {CLIENTS}, {per_client:.1f} KiB each, {idle / 3:.1%} of a processor; "
                  f"private KiB of the daemons: {daemons}")
        assert per_client < 16, "KiB a client"
        assert idle < 0.15, "seconds of processor time in 3 s"
    finally:
        for client in clients:
            client.close()


def test_clients_beyond_the_limit_are_told(world, destination):
    gateway = world.gateway(destination, settings={"smtpd": {"workers": 1, "max_clients": 10}})
    clients = [gateway.client() for _ in range(10)]
    assert all(client.banner.code == 220 for client in clients)
    assert gateway.client().banner.code == 421
    clients.pop().quit()

    until(lambda: gateway.client().banner.code == 220, "there is room again")
    for client in clients:
        assert client.command("NOOP").code == 250


def test_an_idle_client_is_sent_away_in_time(world, destination):
    gateway = world.gateway(destination, settings={"smtpd": {"command_timeout": "2s"}})
    client = gateway.client()
    client.ehlo()
    assert client.read().code == 421
    assert client.closed()
