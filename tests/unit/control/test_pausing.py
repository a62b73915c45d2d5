"""Servers that halt and go on, whatever befalls them meanwhile."""

import pytest

from fairlead.control import ports, server_power, servers
from fairlead.control.servers import WrongState
from fairlead.hoststate.observed import GuestState
from fairlead.model.port import PortStatus
from fairlead.model.server import Power, ServerStatus


@pytest.fixture
def host(world):
    world.policy()
    return world.host()


@pytest.fixture
def server(world, host):
    """One with a VF, paused."""
    server = world.run_server(host, "web", world.direct())
    world.engine.run(lambda tx: server_power.pause(tx, server.id))
    host.settle()
    return world.server(server.id)


def domain(host, server):
    return host.sim.machine.domains[f"fl-{server.id}"]


def test_a_paused_server_keeps_its_device_and_its_port_is_active(world, host, server):
    assert server.status is ServerStatus.PAUSED
    assert domain(host, server).state is GuestState.PAUSED
    assert len(domain(host, server).live_hostdevs) == 1
    [port_id] = server.ports
    assert world.engine.run(lambda tx: ports.show(tx, port_id)).status is PortStatus.ACTIVE


def test_it_goes_on_where_it_was(world, host, server):
    world.engine.run(lambda tx: server_power.unpause(tx, server.id))
    host.settle()
    assert world.server(server.id).status is ServerStatus.ACTIVE
    assert len(host.sim.hypervisor.starts) == 1


def test_what_another_hand_lets_go_on_is_paused_again(world, host, server):
    domain(host, server).state = GuestState.RUNNING
    host.settle()
    assert domain(host, server).state is GuestState.PAUSED
    assert world.server(server.id).status is ServerStatus.PAUSED


def test_it_is_paused_after_its_host_booted_too(world, host, server):
    host.sim.machine.reboot()
    host.settle()
    assert domain(host, server).state is GuestState.PAUSED
    assert world.server(server.id).status is ServerStatus.PAUSED
    assert world.violations() == ()


def test_one_that_went_down_by_itself_is_shut_off(world, host, server):
    domain(host, server).state = GuestState.STOPPED
    host.settle()
    found = world.server(server.id)
    assert (found.status, found.power) == (ServerStatus.SHUTOFF, Power.STOPPED)


def test_one_that_cannot_be_paused_is_told_of_and_runs_on(world, host):
    server = world.run_server(host, "web", world.direct())
    host.sim.machine.troubles.hanging["pause"] = 1
    world.engine.run(lambda tx: server_power.pause(tx, server.id))
    host.settle()
    failed = world.server(server.id)
    assert failed.status is ServerStatus.ERROR
    assert failed.fault is not None
    assert domain(host, server).state is GuestState.RUNNING
    host.sim.clock.advance(2)
    host.settle()
    assert world.server(server.id).status is ServerStatus.PAUSED


def test_it_can_be_deleted_and_leaves_nothing(world, host, server):
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    host.settle()
    assert world.engine.run(lambda tx: tx.servers.find()) == ()
    assert host.sim.machine.domains == {}


def test_no_wish_crosses_another(world, host):
    server = world.run_server(host, "web", world.direct())
    world.engine.run(lambda tx: servers.stop(tx, server.id))
    with pytest.raises(WrongState, match="is to be stopped"):
        world.engine.run(lambda tx: server_power.pause(tx, server.id))
    assert world.server(server.id).power is Power.STOPPED


def test_an_operator_resets_its_state_to_what_its_guest_is_to_be(world, host, server):
    world.engine.run(lambda tx: servers.reset_state(tx, server.id, is_error=True))
    host.settle()
    assert world.server(server.id).status is ServerStatus.ERROR
    world.engine.run(lambda tx: servers.reset_state(tx, server.id, is_error=False))
    host.settle()
    assert world.server(server.id).status is ServerStatus.PAUSED
