"""From a boot to a guest on its VF, and back to a VF that is nobody's."""

from dataclasses import replace

from fairlead.control import aliases, flavors, servers
from fairlead.model.binding import Wiring
from fairlead.model.device import DeviceStatus
from fairlead.model.pci import DeviceKind
from fairlead.model.policy import DeviceMatch
from fairlead.model.server import Power, ServerStatus
from fairlead.model.vf import BASELINE
from fairlead.sim.machine import Troubles
from tests.control_world import World


def test_a_server_gets_a_configured_vf_and_runs(world: World) -> None:
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct(max_mbps=500, vlan_priority=3))
    assert server.status is ServerStatus.ACTIVE
    assert server.launched_at is not None
    (nic,) = world.view(server.id).nics
    assert nic.binding is not None
    assert nic.binding.wiring is Wiring.WIRED
    assert nic.binding.vif_details["vlan"] == "100"
    assert nic.device is not None
    assert nic.device.status is DeviceStatus.ALLOCATED
    assert nic.binding.profile["pci_slot"] == nic.device.pci_address
    pf, index = host.sim.machine.vf_at(nic.device.pci_address) or (None, 0)
    assert pf is not None
    settings = pf.vfs[index]
    assert (settings.mac, settings.vlan, settings.vlan_priority) == (nic.port.mac, 100, 3)
    assert settings.max_rate_mbps == 500
    assert world.violations() == ()
    kinds = world.kinds(server.id)
    assert kinds[:3] == ["server_created", "server_placed", "devices_claimed"]
    assert {"port_wired", "server_active"} <= set(kinds)


def test_a_deleted_server_leaves_a_clean_free_vf(world: World) -> None:
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct(max_mbps=500))
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    assert world.server(server.id).status is ServerStatus.DELETING
    assert world.violations() == ()
    host.settle()
    with world.database.transaction() as tx:
        assert tx.servers.get(server.id) is None
        assert tx.allocations.find() == tx.bindings.find() == tx.ports.find() == tx.qos_policies.find() == ()
        devices = tx.devices.find(host_id=host.id, status=DeviceStatus.AVAILABLE)
        assert len([device for device in devices if device.vf_index is not None]) == 16
    assert all(vf == BASELINE for pf in host.sim.machine.pfs.values() for vf in pf.vfs.values())
    assert world.kinds(server.id)[-1] == "server_deleted"
    assert host.sim.machine.mishaps == []


def test_an_ordinary_nic_gets_a_tap(world: World) -> None:
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.normal())
    assert server.status is ServerStatus.ACTIVE
    (nic,) = world.view(server.id).nics
    assert nic.binding is not None
    assert nic.binding.vif_details["bridge_name"].startswith("flbr-")
    assert nic.device is None


def test_stop_start_and_reboot(world: World) -> None:
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    world.engine.run(lambda tx: servers.stop(tx, server.id))
    host.settle()
    assert world.server(server.id).status is ServerStatus.SHUTOFF
    world.engine.run(lambda tx: servers.start(tx, server.id))
    host.settle()
    assert world.server(server.id).status is ServerStatus.ACTIVE
    world.engine.run(lambda tx: servers.reboot(tx, server.id, is_hard=True))
    host.settle()
    again = world.server(server.id)
    assert (again.status, again.boot_serial) == (ServerStatus.ACTIVE, 3)
    assert world.violations() == ()


def test_a_guest_that_shuts_itself_down_stays_down(world: World) -> None:
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    host.sim.hypervisor.stop(server.id, is_graceful=True)
    host.settle()
    down = world.server(server.id)
    assert (down.status, down.power) == (ServerStatus.SHUTOFF, Power.STOPPED)
    assert "server_went_down" in world.kinds(server.id)
    world.engine.run(lambda tx: servers.start(tx, server.id))
    host.settle()
    assert world.server(server.id).status is ServerStatus.ACTIVE


def test_a_vf_that_refuses_a_setting_fails_the_port_and_the_server_and_heals(world: World) -> None:
    world.policy()
    host = world.host()
    host.sim.machine.troubles.refused_fields = frozenset({"vlan"})
    server = world.run_server(host, "web", world.direct())
    assert server.status is ServerStatus.ERROR
    assert server.fault is not None
    (nic,) = world.view(server.id).nics
    assert nic.binding is not None
    assert nic.binding.wiring is Wiring.FAILED
    assert nic.binding.failure == server.fault
    failures = [event for event in world.events(server.id) if event.is_failure]
    assert {event.kind for event in failures} == {"port_failed", "server_failed"}
    host.sim.machine.troubles.refused_fields = frozenset()
    host.sim.clock.advance(120)
    host.settle()
    healed = world.server(server.id)
    assert (healed.status, healed.fault) == (ServerStatus.ACTIVE, None)


def test_a_flavor_alias_gives_a_plain_device(world: World) -> None:
    world.policy(name="gpu", match=DeviceMatch(vendor=("10de",)), num_vfs=None, physical_network=None)
    host = world.host()
    world.engine.run(lambda tx: aliases.create(tx, aliases.NewAlias("gpu", DeviceKind.PCI, vendor=("10de",))))
    specs = {"pci_passthrough:alias": "gpu:1"}
    world.engine.run(lambda tx: flavors.create(tx, flavors.NewFlavor("g", 1, 512, 1, extra_specs=specs)))
    server = world.run_server(host, "ml", (), flavor="g")
    assert server.status is ServerStatus.ACTIVE
    with world.database.transaction() as tx:
        (allocation,) = tx.allocations.find(server_id=server.id)
        assert tx.devices.fetch(allocation.device_id).status is DeviceStatus.ALLOCATED
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    host.settle()
    with world.database.transaction() as tx:
        assert tx.servers.get(server.id) is None
        assert tx.devices.fetch(allocation.device_id).status is DeviceStatus.AVAILABLE


def test_a_vf_that_is_no_more_is_forgotten_once_no_binding_names_it(world: World) -> None:
    """Its server is going, another of its devices is not clean yet, and the host has fewer VFs by now."""
    world.policy(num_vfs=None)
    machine = (host := world.host()).sim.machine
    key = next(key for key, pf in machine.pfs.items() if pf.nic.name == "ens1f0")
    machine.recount(key, 2)
    host.settle()
    server = world.run_server(host, "web", world.direct(2))
    assert server.status is ServerStatus.ACTIVE
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    machine.recount(key, 1)
    pf = machine.pfs[key]
    pf.vfs[0] = replace(pf.vfs[0], trust=True)
    machine.troubles = Troubles(refused_fields=frozenset({"trust"}))
    host.settle()
    assert len(world.engine.run(lambda tx: tx.allocations.find())) == 1
    machine.troubles = Troubles()
    host.sim.clock.advance(61)  # type: ignore[attr-defined]
    host.settle()
    assert world.engine.run(lambda tx: tx.servers.find()) == ()
    host.agent.tick()
    assert len(world.engine.run(lambda tx: tx.devices.find(kind=DeviceKind.VF))) == 1
    assert world.violations() == ()
