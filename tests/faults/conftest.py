"""What several fault tests share."""

import pytest

from support.faults import Faults


@pytest.fixture
def faults(world):
    return world.keep(Faults())


@pytest.fixture
def down(world, destination, faults):
    """A gateway with one worker of each kind, whose destination is down."""
    gateway = world.gateway(destination, env=faults.env, settings={"smtpd": {"workers": 1}, "deliver": {"workers": 1}})
    gateway.wait_probed()
    destination.close()
    gateway.wait_state("down")
    return gateway
