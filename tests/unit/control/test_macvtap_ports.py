"""Macvtap ports from claim to release, as control sees them: whose the VF is, and what a paused guest has lost."""

from fairlead.control import attaching, server_power
from fairlead.control.nics import BootNic
from fairlead.control.port_changes import PortChanges, update
from fairlead.hoststate.observed import GuestState
from fairlead.model.binding import VifType
from fairlead.model.device import DeviceStatus
from fairlead.model.port import PortStatus, VnicType
from fairlead.model.server import Server, ServerStatus
from fairlead.sim.domain import DomainState
from tests.control_world import EnrolledHost, World
from tests.unit.control.test_refused_by_hosts import look_for, view


def running(world: World) -> tuple[EnrolledHost, Server]:
    world.policy()
    host = world.host()
    nic = BootNic(network_id=world.network_id, vnic_type=VnicType.MACVTAP)
    return host, world.run_server(host, "web", (nic,))


def domain_of(host: EnrolledHost, server: Server) -> DomainState:
    return host.sim.machine.domains[f"fl-{server.id}"]


def held(world: World, server: Server) -> list[DeviceStatus]:
    def work(tx):
        return [tx.devices.fetch(row.device_id).status for row in tx.allocations.find(server_id=server.id)]

    return world.engine.run(work)


def test_its_vf_is_held_and_its_guest_has_a_tap(world):
    host, server = running(world)
    its_port = view(world, server.ports[0])
    assert (its_port.status, its_port.binding.vif_type) == (PortStatus.ACTIVE, VifType.HW_VEB)
    assert held(world, server) == [DeviceStatus.ALLOCATED]
    domain = domain_of(host, server)
    assert (domain.live_hostdevs, domain.live_taps) == ((), (f"fltap-{server.ports[0][:8]}",))


def test_an_address_that_it_is_allowed_while_its_guest_runs_is_asked_for_by_its_group(world):
    host, server = running(world)
    ((name, heard),) = host.sim.machine.links.groups.items()
    world.engine.run(
        lambda tx: update(tx, server.ports[0], PortChanges(allowed_addresses=("fd00::12:3456",)))
    )
    host.settle()
    assert host.sim.machine.links.groups == {name: heard | {"33:33:ff:12:34:56"}}
    assert view(world, server.ports[0]).status is PortStatus.ACTIVE
    told = [event.kind for event in world.events(server.id)]
    assert (told.count("macvtap_changed"), told.count("drift_repaired")) == (1, 0)


def test_its_vf_is_held_until_the_live_domain_names_the_macvtap_no_more(world):
    host, server = running(world)
    host.sim.machine.troubles.deaf_guests = frozenset({domain_of(host, server).name})
    world.engine.run(lambda tx: attaching.detach(tx, server.id, server.ports[0]))
    look_for(host)
    assert held(world, server) == [DeviceStatus.RELEASING]
    assert view(world, server.ports[0]).status is PortStatus.ERROR
    host.sim.machine.troubles.deaf_guests = frozenset()
    look_for(host)
    assert held(world, server) == []
    assert world.server(server.id).ports == ()
    assert not host.sim.machine.links.vfs


def test_a_server_is_paused_though_its_guest_lost_its_macvtap_and_gets_one_when_it_goes_on(world):
    host, server = running(world)
    (vf,) = host.sim.machine.links.vfs
    world.engine.run(lambda tx: server_power.pause(tx, server.id))
    host.sim.machine.links.take(vf)
    domain_of(host, server).state = GuestState.PAUSED
    host.settle()
    assert world.server(server.id).status is ServerStatus.PAUSED
    assert not host.sim.machine.links.vfs
    world.engine.run(lambda tx: server_power.unpause(tx, server.id))
    host.settle()
    assert world.server(server.id).status is ServerStatus.ACTIVE
    assert host.sim.machine.has_open(domain_of(host, server), f"fltap-{server.ports[0][:8]}")


def test_a_server_is_paused_though_its_guest_could_not_be_given_a_vf(world):
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    domain = domain_of(host, server)
    domain.live_hostdevs = ()
    host.sim.machine.troubles.hanging["attach"] = 100
    look_for(host)
    assert (world.server(server.id).status, view(world, server.ports[0]).status) == (
        ServerStatus.ACTIVE,
        PortStatus.ERROR,
    )
    world.engine.run(lambda tx: server_power.pause(tx, server.id))
    look_for(host)
    assert world.server(server.id).status is ServerStatus.PAUSED


def test_a_vf_stays_held_while_a_live_domain_names_a_macvtap_that_is_gone(world):
    host, server = running(world)
    (vf,) = host.sim.machine.links.vfs
    host.sim.machine.troubles.deaf_guests = frozenset({domain_of(host, server).name})
    host.sim.machine.links.take(vf)
    world.engine.run(lambda tx: attaching.detach(tx, server.id, server.ports[0]))
    look_for(host)
    assert held(world, server) == [DeviceStatus.RELEASING]
    host.sim.machine.troubles.deaf_guests = frozenset()
    look_for(host)
    assert (held(world, server), world.server(server.id).ports) == ([], ())
