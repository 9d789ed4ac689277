"""Fixtures of all Python tests; on failure the gateway's logs are part of the report."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from support.destination import Destination  # noqa: E402
from support.gateway import Gateway  # noqa: E402

_SHOWN = 60  # lines of each log


class World:
    """What a test has started: ended, and checked to be gone, when the test is over."""

    def __init__(self):
        self.gateways, self.destinations, self.others = [], [], []

    def destination(self, start=True, **options):
        made = Destination(**options)
        self.destinations.append(made)
        return made.start() if start else made

    def gateway(self, *servers, start=True, **options):
        made = Gateway(servers, **options)
        self.gateways.append(made)
        return made.start() if start else made

    def keep(self, other):
        """Anything with a stop()."""
        self.others.append(other)
        return other

    def end(self, failed):
        faults = []
        for gateway in self.gateways:
            try:
                gateway.stop()
            except Exception as fault:  # whatever it is, the rest must be ended too
                faults.append(f"stopping the gateway: {fault}")
            for name, text in gateway.logs().items():
                faults += [f"{name}.log: {line}" for line in text.splitlines() if "panic:" in line]
            faults += gateway.reports()
            gateway.dispose()
        for destination in self.destinations:
            faults += [f"the destination saw {fault}" for fault in destination.faults]
            destination.stop()
        for other in self.others:
            other.stop()
        if faults and not failed:
            pytest.fail("\n".join(faults))


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
