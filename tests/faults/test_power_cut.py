"""A power cut at any moment loses nothing that was answered 250 (issue 3; design.md section 4).

A run on the recording file system (support/power_cut.py) takes mail while its destination is down, is killed in
between, hands the mail over, bounces some, and reclaims segments. Of what is to arrive an emergency copy goes elsewhere. For many moments of it the disk is made as a power
cut may have left it, a gateway is started on that, and all that had been promised by then must come, once.
"""

import concurrent.futures
import contextlib
import os
import pathlib
import random
import shutil
import tempfile
import threading

import pytest

from support.kept_mail import COPIES, QUICK_RETRY, Peers, Senders, domains, is_gone, settings
from support import guard
from support.faults import Faults
from support.gateway import Gateway, merged
from support.power_cut import WRITE, ChangeLog, LossyDisk, states
from support.waiting import until

LONG = os.environ.get("HOLDFAST_LONG") == "1"
SEED = int(os.environ.get("HOLDFAST_SEED") or random.SystemRandom().randint(1, 10 ** 6))
STATES = 600 if LONG else 30
CUT_RECOVERIES, CUTS_OF_EACH = (20, 6) if LONG else (2, 3)
AT_ONCE = 4
# Where nothing but refusals is left, each is believed only after three tries, one an interval (docs/decisions/0006).
PATIENCE = 120
MEMORY = "/dev/shm"  # nothing here may wait for a real disk


# What a power cut is survived by; each is taken out in turn, and must be missed.
PROTECTIONS = {
    "mail is on disk before its 250": ("fdatasync", "spool/segments/"),
    "a segment's name is on disk before it is used": ("fsync", "spool/segments"),
    "an index's pages are on disk before they are named": ("fdatasync", "spool/index/"),
}


def gateway_on(disk, peers, env=None):
    """A gateway whose spool and state lie in `disk`, all else in a folder of its own."""
    paths = {"spool": str(disk / "spool"), "state": str(disk / "state")}
    return Gateway(destinations={"office": {"servers": [peers.office.server], **QUICK_RETRY}}, domains=domains(), parent=MEMORY, env=env, settings=merged({**settings(peers.relay), **COPIES}, {
        "paths": paths, "smtpd": {"workers": 1}, "deliver": {"workers": 1}}))


class Promises:
    """What was true before a cut, from the marks in the log."""

    WORDS = ("got", "there", "copied", "bounced", "settled")

    def __init__(self, marks, before=None):
        self.got, self.there, self.copied, self.bounced, self.settled = (
            set(getattr(before, name)) if before else set() for name in self.WORDS)
        for mark in marks:
            word, *numbers = mark.split()
            if word in self.WORDS:
                getattr(self, word).update(map(int, numbers))

    def to_arrive(self):
        return {n for n in self.got - self.there if not is_gone(n)}

    def to_copy(self):
        return {n for n in self.got - self.copied if not is_gone(n)}

    def to_bounce(self):
        return {n for n in self.got - self.bounced if is_gone(n)}


@contextlib.contextmanager
def running(folder, peers, env=None):
    """A gateway on a disk; a failure tells what it found there, and its logs."""
    gateway, found = gateway_on(folder, peers, env), listing(folder)
    try:
        gateway.start()
        yield gateway
        lines = [line for text in gateway.logs().values() for line in text.splitlines() if "panic:" in line]
        faults = lines + gateway.reports() + peers.faults()
        assert not faults, faults
    except AssertionError as fault:
        logs = [f"{name}: {line}" for name, text in gateway.logs().items() for line in text.splitlines()[-15:]]
        raise AssertionError("\n".join([str(fault), f"the disk: {found}", *gateway.output[-5:], *logs])) from None
    finally:
        gateway.dispose()
        peers.stop()


def wait_for_all(promises, peers, timeout):
    def missing():
        return [sorted(promised - set(come)) for promised, come in (
            (promises.to_arrive(), peers.arrived()), (promises.to_copy(), peers.copied()), (promises.to_bounce(), peers.bounced()))]
    try:
        until(lambda: not any(missing()), "all that was promised has come", timeout, every=0.05)
    except AssertionError as fault:
        raise AssertionError(f"{fault}\nnot there, not copied, not bounced: {missing()}") from None


def check_recovery(folder, promises, timeout):
    """Starts a gateway on a disk; what was promised comes, nothing comes twice, and the spool is sound afterwards."""
    peers = Peers().start()
    with running(folder, peers) as gateway:
        wait_for_all(promises, peers, timeout)
        # One that was durable, though not promised yet, may be alone and refused: that is believed after 30 probe
        # intervals (docs/decisions/0006).
        gateway.wait_queue(0, 60)
        arrived, copied, bounced = peers.arrived(), peers.copied(), peers.bounced()
        for come in (arrived, copied, bounced):
            assert len(come) == len(set(come)), "something came twice"
        again = promises.settled & set(arrived + copied + bounced)
        assert not again, f"{again} came again although they were settled before the cut"
        checked = gateway.ctl("queue", "check")
        assert checked.returncode == 0, f"queue check: {checked.stdout} {checked.stderr}"


def listing(folder):
    return [f"{path.relative_to(folder)} {path.stat().st_size}" for path in sorted(folder.rglob("*"))]


def settle(gateway, disk, peers, senders):
    """All is handed over and committed: from here on nothing of it may come again."""
    until(lambda: senders.to_arrive() <= set(peers.arrived()) & set(peers.copied()) and senders.to_bounce() <= set(peers.bounced()),
          "all has come", PATIENCE)
    gateway.wait_queue(0, 60)
    disk.mark("settled " + " ".join(map(str, sorted(senders.offered))))


