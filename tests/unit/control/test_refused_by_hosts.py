"""A change that a host refuses, or a repair, costs the port what it says, and never a server that runs."""

from dataclasses import replace

import pytest

from fairlead.control import ports
from fairlead.control.port_changes import PortChanges, update
from fairlead.hoststate.steps import StartGuest, Step
from fairlead.model.binding import Wiring
from fairlead.model.ids import PortId
from fairlead.model.port import PortStatus
from fairlead.model.server import ServerStatus
from fairlead.model.vf import LinkState
from tests.control_world import EnrolledHost, World
from tests.unit.control.test_port_profiles import Running, change, profile, set_network


def look_for(host: EnrolledHost, ticks: int = 3) -> None:
    """As the host settles, for one on which something will not."""
    for _ in range(ticks):
        host.agent.poll(0)
        host.agent.tick()
        host.sim.clock.advance(61)


def view(world: World, port_id: PortId) -> ports.PortView:
    return world.engine.run(lambda tx: ports.show(tx, port_id))


def test_a_default_profile_that_the_driver_refuses_takes_no_server_down(world):
    world.policy()
    host = world.host()
    servers = [world.run_server(host, f"s{number}", world.direct()) for number in range(3)]
    host.sim.machine.troubles.refused_fields = frozenset({"link_state"})
    set_network(world, port_profile_id=profile(world, link_state=LinkState.ENABLE))
    look_for(host)
    for server in servers:
        shown, its_port = world.server(server.id), view(world, server.ports[0])
        assert (shown.status, its_port.status) == (ServerStatus.ACTIVE, PortStatus.ERROR)
        assert its_port.binding.failure.code == "vf_change_refused"
        assert shown.fault == its_port.binding.failure
    set_network(world, port_profile_id=None)
    host.settle()
    for server in servers:
        assert view(world, server.ports[0]).status is PortStatus.ACTIVE
        assert world.server(server.id).fault is None


@pytest.mark.parametrize("how", ["refused_fields", "ignored_fields"])
def test_a_change_that_is_refused_or_not_kept_half_way_is_set_back_whole(world, how):
    made = profile(world, vlan_priority=1, max_rate_mbps=50)
    running = Running(world, world.direct(port_profile_id=made))
    before = running.vf()
    machine = running.host.sim.machine
    setattr(machine.troubles, how, frozenset({"spoof_check"}))
    change(world, made, vlan_priority=6, max_rate_mbps=100, spoof_check=False)
    look_for(running.host)
    assert running.vf() == before
    assert running.view().status is PortStatus.ERROR
    failure = running.view().binding.failure
    assert "spoof_check False" in failure.doing
    assert "runs on with what the port had before" in failure.hint
    assert world.server(running.server.id).status is ServerStatus.ACTIVE
    setattr(machine.troubles, how, frozenset())
    look_for(running.host)
    assert (running.vf().vlan_priority, running.vf().max_rate_mbps) == (6, 100)
    assert running.view().status is PortStatus.ACTIVE
    (told,) = {e.message for e in world.events(running.server.id) if e.kind == "vf_changed"}
    assert "vlan_priority was 1" in told


def test_a_change_whose_rate_is_refused_touches_no_vlan(world):
    made = profile(world, vlan_priority=1)
    running = Running(world, world.direct(port_profile_id=made))
    before, machine = running.vf(), running.host.sim.machine
    machine.troubles.refused_fields = frozenset({"max_rate_mbps"})
    told = []
    machine.fuse = lambda _: told.append(running.vf())
    change(world, made, vlan_priority=6, max_rate_mbps=100)
    look_for(running.host)
    assert set(map(repr, told)) == {repr(before)}
    assert "vlan" not in running.view().binding.failure.doing


def test_an_agent_that_died_half_way_sets_back_what_was_before_it(world):
    made = profile(world, vlan_priority=1)
    running = Running(world, world.direct(port_profile_id=made))
    before, machine = running.vf(), running.host.sim.machine
    pf, index = machine.vf_at(running.view().binding.profile["pci_slot"])
    change(world, made, vlan_priority=6, max_rate_mbps=100)
    running.host.agent.poll(0)
    pf.vfs[index] = replace(before, max_rate_mbps=100)
    machine.troubles.refused_fields = frozenset({"vlan_priority"})
    running.host.agent = running.host.sim.agent(running.host.id, running.host.link)
    look_for(running.host)
    assert running.vf() == before


def test_drift_is_repaired_as_far_as_it_goes(world):
    running = Running(world, world.direct())
    machine = running.host.sim.machine
    pf, index = machine.vf_at(running.view().binding.profile["pci_slot"])
    pf.vfs[index] = replace(pf.vfs[index], vlan=999, spoof_check=False)
    machine.troubles.refused_fields = frozenset({"spoof_check"})
    look_for(running.host)
    assert (running.vf().vlan, running.vf().spoof_check) == (100, False)


def test_a_tap_that_cannot_be_set_anew_is_its_ports_failure(world):
    running = Running(world, world.normal())
    machine = running.host.sim.machine
    machine.troubles.hanging["make_tap"] = 100
    allowed = PortChanges(allowed_addresses=("10.0.0.99",))
    world.engine.run(lambda tx: update(tx, running.port_id, allowed))
    assert (running.view().status, running.view().binding.wiring) == (PortStatus.BUILD, Wiring.PENDING)
    look_for(running.host)
    assert running.view().status is PortStatus.ERROR
    assert world.server(running.server.id).status is ServerStatus.ACTIVE
    machine.troubles.hanging.clear()
    running.host.settle()
    assert running.view().status is PortStatus.ACTIVE
    assert world.server(running.server.id).fault is None


def test_drift_that_cannot_be_repaired_is_the_ports_failure(world):
    running = Running(world, world.direct())
    machine = running.host.sim.machine
    pf, index = machine.vf_at(running.view().binding.profile["pci_slot"])
    pf.vfs[index] = replace(pf.vfs[index], trust=True)
    machine.troubles.refused_fields = frozenset({"trust"})
    look_for(running.host)
    assert running.view().status is PortStatus.ERROR
    assert world.server(running.server.id).status is ServerStatus.ACTIVE


def test_a_server_whose_guest_runs_is_active_though_its_port_failed_before_the_first_report(world):
    """As its guest starts, another hand changes its VF for good."""
    world.policy()
    host = world.host()
    machine = host.sim.machine

    def meddle(step: Step) -> None:
        if isinstance(step, StartGuest):
            (slot,) = machine.domains[f"fl-{step.server_id}"].live_hostdevs
            pf, index = machine.vf_at(slot)
            pf.vfs[index] = replace(pf.vfs[index], trust=True)
            machine.troubles.refused_fields = frozenset({"trust"})

    host.agent = host.sim.agent(host.id, host.link, meddle)
    server = world.boot("web", world.direct())
    world.scheduler.tick()
    look_for(host)
    shown, its_port = world.server(server.id), view(world, server.ports[0])
    assert (shown.status, its_port.status) == (ServerStatus.ACTIVE, PortStatus.ERROR)
    assert shown.fault == its_port.binding.failure
