"""A backup MX: the servers of a domain are those that the domain name system gives for it (decision 13)."""

import pytest

from support import ports
from support.backup_zone import HOSTS, NAME, Zone, names_of
from support.name_server import NameServer
from support.waiting import until

def test_live_mail_goes_to_the_most_preferred_and_to_the_next_when_it_dies(world):
    zone = Zone(world, "@ IN MX 10 a\n@ IN MX 20 b\n")
    a, b = zone.server(1), zone.server(2)
    gateway = zone.gateway()
    gateway.wait_probed()
    assert names_of(gateway) == {"127.0.0.41": "up", "127.0.0.42": "up"}
    assert gateway.send("somebody@backup.test").text == "250 2.0.0 Taken"
    assert len(a.messages) == 1 and b.messages == []
    gateway.wait_log("smtpd", f"relay=a.backup.test[127.0.0.41]:{zone.port}")
    gateway.wait_learnt("somebody@backup.test")
    a.close()
    assert gateway.send("somebody@backup.test").text == "250 2.0.0 Taken"
    assert len(b.messages) == 1
    until(lambda: names_of(gateway) == {"127.0.0.41": "down", "127.0.0.42": "up"}, "the prober knows which is down")
    assert gateway.state(NAME) == "up"


def test_kept_while_all_are_down_and_handed_over_after(world):
    zone = Zone(world, "@ IN MX 10 alias\n@ IN MX 20 b\n")
    gateway = zone.gateway()
    gateway.wait_state("down", name=NAME)
    assert gateway.send("known@backup.test").text.startswith("250 2.0.0 Ok: queued as ")
    assert gateway.send("stranger@backup.test").text.startswith("451 4.4.1")
    b = zone.server(2)
    b.wait_for(1, 20)
    gateway.wait_queue(0)
    gateway.wait_state("up", name=NAME)
    gateway.wait_log("deliver", f"relay=b.backup.test[127.0.0.42]:{zone.port}")


def test_equals_share_the_mail(world):
    zone = Zone(world, "@ IN MX 10 a\n@ IN MX 10 b\n@ IN MX 20 c\n")
    servers = [zone.server(n) for n in (1, 2, 3)]
    gateway = zone.gateway()
    gateway.wait_probed()
    for i in range(40):  # one server has all of them once in 2^39
        assert gateway.send(f"r{i}@backup.test").code == 250
    a, b, c = (len(server.messages) for server in servers)
    assert a > 0 and b > 0 and a + b == 40 and c == 0


@pytest.mark.parametrize("we", ["mx.example.test.", "us"], ids=["our name", "our address"])
def test_ourselves_and_those_behind_us_are_left_out(world, we):
    zone = Zone(world, f"@ IN MX 10 a\n@ IN MX 20 {we}\n@ IN MX 30 b\n")
    a, b = zone.server(1), zone.server(2)
    gateway = zone.gateway(start=False)
    if we == "us":
        gateway.config["listen"].append(f"127.0.0.1:{zone.port}")
        gateway.write_config()
    gateway.start()
    gateway.wait_probed()
    assert names_of(gateway) == {"127.0.0.41": "up"}
    a.close()
    gateway.wait_state("down", name=NAME)
    assert gateway.send("known@backup.test").text.startswith("250 2.0.0 Ok: queued as ")
    assert b.connections == 0, "it is less preferred than we are"


# What the domain's zone may say that leaves no server: nobody loses mail through it, and it is told.
HOPELESS = {
    "null MX": ("@ IN MX 0 .\n", "takes no mail (null MX)"),
    "only we": ("@ IN MX 10 mx.example.test.\n@ IN MX 20 a\n", "loops back to this gateway"),
    "no address": ("@ IN MX 10 nowhere\n", "none of the mail servers of backup.test has an address"),
}


