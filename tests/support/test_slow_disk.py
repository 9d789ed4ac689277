"""The recording file system when its syncs are made to take long (bench/slow_fsync.py)."""

import os
import threading
import time

import pytest

from support.power_cut import SYNC, ChangeLog, LossyDisk

needs_fuse = pytest.mark.skipif(os.getuid() != 0 or not os.path.exists("/dev/fuse"), reason="mounts a file system")


@needs_fuse
def test_a_sync_takes_its_time_and_holds_nobody_else(tmp_path):
    with LossyDisk(tmp_path, sync_ms=2000) as disk:
        done, took = threading.Event(), []

        def sync():
            with open(disk.mount / "slow", "wb") as file:
                file.write(b"x")
                file.flush()
                begun = time.monotonic()
                os.fdatasync(file.fileno())
                took.append(time.monotonic() - begun)
            done.set()
        thread = threading.Thread(target=sync)
        thread.start()
        beside = 0
        while not done.is_set():
            (disk.mount / "quick").write_bytes(b"y")
            beside += 1
        thread.join()
        assert took[0] >= 2.0
        assert beside > 1, "others wrote while it lasted"
    assert sum(change.kind == SYNC for change in ChangeLog(disk.log).changes) == 1
