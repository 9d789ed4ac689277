"""What the tests of a fixture have started, and its end."""

import pytest

from .destination import Destination
from .gateway import Gateway


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
