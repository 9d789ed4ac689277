"""Issue 3: the disk under the queue's index or prober's directory is full, over a quota, or broken, or the index's map is
full. What is in a segment is promised all the same; nothing is handed out that could not be committed; an event, and
service returns by itself. The segments: test_disk.py.

Tried with protections taken out, in a copy of the tree (22 Nov); each made its test fail:
- Ballast::release() that leaves the file: test_the_ballast_goes_first.
- fail_write() (storage/lmdb.cc) without its question about room: test_a_commit_that_falls_short_on_a_full_disk finds
  the reason "Input/output error".
- Txn::nearly_full() that says false: test_a_full_map.
- Dispatcher::commits_work() that does not listen: test_an_index_that_fails sees mail handed out while commits fail.
- BatchWriter without its retry (its thread ends, or the failed batch is dropped): the queue never drains there.
- Monitor::write() that waits for the commit though the directory fails: test_a_directory_that_fails is never told `up`.
  (Store::told_of_health() that tells nobody is noticed by MonitorTest.AStateThatWaitsWhenCommitsBeginToFailIsTold.)
"""

import errno

import pytest

from support.kept_mail import LOCAL, Sender, numbered
from support.waiting import holds, until

ONE_WORKER = {"smtpd": {"workers": 1}, "deliver": {"workers": 1}}


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT, errno.EIO], ids=errno.errorcode.get)
def test_an_index_that_fails(down, destination, faults, error):
    sender = Sender(down)
    assert sender.send().code == 250
    down.wait_queue(1)
    with faults.fail("write fdatasync fsync", down.spool / "index", error, program="qmgr") as fault:
        for _ in range(20):
            assert sender.send().code == 250, "what is in a segment is durable without the index"
        down.wait_log("qmgr", "event=index_fails")
        fault.wait_hit(2)
        destination.start()
        down.wait_state("up", "draining")
        holds(lambda: not destination.messages, "nothing is handed out", 2)
    down.wait_log("qmgr", "event=index_works", timeout=30)
    sender.all_arrive(destination)


def test_an_index_that_fails_at_any_call(down, destination, faults):
    """One call of a commit fails, the first, the second, …, while mail is indexed and delivered. A failure of the
    very last one, the page that makes it count, ends qmgr: LMDB wants to be opened again."""
    sender = Sender(down)
    for n in range(8):
        with faults.fail("write fdatasync fsync msync", down.spool / "index", errno.EIO, program="qmgr", skip=n, times=1) as fault:
            for _ in range(5):
                assert sender.send().code == 250
            until(lambda: fault.hits > 0 or len(down.queue()) == len(sender.promised), f"call {n} has failed")
    destination.start()
    sender.all_arrive(destination)


def test_the_ballast_goes_first(down, destination, faults):
    ballast = down.spool / "ballast"
    until(ballast.exists, "there is a ballast")
    assert ballast.stat().st_blocks * 512 >= 64 << 20, "of real room"
    sender = Sender(down)
    assert sender.send().code == 250
    down.wait_queue(1)
    with faults.fail("write", down.spool / "index", errno.ENOSPC, program="qmgr", times=2):
        assert sender.send().code == 250
        until(lambda: not ballast.exists(), "it is given up for the index")
    destination.start()
    sender.all_arrive(destination)


def test_a_commit_that_falls_short_on_a_full_disk(down, destination, faults):
    """LMDB says EIO when a part of what it writes still fits: it is a full disk all the same."""
    ballast = down.spool / "ballast"
    until(ballast.exists, "there is a ballast")
    sender = Sender(down)
    with faults.short(down.spool / "index", 100, program="qmgr", times=1) as short:
        with faults.fail("write", down.spool / "index", errno.ENOSPC, program="qmgr", times=1) as full:
            assert sender.send().code == 250
            until(lambda: not ballast.exists(), "it is given up for the index")
            assert (short.hits, full.hits) == (1, 1)
    assert down.events("qmgr", "index_fails") == 1
    assert 'event=index_fails reason="commit: No space left on device"' in down.log("qmgr")
    destination.start()
    sender.all_arrive(destination)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=errno.errorcode.get)
def test_a_directory_that_fails(down, destination, faults, error):
    """prober neither dies nor spins; states are told all the same (decision 7)."""
    sender, pids = Sender(down), down.pids("prober")
    with faults.fail("write fdatasync fsync", down.folder / "state" / "directory", error, program="prober") as fault:
        fault.wait_hit(1)
        assert sender.send().code == 250
        destination.start()
        sender.all_arrive(destination)
        assert down.pids("prober") == pids
        before = fault.hits
        holds(lambda: fault.hits - before < 60, "it tries again once a second, not for ever", 3)
    destination.close()
    down.wait_state("down")
    assert down.pids("prober") == pids


def test_a_full_map(world, destination, faults):
    """The index's map is full: treated as a full disk. New mail gets 452, or waits in its segment; all drains."""
    gateway = world.gateway(destination, env=faults.env, settings={**ONE_WORKER, "index": {"map_size": "2MiB"}})
    gateway.wait_probed()
    destination.close()
    gateway.wait_state("down")
    sender = Sender(gateway)
    with gateway.client() as client:
        client.ehlo()
        while sender.count < 6000:
            sender.count += 1
            client.command("MAIL FROM:<a@client.test>")
            if client.command(f"RCPT TO:<{LOCAL}>").code == 452:
                break
            client.command("DATA")
            client.send(numbered(sender.count) + b".\r\n")
            reply = client.read()
            if reply.code == 452:
                break
            assert reply.code == 250
            sender.promised.append(sender.count)
        else:
            pytest.fail("it never says that it is full")
    gateway.wait_log("qmgr", 'event=quota_reached domain="all"')
    assert len(sender.promised) > 300
    destination.start()
    sender.all_arrive(destination, 60)
    gateway.wait_log("qmgr", 'event=quota_free domain="all"', timeout=30)
    assert sender.send().code == 250
