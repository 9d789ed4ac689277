"""One browser for a file of tests; what its console says against the pages is a fault of the test."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from browser import Browser  # noqa: E402
from dashboard import Dashboard  # noqa: E402


@pytest.fixture(scope="module")
def chromium():
    made = Browser()
    yield made
    made.stop()


@pytest.fixture
def browser(chromium):
    chromium.forget()
    yield chromium
    faults = chromium.faults()
    assert not faults, faults


@pytest.fixture
def dashboard(world, browser):
    """A gateway and its pages before one destination, `dashboard.office`."""
    office = world.destination()
    made = Dashboard(browser, world, [office])
    made.office = office
    made.gateway.wait_probed()
    return made
