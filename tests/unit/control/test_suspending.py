"""Servers that are suspended: memory on disk, NICs given up and kept for them, whatever befalls them meanwhile."""

from dataclasses import replace

import pytest

from fairlead.control import attaching, server_power, servers
from fairlead.control.servers import WrongState
from fairlead.hoststate.observed import GuestState
from fairlead.model.errors import Conflict
from fairlead.model.pci import DeviceKind
from fairlead.model.policy import DeviceMatch
from fairlead.model.server import Power, ServerStatus
from fairlead.model.vf import BASELINE, differences


@pytest.fixture
def host(world):
    world.policy()
    return world.host()


@pytest.fixture
def running(world, host):
    return world.run_server(host, "web", (*world.direct(), *world.normal()))


@pytest.fixture
def server(world, host, running):
    """One with a VF and a tap, suspended."""
    world.engine.run(lambda tx: server_power.suspend(tx, running.id))
    host.settle()
    return world.server(running.id)


def resumed(world, host, server):
    world.engine.run(lambda tx: server_power.resume(tx, server.id))
    host.settle()
    return world.server(server.id)


def domain(host, server):
    return host.sim.machine.domains[f"fl-{server.id}"]


def held(world):
    return world.engine.run(lambda tx: tx.allocations.find())


def test_its_memory_is_saved_and_its_vf_stays_its_own(world, host, server):
    assert server.status is ServerStatus.SUSPENDED
    assert domain(host, server).state is GuestState.SAVED
    assert domain(host, server).live_hostdevs == ()
    [allocation] = held(world)
    device = world.engine.run(lambda tx: tx.devices.fetch(allocation.device_id))
    pf, index = host.sim.machine.vf_at(device.pci_address)
    assert differences(BASELINE, pf.vfs[index])
    assert world.violations() == ()


def test_it_goes_on_where_it_was_with_all_its_nics(world, host, server):
    before = held(world)
    found = resumed(world, host, server)
    assert (found.status, found.boot_serial) == (ServerStatus.ACTIVE, server.boot_serial)
    assert domain(host, server).reason == "restored"
    assert len(domain(host, server).live_hostdevs) == 1
    assert len(domain(host, server).live_taps) == 1
    assert held(world) == before
    assert len(host.sim.hypervisor.starts) == 1


def test_it_sleeps_through_a_boot_of_its_host(world, host, server):
    host.sim.machine.reboot()
    host.settle()
    assert world.server(server.id).status is ServerStatus.SUSPENDED
    assert domain(host, server).state is GuestState.SAVED
    assert resumed(world, host, server).status is ServerStatus.ACTIVE
    assert domain(host, server).reason == "restored"
    assert len(domain(host, server).live_hostdevs) == 1


def test_what_another_hand_wakes_is_saved_again(world, host, server):
    domain(host, server).boot()
    host.settle()
    assert domain(host, server).state is GuestState.SAVED
    assert world.server(server.id).status is ServerStatus.SUSPENDED


def test_a_guest_that_keeps_its_nic_runs_on_with_all_of_them(world, host, running):
    host.sim.machine.troubles.deaf_guests = frozenset({f"fl-{running.id}"})
    world.engine.run(lambda tx: server_power.suspend(tx, running.id))
    host.settle()
    found = world.server(running.id)
    assert (found.status, found.power) == (ServerStatus.ACTIVE, Power.RUNNING)
    assert len(domain(host, running).live_hostdevs) == 1
    assert "server_not_suspended" in world.kinds(running.id)


def test_a_guest_that_cannot_be_saved_gets_back_what_it_gave_up(world, host, running):
    host.sim.machine.troubles.hanging["save"] = 9
    world.engine.run(lambda tx: server_power.suspend(tx, running.id))
    host.settle()
    assert world.server(running.id).status is ServerStatus.ACTIVE
    assert domain(host, running).state is GuestState.RUNNING
    assert len(domain(host, running).live_hostdevs) == 1


def test_a_hard_reboot_forgets_what_was_saved(world, host, server):
    world.engine.run(lambda tx: servers.reboot(tx, server.id, is_hard=True))
    host.settle()
    assert world.server(server.id).status is ServerStatus.ACTIVE
    assert domain(host, server).reason == "booted"
    assert len(domain(host, server).live_hostdevs) == 1


