"""Issue 3: bits flip anywhere in a segment or in the index. Found by checksum, that record set aside in spool/corrupt
with a log line, everything else delivered; `queue check` verifies all, `queue rebuild` makes the index from segments.
(unit_storage flips bits all over an index: IndexCheckTest.AFlippedBitIsFoundOrHarmless.)

Tried with protections taken out, in a copy of the tree (22 Nov): Record::verify() that always says yes, and
head_is_sound() that always says yes, each make both test_records_... fail. By reading only, not tried:
- SegmentHeader::decode() without the second header: all mail of the segment is lost to test_the_first_block.
- queue_tables::sound() that always says yes: the flipped row is believed; the check finds nothing.
- read_at() without the comparison of offsets: the forged record is delivered once more.
- Salvage left out of the rebuild: what was delivered comes again.
"""

import re
import shutil
import struct

import pytest

from support.clock import Clock
from support.waiting import until

BLOCK = 4096
LOCAL = "local@example.test"
HEADER = struct.Struct("<8sIIQQII")  # of a record, up to its offset: magic, version, envelope, content, id, generation, 0


class Record:
    def __init__(self, path, offset, data):
        _, _, self.envelope, self.content, self.id, _, _ = HEADER.unpack_from(data, offset)
        self.path, self.offset = path, offset
        self.length = 64 + self.envelope + self.content
        self.bytes = data[offset:offset + self.length]

    def flip(self, at):
        """One bit of the record's byte `at`."""
        with open(self.path, "r+b") as file:
            file.seek(self.offset + at)
            byte = file.read(1)[0]
            file.seek(self.offset + at)
            file.write(bytes([byte ^ 0x10]))


