"""Fixtures of all Python tests; on failure the gateway's logs are part of the report."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from support.milter import Milter  # noqa: E402
from support.world import World  # noqa: E402

_SHOWN = 60  # lines of each log


@pytest.fixture
def world(request):
    made = World()
    request.node.world = made
    yield made
    made.end(getattr(request.node, "failed", False))


@pytest.fixture
def destination(world):
    return world.destination()


@pytest.fixture
def filter_():
    """A filter that says what a test wants."""
    made = Milter()
    yield made
    made.close()


@pytest.fixture
def gateway(world, destination):
    """A gateway in front of `destination`, with the destination found to be up."""
    made = world.gateway(destination)
    made.wait_probed()
    return made


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    made = getattr(item, "world", None)
    if not report.failed or made is None:
        return
    item.failed = True
    for gateway in made.gateways:
        report.sections.append(("gateway's output", "\n".join(gateway.output[-_SHOWN:])))
        for name, text in gateway.logs().items():
            report.sections.append((f"{name}.log", "\n".join(text.splitlines()[-_SHOWN:])))