@pytest.fixture
def room():
    folder = tempfile.mkdtemp(prefix="hf-cut-", dir=MEMORY)
    guard.watch("folder", folder)
    yield folder
    shutil.rmtree(folder)
    guard.over("folder", folder)


def record(folder, lie=None):
    """The run that is cut afterwards: its log. With `lie`, (operations, path), these are not done."""
    with contextlib.ExitStack() as stack:
        disk = stack.enter_context(LossyDisk(folder))
        peers, faults = Peers(disk.mark).start(), Faults()
        stack.callback(faults.stop)
        if lie:
            faults.lie(lie[0], disk.mount / lie[1])
        with running(disk.mount, peers, faults.env) as gateway:
            _run(disk, peers, gateway)
    return ChangeLog(disk.log)


def _run(disk, peers, gateway):
    gateway.wait_probed()
    peers.office.close()
    gateway.wait_state("down")
    senders = Senders(gateway.port, disk.mark)
    senders.send(30)
    gateway.wait_restarted("smtpd", gateway.kill("smtpd"))
    senders.send(30)
    gateway.wait_restarted("qmgr", gateway.kill("qmgr"))
    gateway.wait_queue(len(senders.promised))
    peers.office.start()
    until(lambda: len(peers.arrived()) > 10, "the drain has begun", 20)
    gateway.wait_restarted("qmgr", gateway.kill("qmgr"))
    settle(gateway, disk, peers, senders)
    # Reclaiming comes at once when qmgr starts; new mail comes into new segments.
    before = {path.name for path in (disk.mount / "spool/segments").iterdir()}
    gateway.wait_restarted("smtpd", gateway.kill("smtpd"))
    peers.office.close()
    gateway.wait_state("down")
    senders.send(10)
    gateway.wait_restarted("qmgr", gateway.kill("qmgr"))
    until(lambda: not before & {path.name for path in (disk.mount / "spool/segments").iterdir()},
          "the old segments are reclaimed", 30)
    peers.office.start()
    settle(gateway, disk, peers, senders)


def all_checked(made):
    """All states recover; returns how many there were."""
    count, faults = checked(made, 4, PATIENCE)
    assert not faults, f"HOLDFAST_SEED={SEED}: {len(faults)} of {count} states:\n" + "\n\n".join(faults)
    return count


def checked(made, most_faults, timeout):
    """Runs check_recovery on (folder, promises, words) several at a time; each folder is removed afterwards."""
    slots, faults = threading.Semaphore(AT_ONCE + 1), []

    def one(folder, promises, words):
        try:
            check_recovery(folder, promises, timeout)
        except BaseException as fault:
            faults.append(f"{words}: {fault}")
        finally:
            shutil.rmtree(folder)
            slots.release()
    count = 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for work in made:
            slots.acquire()
            pool.submit(one, *work)
            count += 1
            if len(faults) >= most_faults:
                break
    return count, faults


def births(log):
    """The moments at which each file has just got its first bytes."""
    written = set()
    for number, change in enumerate(log.changes):
        if change.kind == WRITE and change.node not in written:
            written.add(change.node)
            yield number + 1


def made_states(log, count, room, rng, first=0, before=None, name="state"):
    cuts = set(rng.sample(range(first, len(log) + 1), min(count, len(log) + 1 - first)))
    if count > 1:
        cuts |= {cut for cut in births(log) if cut >= first}
    for cut, state in states(log, cuts, rng.random()):
        folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=room))
        state.write(folder)
        yield folder, Promises(log.marks_before(cut), before), f"cut at {cut} of {len(log)}"


def test_what_was_promised_survives_a_power_cut(room):
    print(f"HOLDFAST_SEED={SEED}")
    rng = random.Random(SEED)
    log = record(f"{room}/run")
    assert all_checked(made_states(log, STATES, room, rng)) >= min(STATES, len(log))
    recovered = 0
    for number in range(CUT_RECOVERIES):
        recovered += cut_recovery(log, room, rng, number)
    assert recovered


@pytest.mark.skipif(not LONG, reason="the long form")
@pytest.mark.parametrize("words", PROTECTIONS)
def test_a_protection_that_is_taken_out_is_missed(room, words):
    """The run is recorded with syncs that are lies: then states must be found that do not recover. (In the code
    itself it was tried too: without the fsync behind mkdir in base::make_folders 9 of 30 states failed.)"""
    print(f"HOLDFAST_SEED={SEED}")
    log = record(f"{room}/run", PROTECTIONS[words])
    count, faults = checked(made_states(log, STATES, room, random.Random(SEED)), 1, 8)
    print(f"{len(faults)} of {count} states did not recover: {faults[0][:200] if faults else ''}")
    assert faults


def cut_recovery(log, room, rng, number):
    """The power is cut while a gateway recovers from a cut: the next one recovers all the same."""
    (folder, promises, _), = made_states(log, 1, room, rng)
    with LossyDisk(f"{room}/again-{number}") as disk:
        fill_durably(folder, disk.mount)
        disk.mark("filled")
        peers = Peers(disk.mark).start()
        with running(disk.mount, peers):
            wait_for_all(promises, peers, PATIENCE)
    shutil.rmtree(folder)
    again = ChangeLog(disk.log)
    made = made_states(again, CUTS_OF_EACH, room, rng, again.position("filled"), promises)
    count = all_checked(made)
    shutil.rmtree(disk.folder)
    return count


def fill_durably(source, target):
    """Copies a tree, synced to the last name."""
    for path, folders, files in os.walk(source):
        there = target / os.path.relpath(path, source)
        for name in folders:
            (there / name).mkdir()
        for name in files:
            shutil.copyfile(os.path.join(path, name), there / name)
            sync(there / name)
        sync(there)


def sync(path):
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
