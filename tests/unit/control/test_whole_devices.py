"""PFs and plain devices given whole: placed, claimed, passed through, released, reset, and in nobody's way."""

from pathlib import Path

import pytest

from fairlead.control import explaining, servers
from fairlead.model.binding import Wiring
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.ids import PfKey
from fairlead.model.pci import DeviceKind, LinkLayer
from fairlead.model.policy import DeviceMatch
from fairlead.model.server import Server, ServerStatus
from tests.control_world import EnrolledHost, World


@pytest.fixture(params=["memory", "files"])
def host(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> EnrolledHost:
    """A host whose one data NIC has eight VFs; once more below the real kernel's adapter."""
    world.policy(match=DeviceMatch(name=("ens1f0",)))
    return world.host(root=tmp_path if request.param == "files" else None)


def pf_of(world: World) -> Device:
    with world.database.transaction() as tx:
        (found,) = [device for device in tx.devices.find(kind=DeviceKind.PF) if device.policy_id]
        return found


def vfs_of(world: World) -> list[DeviceStatus]:
    with world.database.transaction() as tx:
        return [device.status for device in tx.devices.find(kind=DeviceKind.VF)]


def fault_of(world: World, server: Server) -> str:
    found = world.server(server.id)
    assert (found.status is ServerStatus.ERROR) is (found.fault is not None)
    return found.fault.code if found.fault else ""


def wiring_of(world: World, server: Server) -> Wiring:
    (nic,) = world.view(server.id).nics
    assert nic.binding is not None
    return nic.binding.wiring


def remove(world: World, host: EnrolledHost, server: Server) -> None:
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    host.settle()
    with world.database.transaction() as tx:
        assert tx.servers.get(server.id) is None
        assert tx.allocations.find() == ()


def assert_sound(world: World, host: EnrolledHost) -> None:
    assert world.violations() == ()
    assert host.sim.machine.mishaps == []
    assert all(start.traces == {} for start in host.sim.hypervisor.starts)


def test_a_pf_is_given_whole_and_comes_back_with_its_vfs(world: World, host: EnrolledHost) -> None:
    before = pf_of(world)
    server = world.run_server(host, "nfv", (), flavor=world.whole(DeviceKind.PF))
    assert server.status is ServerStatus.ACTIVE, server.fault
    given = pf_of(world)
    assert given.status is DeviceStatus.ALLOCATED
    assert (given.key, given.name, given.mac, given.link_layer) == (
        before.key,
        "ens1f0",
        before.mac,
        LinkLayer.ETHERNET,
    )
    (domain,) = host.sim.machine.domains.values()
    assert domain.live_hostdevs == (before.pci_address,)
    assert "num_vfs_set" in {event.kind for report in host.link.reports for event in report.events}
    assert set(vfs_of(world)) == {DeviceStatus.MISSING}
    assert_sound(world, host)
    remove(world, host, server)
    freed = pf_of(world)
    assert (freed.status, freed.num_vfs, freed.kernel_driver) == (DeviceStatus.AVAILABLE, 8, "ice")
    assert vfs_of(world) == [DeviceStatus.AVAILABLE] * 8
    assert host.sim.machine.pfs[before.key].is_up  # type: ignore[index]
    assert_sound(world, host)
    assert world.run_server(host, "web", world.direct(8)).status is ServerStatus.ACTIVE


def test_a_held_vf_forbids_the_pf_and_a_held_pf_its_vfs(world: World, host: EnrolledHost) -> None:
    flavor = world.whole(DeviceKind.PF)
    small = world.run_server(host, "small", world.direct())
    refused = world.run_server(host, "nfv", (), flavor=flavor)
    assert refused.status is ServerStatus.ERROR
    assert refused.fault is not None
    assert "held by server small (port " in refused.fault.answer
    remove(world, host, small)
    world.engine.run(lambda tx: servers.reboot(tx, refused.id, is_hard=True))
    world.scheduler.tick()
    host.settle()
    assert world.server(refused.id).status is ServerStatus.ACTIVE
    late = world.run_server(host, "late", world.direct())
    assert late.status is ServerStatus.ERROR
    answer = world.engine.run(lambda tx: explaining.explain_server(tx, late.id))
    assert answer.rejecting[0].reasons[0].holders == ("server nfv (flavor request whole-pf-1)",)
    assert_sound(world, host)


def test_a_pf_that_a_guest_has_outlives_reboots_of_guest_agent_and_host(
    world: World, host: EnrolledHost
) -> None:
    server = world.run_server(host, "nfv", (), flavor=world.whole(DeviceKind.PF))
    host.agent = host.sim.agent(host.id, host.link)
    world.engine.run(lambda tx: servers.reboot(tx, server.id, is_hard=True))
    host.settle()
    assert world.server(server.id).status is ServerStatus.ACTIVE
    host.sim.machine.reboot()
    host.settle()
    assert world.server(server.id).status is ServerStatus.ACTIVE
    assert len(host.sim.machine.users()) == 1
    assert_sound(world, host)


def test_a_plain_device_is_reset_before_it_is_free(world: World, host: EnrolledHost) -> None:
    world.policy(name="gpu", match=DeviceMatch(vendor=("10de",)), num_vfs=None, physical_network=None)
    host.settle()
    flavor = world.whole(DeviceKind.PCI, vendor=("10de",))
    server = world.run_server(host, "ml", (), flavor=flavor)
    assert server.status is ServerStatus.ACTIVE
    host.sim.machine.troubles.hanging["reset_device"] = 3
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    for _ in range(2):
        host.agent.poll(0)
        host.agent.tick()
        with world.database.transaction() as tx:
            (gpu,) = tx.devices.find(vendor="10de")
            assert tx.servers.get(server.id) is not None
        assert gpu.status is DeviceStatus.FAULTY
        assert "reset_device" in gpu.note
        host.sim.clock.advance(120)
    host.settle()
    with world.database.transaction() as tx:
        assert tx.servers.get(server.id) is None
        assert tx.devices.find(vendor="10de")[0].status is DeviceStatus.AVAILABLE
    assert host.sim.machine.traces == {}
    assert world.run_server(host, "next", (), flavor=flavor).status is ServerStatus.ACTIVE
    assert_sound(world, host)


def test_a_plain_device_is_offered_only_once_a_policy_matches_it(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "ml", (), flavor=world.whole(DeviceKind.PCI, vendor=("10de",)))
    assert server.status is ServerStatus.ERROR
    assert server.fault is not None
    assert "no PCI device" in server.fault.answer


def test_a_pf_that_goes_and_comes_back_is_given_to_its_guest_as_that_runs(
    world: World, host: EnrolledHost
) -> None:
    server = world.run_server(host, "nfv", (), flavor=world.whole(DeviceKind.PF))
    key = PfKey(pf_of(world).key)
    host.sim.machine.pull(key)
    host.settle()
    assert pf_of(world).status is DeviceStatus.MISSING
    assert fault_of(world, server) == "device_missing"
    assert world.violations() == ()
    host.sim.machine.pfs[key].is_present = True
    host.settle()
    assert_sound(world, host)
    assert (world.server(server.id).status, world.server(server.id).fault) == (ServerStatus.ACTIVE, None)
    assert len(host.sim.hypervisor.starts) == 1
    assert pf_of(world).status is DeviceStatus.ALLOCATED
    assert_sound(world, host)
    remove(world, host, server)
    assert vfs_of(world) == [DeviceStatus.AVAILABLE] * 8


def test_a_vf_that_goes_and_comes_back_is_wired_and_given_again(world: World, host: EnrolledHost) -> None:
    """By a document that is newer than its return: what the VF had been told went with it."""
    server = world.run_server(host, "web", world.direct())
    key = PfKey(pf_of(world).key)
    host.sim.machine.pull(key)
    host.settle()
    assert wiring_of(world, server) is Wiring.FAILED
    host.sim.machine.pfs[key].is_present = True
    host.sim.clock.advance(120)
    host.agent.tick()
    assert wiring_of(world, server) is Wiring.PENDING
    assert world.violations() == ()
    host.settle()
    assert wiring_of(world, server) is Wiring.WIRED
    assert fault_of(world, server) == ""
    assert len(host.sim.hypervisor.starts) == 1
    assert_sound(world, host)
    remove(world, host, server)


def test_vfs_that_went_with_their_pf_are_no_trouble(world: World, host: EnrolledHost) -> None:
    """A server that is deleted while the PF it was given is away gives it up; its VFs come back with it."""
    server = world.run_server(host, "nfv", (), flavor=world.whole(DeviceKind.PF))
    key = PfKey(pf_of(world).key)
    host.sim.machine.pull(key)
    host.settle()
    remove(world, host, server)
    assert pf_of(world).status is DeviceStatus.MISSING
    host.sim.machine.pfs[key].is_present = True
    host.settle()
    assert pf_of(world).status is DeviceStatus.AVAILABLE
    assert vfs_of(world) == [DeviceStatus.AVAILABLE] * 8
    assert_sound(world, host)
