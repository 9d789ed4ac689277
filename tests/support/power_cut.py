"""What a disk may hold after a power cut: made from the log of every change that lossyfs wrote down.

    with LossyDisk(folder) as disk:          # folder/mount is the file system; folder/log its log
        ... run, and say disk.mark("got it") whenever something is true that must stay true ...
    log = ChangeLog(disk.log)
    for cut, state in states(log, cuts, seed):      # in the order of the cuts
        state.write(folder)                  # the disk as it may be when the power failed after `cut` changes
        log.marks_before(cut)

What is sure: what a file held at its last fsync or fdatasync, length included; a write through O_DSYNC that is
done; the names in a folder at its last fsync. Of everything since, the change that the cut fell into included,
anything may have got to the disk: any 512-byte sectors of any writes, in any order, any truncations, any length
that the file had meanwhile, any names. A sector that was never written holds zeros, or what was there before us.
"""

import bisect
import dataclasses
import os
import pathlib
import random
import struct
import subprocess

from . import gateway as _gateway, guard
from .waiting import until

CREATE, MAKE_FOLDER, WRITE, DURABLE_WRITE, TRUNCATE, ALLOCATE, PUNCH, SYNC, RENAME, REMOVE, MARK, LINK = range(1, 13)
_OF_NAMES = (CREATE, MAKE_FOLDER, RENAME, REMOVE, LINK)
_OF_CONTENT = (WRITE, DURABLE_WRITE, TRUNCATE, ALLOCATE, PUNCH)
SECTOR = 512
ROOT = 1
_ENTRY = struct.Struct("<II6Q")  # struct Entry of faults/operation_log.h


class LossyDisk:
    """A mounted lossyfs; what lies in it is gone when it is unmounted, but for the log. Each sync takes `sync_ms`."""

    def __init__(self, folder, sync_ms=0):
        self.folder, self.sync_ms = pathlib.Path(folder), sync_ms
        self.mount, self.backing, self.log = (self.folder / name for name in ("mount", "backing", "log"))
        self._process, self._mark = None, None

    def start(self):
        for path in (self.mount, self.backing):
            path.mkdir(parents=True)
        guard.watch("mount", self.mount)
        self._process = subprocess.Popen([_gateway.BIN / "lossyfs", self.mount, self.backing, self.log, str(self.sync_ms)],
                                         stdin=subprocess.DEVNULL)
        until(lambda: self.mount.is_mount() or self._process.poll() is not None, "lossyfs is mounted")
        assert self._process.poll() is None, "lossyfs did not start: is there a /dev/fuse, and are we root?"
        self._mark = os.open(self.mount / ".mark", os.O_WRONLY)
        return self

    def mark(self, text):
        """Writes into the log, between what was done before and what comes after. From any thread."""
        os.write(self._mark, text.encode())

    def stop(self):
        if self._process is None:
            return
        os.close(self._mark)
        subprocess.run(["fusermount3", "-u", self.mount], check=True)
        guard.over("mount", self.mount)
        code = self._process.wait(20)
        self._process = None
        assert code == 0, f"lossyfs ended with {code}"

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


@dataclasses.dataclass(frozen=True)
class Change:
    kind: int
    node: int
    folder: int
    other: int
    offset: int
    length: int
    name: str
    data: bytes

    @property
    def new_name(self):
        return self.data.decode()


class ChangeLog:
    def __init__(self, path):
        self.changes, self.marks = [], []  # marks: (the number of changes before it, its text)
        raw = memoryview(pathlib.Path(path).read_bytes())
        at = 0
        while at < len(raw):
            kind, name_length, node, folder, other, offset, length, data_length = _ENTRY.unpack_from(raw, at)
            at += _ENTRY.size
            name = bytes(raw[at:at + name_length]).decode()
            data = bytes(raw[at + name_length:at + name_length + data_length])
            at += name_length + data_length
            if kind == MARK:
                self.marks.append((len(self.changes), data.decode()))
            else:
                self.changes.append(Change(kind, node, folder, other, offset, length, name, data))
        self._at = [before for before, _ in self.marks]

    def __len__(self):
        return len(self.changes)

    def marks_before(self, cut):
        """The texts of all marks made when at most `cut` changes had been done: what was true by then."""
        return [text for _, text in self.marks[:bisect.bisect_right(self._at, cut)]]

    def position(self, text):
        return next(before for before, found in self.marks if found == text)


class _File:
    """Content and length as they are durable, and what has been done since."""

    def __init__(self):
        self.bytes, self.size, self.pending = bytearray(), 0, []

    def sync(self):
        for change in self.pending:
            self.bytes, self.size = _changed(self.bytes, self.size, change)
        self.pending = []

    def after_cut(self, rng, chance, under_way=None):
        """A content that the disk may hold now: each sector of each pending change survives by chance."""
        pending = self.pending + ([under_way] if under_way is not None else [])
        if not pending or chance == 0:
            return bytes(self.bytes), self.size
        content, size, sizes = bytearray(self.bytes), self.size, [self.size]
        for change in pending:
            if change.kind == DURABLE_WRITE and change is not under_way:
                content, size = _changed(content, size, change)
                sizes = [max(size, change.offset + len(change.data)) for size in sizes]
            elif change.kind in (WRITE, DURABLE_WRITE):
                for start, end in _sectors(change):
                    if rng.random() < chance:
                        content = _written(content, start, change.data[start - change.offset:end - change.offset])
                size = max(size, change.offset + len(change.data))
            else:
                shrunk, size = _changed(bytearray(content), size, change)
                if rng.random() < chance:
                    content = shrunk
            sizes.append(size)
        size = sizes[-1] if chance == 1 else rng.choice(sizes)
        if chance < 1 and rng.random() < 0.25:  # what lay on the disk before
            content = _fouled(content, len(self.bytes), size, rng)
        return bytes(content[:size]), size