def records(gateway):
    """All records of all segments, by the number of their message."""
    out = {}
    for path in sorted((gateway.spool / "segments").glob("*.seg")):
        data, at = path.read_bytes(), BLOCK
        while at + 64 <= len(data):
            if data[at:at + 8] != b"HOLDFREC":
                at += BLOCK
                continue
            record = Record(path, at, data)
            out[int(re.search(rb"Subject: m(\d+)", record.bytes).group(1))] = record
            at += -(-record.length // BLOCK) * BLOCK
    return out


def numbers(destination):
    return sorted(int(re.search(rb"Subject: m(\d+)", m.content).group(1)) for m in list(destination.messages))


def content(n, body=b"x\r\n"):
    return b"Subject: m%d\r\n\r\n" % n + body


@pytest.fixture
def stopped(world, destination):
    """A gateway that was stopped in order with messages of 6,000 bytes in its queue."""
    gateway = world.gateway(destination, settings={"smtpd": {"workers": 1}})
    gateway.wait_probed()
    destination.close()
    gateway.wait_state("down")
    for n in range(COUNT):
        assert gateway.send(LOCAL, content=content(n, b"y" * 6000 + b"\r\n")).code == 250
    gateway.wait_queue(COUNT)
    gateway.stop()
    return gateway


# Where the bits flip: in the magic, the lengths, the id, the envelope, the content, and in the padding.
COUNT = 12
PLACES = {1: lambda r: 2, 3: lambda r: 13, 5: lambda r: 24, 7: lambda r: 64 + r.envelope // 2,
          9: lambda r: r.length - 5, 10: lambda r: r.length + 1}
WHOLE = [0, 2, 4, 6, 8, 10, 11]


def flip(gateway):
    found = records(gateway)
    for n, place in PLACES.items():
        found[n].flip(place(found[n]))


def set_aside(gateway):
    folder = gateway.spool / "corrupt"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_records_that_the_index_knows(stopped, destination):
    flip(stopped)
    stopped.start()
    destination.start()
    until(lambda: numbers(destination) == WHOLE, "all others are delivered", 30)
    held = until(lambda: len(q := [m for m in stopped.queue() if m["queue_name"] == "held"]) == 5 and q, "the damaged are held")
    until(lambda: len(set_aside(stopped)) == 5, "and set aside")
    for message in held:
        assert any(name.endswith("-" + message["queue_id"]) for name in set_aside(stopped))
        stopped.wait_log("qmgr", f"{message['queue_id']}: its record is damaged: set aside as corrupt/")
    checked = stopped.ctl("queue", "check")
    assert checked.returncode == 65, checked.stdout + checked.stderr
    assert "5 faults" in checked.stdout
    assert numbers(destination) == WHOLE


def test_records_that_nobody_has_read_yet(stopped, destination):
    flip(stopped)
    shutil.rmtree(stopped.spool / "index")
    stopped.start()
    destination.start()
    until(lambda: numbers(destination) == WHOLE, "all others are delivered", 30)
    assert len(set_aside(stopped)) == 5, set_aside(stopped)
    stopped.wait_log("qmgr", "event=spool_damage")
    stopped.wait_queue(0)
    checked = stopped.ctl("queue", "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_first_block(stopped, destination):
    """It stands there twice. With both damaged the file is kept for a person."""
    path = next((stopped.spool / "segments").glob("*.seg"))
    data = bytearray(path.read_bytes())
    data[30] ^= 1
    path.write_bytes(data)
    shutil.rmtree(stopped.spool / "index")
    stopped.start()
    destination.start()
    until(lambda: numbers(destination) == list(range(COUNT)), "all is delivered", 30)


def test_a_segment_without_any_header(stopped, destination):
    path = next((stopped.spool / "segments").glob("*.seg"))
    data = bytearray(path.read_bytes())
    data[30] ^= 1
    data[2048 + 30] ^= 1
    path.write_bytes(data)
    shutil.rmtree(stopped.spool / "index")
    stopped.start()
    until(lambda: set_aside(stopped) == [path.name], "it is set aside whole")
    assert (stopped.spool / "corrupt" / path.name).read_bytes() == data
    stopped.wait_log("qmgr", "event=spool_damage")
    destination.start()
    stopped.wait_state("up")
    assert stopped.send(LOCAL).code == 250, "and mail goes on"


def damage_index(gateway):
    """A bit of each message's row."""
    path = gateway.spool / "index" / "data.mdb"
    data = bytearray(path.read_bytes())
    places = [m.start() for m in re.finditer(rb"sender@client\.test", data)]
    assert places
    for at in places:  # old pages hold copies too
        data[at] ^= 1
    path.write_bytes(data)


def test_a_damaged_index(stopped, destination):
    damage_index(stopped)
    checked = stopped.ctl("queue", "check", "--json")
    assert checked.returncode == 65, checked.stdout + checked.stderr
    assert '"faults":0' not in checked.stdout
    stopped.start(wait=False)
    destination.start()
    line = stopped.wait_log("qmgr", "gatewayctl queue rebuild", timeout=30)
    assert "the database in" in line and "is damaged" in line
    stopped.stop()
    for reader in ("qmgr", "alertd", "webd"):  # their panics are what this test is about
        (stopped.folder / "log" / f"{reader}.log").write_text("")
    rebuilt = stopped.json("queue", "rebuild")[0]
    assert rebuilt["messages"] == COUNT and rebuilt["damaged"] == 0
    assert stopped.ctl("queue", "check").returncode == 0
    stopped.start()
    until(lambda: numbers(destination) == list(range(COUNT)), "all is delivered", 30)
    stopped.wait_queue(0)
    assert numbers(destination) == list(range(COUNT)), "once"


def test_a_rebuild_brings_nothing_back(world, destination):
    gateway = world.gateway(destination, settings={"smtpd": {"workers": 1}})
    gateway.wait_probed()
    destination.on("rcpt", "451 4.2.0 Not now")
    for n in range(6):
        assert gateway.send(LOCAL, content=content(n)).code == 250
    # Each has had its first attempt: none of the last three goes with the first.
    until(lambda: [m["attempts"] for m in gateway.queue()] == [1] * 6, "all six are put off")
    ids = [m["queue_id"] for m in gateway.queue()]
    destination.on("rcpt", "250 2.1.5 Ok")
    assert gateway.ctl("queue", "retry", *ids[:3]).returncode == 0
    gateway.wait_queue(3)
    running = gateway.ctl("queue", "rebuild")
    assert running.returncode == 75, "qmgr runs: " + running.stdout + running.stderr
    left = sorted(m["queue_id"] for m in gateway.queue())
    gateway.stop()
    assert gateway.json("queue", "rebuild", "--hold")[0]["kept"] == 3
    assert (gateway.spool / "index.old-1" / "data.mdb").exists()
    gateway.start()
    assert sorted(m["queue_id"] for m in gateway.queue()) == left
    assert {m["queue_name"] for m in gateway.queue()} == {"held"}
    checked = gateway.ctl("queue", "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert gateway.ctl("queue", "release", "--all", "--yes").returncode == 0
    gateway.wait_queue(0, 30)
    assert numbers(destination) == list(range(6)), "each once"


def test_a_body_that_holds_whole_records(world, destination):
    """A copy of the segment's own bytes, its first block and a real record, at a block's boundary of the very
    segment: whoever can read our disk still cannot make us believe a record."""
    clock = world.keep(Clock())
    gateway = world.gateway(destination, env=clock.env, settings={"smtpd": {"workers": 1}})
    gateway.wait_probed()
    destination.close()
    gateway.wait_state("down")
    # Until there is a record without a bare CR or LF, which no client may send. A byte of its times is one for a minute, or for 5 hours.
    for n in range(40):
        clock.set(seconds=1200 * n)
        assert gateway.send(LOCAL, content=content(n)).code == 250
        real = records(gateway)[n]
        if not re.search(rb"\r(?!\n)|(?<!\r)\n", real.bytes) and b"\r\n." not in real.bytes:
            break
    else:
        pytest.fail("no record can be sent")
    first = n
    with open(real.path, "rb") as file:
        block = file.read(2048 + 48)
    if re.search(rb"\r(?!\n)|(?<!\r)\n", block):
        block = b"HOLDFSEG" + block[8:].replace(b"\r", b"\0").replace(b"\n", b"\0")
    aligned, pad = 0, 0
    while aligned < 2:
        n += 1
        body = b"p" * pad + b"\r\n" + real.bytes + b"q" * (-len(real.bytes) % BLOCK) + block.ljust(BLOCK, b"\0") + b"\r\n"
        assert gateway.send(LOCAL, content=content(n, body)).code == 250
        mine = records(gateway)[n]
        at = mine.offset + mine.bytes.index(real.bytes)
        aligned += at % BLOCK == 0
        pad = (pad - at) % BLOCK
        assert n < first + 20, "the forged record never lies at a block's boundary"
    gateway.crash()
    # The header of the last one is damaged as well, so that a scan must look at every block of its body.
    records(gateway)[n].flip(30)
    shutil.rmtree(gateway.spool / "index")
    gateway.start()
    destination.start()
    until(lambda: numbers(destination) == list(range(n)), "each real message, once", 30)
    gateway.wait_queue(0)
    assert numbers(destination) == list(range(n))
