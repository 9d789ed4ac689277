"""A mount namespace of its own for programs whose folders and users are compiled in.

What they would find under /var/lib, /var/spool and /run is the peer's own folder, and /etc/passwd has the users
they ask for: nothing of the machine's changes.
"""

import os
import pathlib
import shutil

_FOLDERS = ("/var/lib", "/var/spool", "/run")
_MOUNT = 'while [ "$1" != -- ]; do mount --bind "$1" "$2"; shift 2; done; shift; exec "$@"'


class Room:
    """`users`: {name: uid}; each has a group of the same name and number."""

    def __init__(self, folder, users):
        self.users = users
        self.binds = []
        for target in _FOLDERS:
            source = folder / "room" / target.strip("/").replace("/", "-")
            source.mkdir(parents=True)
            self.binds += [source, target]
        for name, line in ("passwd", "{0}:x:{1}:{1}::/nonexistent:/usr/sbin/nologin\n"), ("group", "{0}:x:{1}:\n"):
            text = pathlib.Path("/etc", name).read_text()
            kept = [there for there in text.splitlines(keepends=True) if there.split(":")[0] not in users]
            file = folder / "room" / name
            file.write_text("".join(kept) + "".join(line.format(user, uid) for user, uid in users.items()))
            self.binds += [file, f"/etc/{name}"]

    def inside(self, target):
        """What the programs see as `target`, as a path of this machine; made if it is not there."""
        folder = next(f for f in _FOLDERS if target.startswith(f))
        path = self.binds[self.binds.index(folder) - 1] / target[len(folder):].strip("/")
        path.mkdir(parents=True, exist_ok=True)
        return path

    def own(self, path, user):
        os.chown(path, self.users[user], self.users[user])

    def words(self, *words):
        """The words that run a program in here."""
        return ["unshare", "--mount", "sh", "-ec", _MOUNT, "sh", *map(str, self.binds), "--", *map(str, words)]


def missing():
    return "" if shutil.which("unshare") else "needs unshare (util-linux)"