def test_it_can_be_deleted_and_leaves_nothing(world, host, server):
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    host.settle()
    assert world.engine.run(lambda tx: tx.servers.find()) == ()
    assert held(world) == ()
    assert host.sim.machine.domains == {}


def test_one_whose_saved_memory_is_gone_is_shut_off(world, host, server):
    domain(host, server).go_down(GuestState.STOPPED, "by hand")
    host.settle()
    found = world.server(server.id)
    assert (found.status, found.power) == (ServerStatus.SHUTOFF, Power.STOPPED)


def test_its_domain_is_not_written_anew_under_what_was_saved(world, host, server):
    before = domain(host, server).xml
    world.engine.run(lambda tx: servers.update(tx, server.id, servers.ServerChanges(name="other")))
    host.settle()
    assert domain(host, server).xml == before
    assert resumed(world, host, server).status is ServerStatus.ACTIVE
    host.settle()
    assert "<title>other</title>" in domain(host, server).xml


def test_its_ports_stay_while_it_is_about_to_sleep(world, running):
    world.engine.run(lambda tx: server_power.suspend(tx, running.id))
    with pytest.raises(WrongState):
        world.engine.run(lambda tx: attaching.detach(tx, running.id, running.ports[1]))


def test_devices_that_are_no_nics_cannot_sleep(world, host):
    world.policy(name="gpus", match=DeviceMatch(vendor=("10de",)), num_vfs=None, physical_network=None)
    host.settle()
    flavor = world.whole(DeviceKind.PCI, vendor=("10de",))
    server = world.run_server(host, "gpu", (), flavor=flavor)
    assert server.status is ServerStatus.ACTIVE, server.fault
    with pytest.raises(Conflict, match="Pause or stop it instead"):
        world.engine.run(lambda tx: server_power.suspend(tx, server.id))
    assert world.server(server.id) == server


@pytest.mark.parametrize("kind", ["direct", "normal"])
def test_one_that_has_not_let_go_of_a_port_is_not_suspended(world, host, kind):
    running = world.run_server(host, "web", getattr(world, kind)())
    host.sim.machine.troubles.deaf_guests = frozenset({f"fl-{running.id}"})
    world.engine.run(lambda tx: attaching.detach(tx, running.id, running.ports[0]))
    host.settle()
    with pytest.raises(Conflict, match="gives up"):
        world.engine.run(lambda tx: server_power.suspend(tx, running.id))
    host.sim.machine.troubles.deaf_guests = frozenset()
    host.sim.clock.advance(120)
    host.settle()
    world.engine.run(lambda tx: server_power.suspend(tx, running.id))
    host.settle()
    assert world.server(running.id).status is ServerStatus.SUSPENDED


def test_one_that_cannot_go_on_keeps_the_taps_that_what_was_saved_names(world, host, server):
    vf_port, tap_port = server.ports
    host.sim.machine.troubles.hanging["start"] = 9
    assert resumed(world, host, server).status is ServerStatus.ERROR
    with pytest.raises(WrongState):
        world.engine.run(lambda tx: attaching.detach(tx, server.id, tap_port))
    world.engine.run(lambda tx: attaching.detach(tx, server.id, vf_port))
    host.sim.machine.troubles.hanging.clear()
    host.settle()
    host.sim.clock.advance(120)
    host.settle()
    now = world.server(server.id)
    assert (now.status, now.ports, now.boot_serial) == (ServerStatus.ACTIVE, (tap_port,), server.boot_serial)
    assert world.violations() == ()


def test_one_that_is_saved_stays_so_whatever_fails_of_its_vf_meanwhile(world, host, server):
    vf = next(row for row in held(world) if row.port_id == server.ports[0])
    address = world.engine.run(lambda tx: tx.devices.fetch(vf.device_id)).pci_address
    pf, index = host.sim.machine.vf_at(address)
    pf.vfs[index] = replace(pf.vfs[index], vlan=7)
    host.sim.machine.troubles.refused_fields = frozenset({"vlan"})
    host.settle()
    failed = world.server(server.id)
    assert (failed.status, failed.power) == (ServerStatus.ERROR, Power.SUSPENDED)
    assert domain(host, server).state is GuestState.SAVED
    host.sim.machine.troubles.refused_fields = frozenset()
    host.sim.clock.advance(61)
    host.settle()
    assert world.server(server.id).status is ServerStatus.SUSPENDED
