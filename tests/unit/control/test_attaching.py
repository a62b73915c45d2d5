"""A port comes to a server that is there, and leaves it: nothing is held twice, lost, or handed on with traces."""

import pytest

from fairlead.control import attaching, dead_hosts, port_bindings, ports, server_power, servers
from fairlead.control.nics import BootNic
from fairlead.control.ports import NewPort
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.errors import Conflict, InvalidValue, NotAttached, NotFound
from fairlead.model.ids import PortId
from fairlead.model.lifecycle import port_status
from fairlead.model.port import Port, PortStatus, VnicType
from fairlead.model.server import Server, ServerStatus
from fairlead.model.vf import BASELINE
from tests.control_world import CALLER, EnrolledHost, World

MANY = 8


@pytest.fixture
def host(world: World) -> EnrolledHost:
    world.policy()
    return world.host()


def attach(world: World, server: Server, **nic: object) -> PortId:
    wanted = BootNic(**({"network_id": world.network_id, "vnic_type": VnicType.DIRECT} | nic))  # type: ignore[arg-type]
    return world.engine.run(lambda tx: attaching.attach(tx, CALLER, server.id, wanted))


def detach(world: World, server: Server, port_id: PortId) -> None:
    world.engine.run(lambda tx: attaching.detach(tx, server.id, port_id))


def made_port(world: World, **fields: object) -> Port:
    new = NewPort(CALLER.project_id, world.network_id, vnic_type=VnicType.DIRECT, **fields)  # type: ignore[arg-type]
    return world.engine.run(lambda tx: ports.create(tx, new)).port


def status_of(world: World, server: Server, port_id: PortId) -> PortStatus:
    with world.database.transaction() as tx:
        found = tx.servers.fetch(server.id)
        return port_status(tx.bindings.get((port_id, found.host_id or "")), found.guest_state)


def device_of(world: World, port_id: PortId) -> Device | None:
    with world.database.transaction() as tx:
        held = [row for row in tx.allocations.find() if row.port_id == port_id]
        return tx.devices.fetch(held[0].device_id) if held else None


def rows(world: World) -> object:
    with world.database.transaction() as tx:
        everything = (
            tx.ports,
            tx.bindings,
            tx.allocations,
            tx.devices,
            tx.servers,
            tx.hosts,
            tx.qos_policies,
        )
        return [found.find() for found in everything]  # type: ignore[attr-defined]


def name(server: Server) -> str:
    return f"fl-{server.id}"