class _Folder:
    def __init__(self):
        self.names = {}


def _written(content, at, data):
    if len(content) < at:
        content.extend(bytes(at - len(content)))
    content[at:at + len(data)] = data
    return content


def _changed(content, size, change):
    if change.kind in (WRITE, DURABLE_WRITE):
        return _written(content, change.offset, change.data), max(size, change.offset + len(change.data))
    if change.kind == TRUNCATE:
        del content[change.offset:]
        return content, change.offset
    if change.kind == ALLOCATE:
        return content, max(size, change.offset)
    end = min(len(content), change.offset + change.length)  # PUNCH
    if change.offset < end:
        content[change.offset:end] = bytes(end - change.offset)
    return content, size


def _sectors(change):
    """The pieces of a write that get to the disk whole or not at all."""
    at, end = change.offset, change.offset + len(change.data)
    while at < end:
        stop = min(end, (at // SECTOR + 1) * SECTOR)
        yield at, stop
        at = stop


def _fouled(content, since, size, rng):
    """Sectors behind `since` that are zeros hold bytes of somebody else instead."""
    for at in range(-(-since // SECTOR) * SECTOR, min(size, len(content)) - SECTOR, SECTOR):
        if not any(content[at:at + SECTOR]):
            content[at:at + SECTOR] = rng.randbytes(SECTOR)
    return content


class State:
    """A tree of folders (dict) and files ((bytes, length))."""

    def __init__(self, tree):
        self.tree = tree

    def write(self, folder):
        _write_tree(self.tree, pathlib.Path(folder))


def _write_tree(tree, folder):
    folder.mkdir(exist_ok=True)
    for name, inside in tree.items():
        if isinstance(inside, dict):
            _write_tree(inside, folder / name)
            continue
        content, size = inside
        with open(folder / name, "wb") as file:
            file.write(content)
            file.truncate(size)


class Disk:
    """The disk while the log is played: what is durable, and what is not yet."""

    def __init__(self):
        self.nodes = {ROOT: _Folder()}
        self.pending_names = []  # changes of names, in order, none of whose folders was synced since

    def play(self, change):
        kind = change.kind
        if kind in (CREATE, MAKE_FOLDER):
            self.nodes[change.node] = _File() if kind == CREATE else _Folder()
        if kind in _OF_NAMES:
            self.pending_names.append(change)
        elif kind == SYNC:
            self._sync(change.node)
        elif kind == DURABLE_WRITE:
            file = self.nodes[change.node]
            file.bytes, file.size = _changed(file.bytes, file.size, change)
            file.pending.append(change)  # nothing that was pending before goes over it
        else:
            self.nodes[change.node].pending.append(change)

    def _sync(self, node):
        if isinstance(self.nodes[node], _File):
            self.nodes[node].sync()
            return
        later = []
        for change in self.pending_names:
            if node in (change.folder, change.other):
                _rename_in(lambda folder: self.nodes[folder].names, change)
            else:
                later.append(change)
        self.pending_names = later

    def after_cut(self, under_way, rng):
        """A state in which the power may leave it while `under_way` is being done (None: nothing is)."""
        kind = under_way.kind if under_way is not None else None
        names = self.pending_names + ([under_way] if kind in _OF_NAMES else [])
        nodes = dict(self.nodes)
        if kind in (CREATE, MAKE_FOLDER):
            nodes[under_way.node] = _File() if kind == CREATE else _Folder()
        # Nothing, everything (the machine lost no more than its processes), or some of it.
        file_chance, name_chance = rng.choice([0, 1, 0.1, 0.5, 0.9]), rng.choice([0, 1, 0.5, 0.5])
        now = {number: dict(node.names) for number, node in nodes.items() if isinstance(node, _Folder)}
        for change in names:
            if rng.random() < name_chance:
                _rename_in(lambda folder: now[folder], change)

        def build(number):
            node = nodes[number]
            if isinstance(node, _Folder):
                return {name: build(inside) for name, inside in sorted(now[number].items())}
            hit = kind in _OF_CONTENT and under_way.node == number
            return node.after_cut(rng, file_chance, under_way if hit else None)
        return State(build(ROOT))


def _rename_in(names_of, change):
    """Does a change of names on the folders that names_of gives; one that makes no sense any more does nothing."""
    if change.kind in (CREATE, MAKE_FOLDER, LINK):
        names_of(change.folder)[change.name] = change.node
        return
    if names_of(change.folder).get(change.name) == change.node:
        del names_of(change.folder)[change.name]
    if change.kind == RENAME:
        names_of(change.other)[change.new_name] = change.node


def states(log, cuts, seed):
    """(cut, state) for each of `cuts`, in rising order: `cut` changes were done, the next was under way."""
    disk, done = Disk(), 0
    for cut in sorted(cuts):
        while done < cut:
            disk.play(log.changes[done])
            done += 1
        under_way = log.changes[cut] if cut < len(log) else None
        yield cut, disk.after_cut(under_way, random.Random(f"{seed}/{cut}"))
