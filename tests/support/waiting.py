"""Waiting for what other processes do: always for a condition, always with a deadline."""

import os
import threading
import time

_NEVER = threading.Event()
# How many times longer than usual to wait: what is built with a sanitizer is slow (tests/CMakeLists.txt).
_PATIENCE = float(os.environ.get("HOLDFAST_PATIENCE", "1"))


def sanitized():
    """The programs were built with a sanitizer, which keeps what was freed for a while: their memory tells nothing."""
    return _PATIENCE > 1


def patient(seconds):
    """A time-out, stretched for slow builds."""
    return seconds * _PATIENCE


def until(condition, what, timeout=10.0, every=0.02):
    """The first true value of condition(); fails with `what` and its last value at the deadline.

    Time-outs are generous since tests share two cores; no test's outcome depends on how long it waited.
    """
    timeout = patient(timeout)
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"after {timeout:g} s still not: {what} (last seen: {value!r})")
        _NEVER.wait(every)


def holds(condition, what, seconds):
    """Asserts that a condition stays true for a while: for what must not happen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), f"no longer: {what}"
        _NEVER.wait(0.05)
