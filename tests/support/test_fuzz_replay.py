"""fuzz_replay finds what it is for: a target that fails, in whatever way, on one input of many."""

import os
import pathlib
import subprocess

import pytest

PROGRAM = pathlib.Path(os.environ.get("HOLDFAST_BIN", "build/release/bin")) / "fuzz_replay_planted"


def replay(folder, *inputs):
    (folder / "planted").mkdir()
    for number, text in enumerate(inputs):
        (folder / "planted" / f"{number}").write_text(text)
    return subprocess.run([PROGRAM, folder], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("fault", ["panic", "differs", "throws", "null"])
def test_a_fault_ends_it_and_names_the_input(tmp_path, fault):
    done = replay(tmp_path, "fine", fault, "fine")
    assert done.returncode == 1
    assert f"planted fails on {tmp_path}/planted/1\n" in done.stderr


def test_without_a_fault_it_counts_the_inputs(tmp_path):
    done = replay(tmp_path, "fine", "fine")
    assert done.returncode == 0
    assert done.stdout == "planted: 2 inputs\n"


def test_nothing_to_try_is_no_success(tmp_path):
    assert replay(tmp_path).returncode == 64