def test_a_running_server_gets_a_vf_and_keeps_running(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", world.direct())
    port_id = attach(world, server, tag="storage")
    assert status_of(world, server, port_id) is PortStatus.BUILD
    host.settle()
    now = world.server(server.id)
    assert (now.status, now.fault) == (ServerStatus.ACTIVE, None)
    assert (now.ports, now.nic_tags) == ((*server.ports, port_id), {port_id: "storage"})
    assert status_of(world, server, port_id) is PortStatus.ACTIVE
    device = device_of(world, port_id)
    assert device is not None
    assert device.status is DeviceStatus.ALLOCATED
    assert device.pci_address in host.sim.machine.domains[name(server)].live_hostdevs
    assert len(host.sim.hypervisor.starts) == 1
    assert world.violations() == ()


def test_its_tag_is_on_the_config_drive_of_the_next_boot(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", world.direct())
    attach(world, server, tag="storage")
    host.settle()
    accepted = host.link.assignment(0, 0).desired
    assert accepted is not None
    (guest,) = accepted.guests
    assert '"storage"' in next(f.content for f in guest.config_files if f.path.endswith("meta_data.json"))


def test_an_ordinary_vnic_comes_and_goes(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", world.direct())
    port_id = attach(world, server, vnic_type=VnicType.NORMAL)
    host.settle()
    assert status_of(world, server, port_id) is PortStatus.ACTIVE
    assert host.sim.machine.domains[name(server)].live_taps == (f"fltap-{port_id[:8]}",)
    detach(world, server, port_id)
    host.settle()
    assert world.server(server.id).ports == server.ports
    assert host.sim.machine.virtual_links == set()
    with world.database.transaction() as tx:
        assert tx.ports.get(port_id) is None
        assert tx.devices.find(is_uplink=True) == ()
    assert world.violations() == ()


def test_a_detached_vf_is_clean_before_it_is_free_and_its_port_is_kept(
    world: World, host: EnrolledHost
) -> None:
    port = made_port(world, name="p1")
    server = world.run_server(host, "web", world.direct())
    attach(world, server, port_id=port.id, network_id=None, vnic_type=VnicType.NORMAL)
    host.settle()
    device = device_of(world, port.id)
    assert device is not None
    detach(world, server, port.id)
    before = rows(world)
    detach(world, server, port.id)
    assert rows(world) == before
    assert world.server(server.id).ports == (*server.ports, port.id)
    with world.database.transaction() as tx:
        assert tx.devices.fetch(device.id).status is DeviceStatus.RELEASING
    host.settle()
    with world.database.transaction() as tx:
        assert tx.devices.fetch(device.id).status is DeviceStatus.AVAILABLE
        assert (tx.ports.fetch(port.id).server_id, tx.ports.fetch(port.id).device_owner) == (None, "")
        assert tx.bindings.find(port_id=port.id) == ()
    assert host.sim.machine.vf_at(device.pci_address)[0].vfs[device.vf_index or 0] == BASELINE  # type: ignore[index]
    assert host.sim.machine.traces.keys() == set(host.sim.machine.domains[name(server)].live_hostdevs)
    assert world.server(server.id).status is ServerStatus.ACTIVE
    assert world.violations() == ()


def test_a_guest_that_does_not_let_go_is_told_of_and_keeps_running(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", world.direct())
    (port_id,) = server.ports
    host.sim.machine.troubles.deaf_guests = frozenset({name(server)})
    detach(world, server, port_id)
    host.settle()
    now = world.server(server.id)
    assert (now.status, now.fault and now.fault.code) == (ServerStatus.ACTIVE, "not_released")
    assert status_of(world, server, port_id) is PortStatus.ERROR
    assert device_of(world, port_id) is not None
    events = world.events(server.id)
    assert [event.kind for event in events].count("port_failed") == 1
    host.sim.machine.troubles.deaf_guests = frozenset()
    host.sim.clock.advance(120)
    host.settle()
    now = world.server(server.id)
    assert (now.status, now.fault, now.ports) == (ServerStatus.ACTIVE, None, ())
    assert device_of(world, port_id) is None
    assert world.violations() == ()


def test_force_is_a_hard_reboot(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", world.direct())
    host.sim.machine.troubles.deaf_guests = frozenset({name(server)})
    detach(world, server, server.ports[0])
    host.settle()
    world.engine.run(lambda tx: servers.reboot(tx, server.id, is_hard=True))
    host.settle()
    now = world.server(server.id)
    assert (now.status, now.fault, now.ports) == (ServerStatus.ACTIVE, None, ())
    assert host.sim.machine.mishaps == []
    assert world.violations() == ()


def test_a_stopped_server_gets_and_gives_up_ports_for_its_next_boot(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", world.direct())
    world.engine.run(lambda tx: servers.stop(tx, server.id))
    host.settle()
    port_id = attach(world, server)
    detach(world, server, server.ports[0])
    host.settle()
    assert world.server(server.id).ports == (port_id,)
    world.engine.run(lambda tx: servers.start(tx, server.id))
    host.settle()
    assert world.server(server.id).status is ServerStatus.ACTIVE
    assert len(host.sim.machine.domains[name(server)].live_hostdevs) == 1
    assert world.violations() == ()


def test_a_setting_that_its_nic_refuses_fails_the_port_alone(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", world.direct())
    port_id = attach(world, server, max_mbps=100)
    host.sim.machine.troubles.refused_fields = frozenset({"max_rate_mbps"})
    host.settle()
    now = world.server(server.id)
    assert (now.status, now.fault and now.fault.code) == (ServerStatus.ACTIVE, "vf_setting_refused")
    assert status_of(world, server, port_id) is PortStatus.ERROR
    detach(world, server, port_id)
    host.settle()
    now = world.server(server.id)
    assert (now.status, now.fault, now.ports) == (ServerStatus.ACTIVE, None, server.ports)
    assert world.violations() == ()


def test_a_refused_attach_changes_nothing(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", world.direct(1))
    world.run_server(host, "all", world.direct(MANY))
    world.run_server(host, "rest", world.direct(MANY - 1))
    before = rows(world)
    with pytest.raises(
        Conflict, match=r"A new port cannot be attached to server web: .* 0 are free"
    ) as caught:
        attach(world, server)
    assert caught.value.code == "cannot_bind"
    assert rows(world) == before


@pytest.mark.parametrize("status", [ServerStatus.BUILD, ServerStatus.DELETING])
def test_a_server_that_is_not_there_yet_or_goes_gets_nothing(
    world: World, host: EnrolledHost, status: ServerStatus
) -> None:
    server = (
        world.boot("web", world.direct())
        if status is ServerStatus.BUILD
        else world.run_server(host, "w", world.direct())
    )
    if status is ServerStatus.DELETING:
        world.engine.run(lambda tx: servers.delete(tx, server.id))
    for act in (lambda: attach(world, server), lambda: detach(world, server, server.ports[0])):
        with pytest.raises(Conflict) as caught:
            act()
        assert caught.value.code == "wrong_state"


def test_what_is_not_there_is_not_found(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", world.direct())
    other = world.run_server(host, "other", world.direct())
    with pytest.raises(NotFound):
        detach(world, server, other.ports[0])
    with pytest.raises(Conflict, match="still in use"):
        attach(world, server, port_id=other.ports[0], network_id=None, vnic_type=VnicType.NORMAL)


def test_no_more_nics_than_a_guest_can_have(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", world.normal() * 32)
    with pytest.raises(InvalidValue, match="at most 32 NICs"):
        attach(world, server, vnic_type=VnicType.NORMAL)


def test_a_server_that_goes_while_a_port_is_on_its_way_off_takes_it_along(
    world: World, host: EnrolledHost
) -> None:
    server = world.run_server(host, "web", world.direct(2))
    host.sim.machine.troubles.deaf_guests = frozenset({name(server)})
    detach(world, server, server.ports[0])
    host.settle()
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    host.settle()
    with world.database.transaction() as tx:
        assert tx.servers.find() == ()
        assert tx.allocations.find() == ()
        assert tx.ports.find() == ()
    assert world.violations() == ()


def test_a_card_that_falls_out_takes_no_port_hostage(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", world.direct())
    device = device_of(world, server.ports[0])
    assert device is not None
    assert device.pf is not None
    detach(world, server, server.ports[0])
    host.sim.machine.pull(device.pf)
    host.settle()
    now = world.server(server.id)
    assert (now.status, now.ports) == (ServerStatus.ACTIVE, ())
    assert world.violations() == ()
    host.sim.machine.pfs[device.pf].is_present = True
    host.settle()
    with world.database.transaction() as tx:
        assert tx.devices.fetch(device.id).status is DeviceStatus.AVAILABLE


def test_a_dead_host_takes_leaving_ports_from_their_servers(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", world.direct(2))
    detach(world, server, server.ports[0])
    world.time.advance(3600)
    world.engine.run(lambda tx: dead_hosts.forget(tx, host.id))
    assert world.server(server.id).ports == server.ports[1:]
    assert world.violations() == ()


def test_a_port_of_another_server_is_not_detached(world: World, host: EnrolledHost) -> None:
    first = world.run_server(host, "web", world.direct())
    second = world.run_server(host, "db", world.direct())
    with pytest.raises(NotAttached, match=f"Port {first.ports[0]} is not attached to server db"):
        detach(world, second, first.ports[0])
    assert world.server(first.id).ports == first.ports


def test_a_port_that_waits_elsewhere_waits_no_longer_when_it_is_detached(
    world: World, host: EnrolledHost
) -> None:
    other = world.host("h2", 2)
    waiting = world.boot("web", world.direct(), host="h1")
    world.scheduler.tick()
    host.settle()
    server = world.server(waiting.id)
    world.engine.run(lambda tx: port_bindings.prepare(tx, server.ports[0], "h2"))
    detach(world, server, server.ports[0])
    host.settle()
    other.settle()
    with world.database.transaction() as tx:
        assert tx.allocations.find() == ()
        assert tx.bindings.find() == ()
    assert world.violations() == ()


def test_two_ports_that_a_guest_does_not_let_go_of_are_told_of_once(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", world.direct(2))
    host.sim.machine.troubles.deaf_guests = frozenset({name(server)})
    for port_id in server.ports:
        detach(world, server, port_id)
    for _ in range(4):
        host.settle()
        host.sim.clock.advance(301)
    found = world.server(server.id)
    assert found.fault is not None
    assert world.kinds(server.id).count("server_troubled") == 1


def test_a_tap_that_a_guest_does_not_let_go_of_keeps_its_port(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", world.normal())
    (port_id,) = server.ports
    host.sim.machine.troubles.deaf_guests = frozenset({name(server)})
    detach(world, server, port_id)
    for _ in range(2):
        host.settle()
        host.sim.clock.advance(301)
    assert world.server(server.id).ports == (port_id,)
    assert status_of(world, server, port_id) is PortStatus.ERROR
    host.sim.machine.troubles.deaf_guests = frozenset()
    host.settle()
    assert world.server(server.id).ports == ()
    assert world.violations() == ()


def test_a_host_that_does_not_know_of_a_port_yet_says_nothing_of_its_end(
    world: World, host: EnrolledHost
) -> None:
    server = world.run_server(host, "web", world.direct())
    port_id = attach(world, server, vnic_type=VnicType.NORMAL)
    detach(world, server, port_id)
    host.sim.clock.advance(301)
    before = len(host.link.reports)
    host.agent.tick()
    assert len(host.link.reports) > before
    assert port_id in world.server(server.id).ports
    host.settle()
    assert port_id not in world.server(server.id).ports
    assert world.violations() == ()


def test_a_server_is_paused_though_a_port_of_it_does_not_leave(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", world.direct(2))
    host.sim.machine.troubles.deaf_guests = frozenset({name(server)})
    detach(world, server, server.ports[0])
    host.settle()
    world.engine.run(lambda tx: server_power.pause(tx, server.id))
    host.settle()
    assert world.server(server.id).status is ServerStatus.PAUSED


def test_a_device_that_goes_with_its_card_while_its_port_leaves_is_missed_by_nobody(
    world: World, host: EnrolledHost
) -> None:
    server = world.run_server(host, "web", world.direct())
    (port_id,) = server.ports
    device = device_of(world, port_id)
    assert device is not None
    host.sim.machine.troubles.deaf_guests = frozenset({name(server)})
    detach(world, server, port_id)
    host.settle()
    host.sim.machine.pull(device.pf)
    host.settle()
    now = world.server(server.id)
    assert (now.status, now.ports) == (ServerStatus.ACTIVE, ())
    assert "server_failed" not in world.kinds(server.id)
    assert device_of(world, port_id) is None
    assert world.violations() == ()