@pytest.mark.parametrize("case", HOPELESS)
def test_a_zone_without_servers_makes_the_mail_wait(world, case):
    mx, words = HOPELESS[case]
    zone = Zone(world, mx)
    a = zone.server(1)
    gateway = zone.gateway()
    down = gateway.wait_state("down", name=NAME)
    assert words in down["reason"]
    assert gateway.send("known@backup.test").text.startswith("250 2.0.0 Ok: queued as ")
    assert gateway.send("stranger@backup.test").code == 451
    zone.names.change("backup.test", "@ IN MX 10 a\n" + HOSTS)  # mended
    assert gateway.ctl("config", "reload").returncode == 0  # what the resolver remembers is forgotten
    a.wait_for(1, 30)
    gateway.wait_queue(0)


def test_without_a_name_server_from_the_start_nothing_is_refused_for_good(world):
    zone = Zone(world, "@ IN MX 10 a\n")
    zone.names.kill()
    a = zone.server(1)
    gateway = zone.gateway()
    assert gateway.send("known@backup.test").text.startswith("250 2.0.0 Ok: queued as ")
    assert gateway.send("stranger@backup.test").code == 451
    down = gateway.wait_state("down", name=NAME, timeout=60)
    assert "looking up the mail servers of backup.test failed" in down["reason"]
    zone.names.start()
    a.wait_for(1, 60)
    gateway.wait_queue(0)


def test_the_last_good_answer_serves_while_the_name_server_is_dead(world):
    zone = Zone(world, "@ IN MX 10 a\n", ttl=1)
    a = zone.server(1)
    gateway = zone.gateway()
    gateway.wait_probed()
    assert gateway.send("one@backup.test").text == "250 2.0.0 Taken"
    zone.names.kill()
    gateway.wait_log("prober", "MX of backup.test: looking up the mail servers of backup.test failed", timeout=60)
    assert gateway.send("two@backup.test").text == "250 2.0.0 Taken"
    assert gateway.state(NAME) == "up"
    assert len(a.messages) == 2


def test_a_change_in_the_zone_moves_the_mail(world):
    zone = Zone(world, "@ IN MX 10 a\n", ttl=1)
    a, b = zone.server(1), zone.server(2)
    gateway = zone.gateway()
    gateway.wait_probed()
    assert gateway.send("one@backup.test").text == "250 2.0.0 Taken"
    zone.names.change("backup.test", "@ IN MX 10 b\n" + HOSTS)
    until(lambda: list(names_of(gateway)) == ["127.0.0.42"], "the prober knows the new server alone", 40)

    def moved():
        assert gateway.send("two@backup.test").code == 250
        return len(b.messages) > 0
    until(moved, "mail goes to the new server", 40, every=0.5)
    before = len(a.messages)
    for _ in range(4):
        assert gateway.send("two@backup.test").code == 250
    assert len(a.messages) <= before + 4 and len(b.messages) > 1


def test_two_domains_of_one_destination_have_states_of_their_own(world):
    port = ports.free_port()
    names = world.keep(NameServer({"one.test": "@ IN MX 10 a\na IN A 127.0.0.41\n",
                                   "two.test": "@ IN MX 10 b\nb IN A 127.0.0.42\n"})).start()
    a = world.destination(port=port, address="127.0.0.41")
    gateway = world.gateway(destinations={"backup": {"mx": True, "mx_port": port}},
                            domains={name: {"destination": "backup", "local_recipients": ["known"]}
                                     for name in ("one.test", "two.test")},
                            settings={"dns": {"resolvers": [names.server]}})
    gateway.wait_state("down", name="backup/two.test")
    gateway.wait_state("up", name="backup/one.test")
    assert gateway.send("x@one.test").text == "250 2.0.0 Taken"
    assert gateway.send("known@two.test").text.startswith("250 2.0.0 Ok: queued as ")
    assert [row["destination"] for row in gateway.queue()] == ["backup/two.test"]
    assert len(a.messages) == 1
    refused = gateway.ctl("dest", "show", "backup")
    assert refused.returncode != 0 and "backup/one.test, backup/two.test" in refused.stderr
    assert "destination: backup\n" in gateway.ctl("config", "show").stdout
