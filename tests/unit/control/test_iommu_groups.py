"""Hosts whose devices share IOMMU groups, from claim to a running guest, and what people are told of them."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fairlead.control import attaching, explaining, policies, policy_trials
from fairlead.control.booting import BootServer
from fairlead.control.nics import BootNic
from fairlead.control.offering import Offer, offers
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.errors import Conflict
from fairlead.model.pci import DeviceKind, PciAddress
from fairlead.model.policy import DeviceMatch
from fairlead.model.port import VnicType
from fairlead.model.server import Server, ServerStatus
from fairlead.placement.boundary import ReasonCode
from fairlead.sim.fleet import sim_host
from fairlead.sim.hardware import Hardware, PlainDevice, behind_a_switch, two_socket_server
from tests.control_world import CALLER, EnrolledHost, World

NIC = DeviceMatch(name=("ens1f0",))
GPU, SOUND = PciAddress("0000:5e:00.0"), PciAddress("0000:5e:00.1")


def pairs(number: int) -> Hardware:
    return behind_a_switch(two_socket_server(number))


def one_for_all(number: int) -> Hardware:
    """A NIC without ACS: its PF and all its VFs are in one group."""
    whole = two_socket_server(number)
    nic = whole.nics[1]
    return replace(whole, shared_groups=((nic.pci_address, *(nic.vf_address(vf) for vf in range(8))),))


def with_sound(number: int) -> Hardware:
    """A GPU that nobody drives, with its sound function, which the host does."""
    whole = two_socket_server(number)
    sound = PlainDevice(SOUND, "10de", "228b", 0x040300, "snd_hda_intel", 0)
    return replace(whole, plain=(*whole.plain, sound), shared_groups=((GPU, SOUND),))


def host(world: World, built: Callable[[int], Hardware], **policy: object) -> EnrolledHost:
    if policy:
        world.policy(**policy)
    return world.host(sim=sim_host("h1", 1, built=built))


def macvtap(world: World) -> tuple[BootNic, ...]:
    return (BootNic(network_id=world.network_id, vnic_type=VnicType.MACVTAP),)


def attach(world: World, server: Server, nic: BootNic) -> None:
    world.engine.run(lambda tx: attaching.attach(tx, CALLER, server.id, nic))


def devices_of(world: World, server: Server) -> list[Device]:
    with world.database.transaction() as tx:
        return [tx.devices.fetch(row.device_id) for row in tx.allocations.find(server_id=server.id)]


def groups_of(world: World, server: Server) -> set[int | None]:
    return {device.iommu_group for device in devices_of(world, server)}


def standings(world: World) -> dict[str, Offer]:
    with world.database.transaction() as tx:
        devices = tx.devices.find()
        found = offers(tx, devices)
        return {device.pci_address: found[device.id] for device in devices}


def assert_sound(world: World, on: EnrolledHost) -> None:
    assert world.violations() == ()
    assert on.sim.machine.mishaps == []


def test_a_group_is_not_divided_among_servers(world):
    h1 = host(world, pairs, match=NIC, num_vfs=4)
    first, second = (world.run_server(h1, name, world.direct()) for name in ("web", "db"))
    third = world.run_server(h1, "late", world.direct())
    assert (first.status, second.status) == (ServerStatus.ACTIVE, ServerStatus.ACTIVE)
    assert groups_of(world, first).isdisjoint(groups_of(world, second))
    assert third.status is ServerStatus.ERROR
    assert third.fault is not None
    assert "whose IOMMU group is free" in third.fault.answer
    assert_sound(world, h1)


def test_a_server_gets_more_of_the_group_that_it_has(world):
    h1 = host(world, pairs, match=NIC, num_vfs=2)
    server = world.run_server(h1, "web", world.direct())
    attach(world, server, world.direct()[0])
    h1.settle()
    assert len(devices_of(world, server)) == 2
    assert all(device.status is DeviceStatus.ALLOCATED for device in devices_of(world, server))
    assert_sound(world, h1)


def test_a_group_is_free_again_with_the_last_of_it(world):
    h1 = host(world, pairs, match=NIC, num_vfs=2)
    server = world.run_server(h1, "web", world.direct(2))
    world.engine.run(lambda tx: attaching.detach(tx, server.id, server.ports[0]))
    h1.settle()
    assert world.run_server(h1, "db", world.direct()).status is ServerStatus.ERROR
    world.engine.run(lambda tx: attaching.detach(tx, server.id, server.ports[1]))
    h1.settle()
    assert world.run_server(h1, "cache", world.direct()).status is ServerStatus.ACTIVE
    assert_sound(world, h1)


def test_vfs_in_their_pfs_group_serve_macvtaps(world):
    h1 = host(world, one_for_all, match=NIC, num_vfs=2)
    refused = world.run_server(h1, "web", world.direct())
    assert refused.fault is not None
    assert "kept back by IOMMU groups: ens1f0 (0000:3b:00.0): the host's driver has 0000:3b:00.0" in str(
        answer(world, world.direct())
    )
    servers = [world.run_server(h1, name, macvtap(world)) for name in ("db", "cache")]
    assert [server.status for server in servers] == [ServerStatus.ACTIVE] * 2
    assert_sound(world, h1)


def answer(world: World, nics: tuple[BootNic, ...]) -> str:
    with world.database.transaction() as tx:
        flavor = tx.flavors.find(name="tiny")[0].id
    found = world.engine.run(
        lambda tx: explaining.explain_boot(tx, CALLER, BootServer("x", flavor, nics=nics))
    )
    (reason,) = found.rejecting[0].reasons
    assert reason.code is ReasonCode.IOMMU_GROUP
    return reason.message


def test_a_guest_that_has_a_vf_by_vfio_gets_no_macvtap_of_its_group(world):
    h1 = host(world, pairs, match=NIC, num_vfs=2)
    server = world.run_server(h1, "web", world.direct())
    with pytest.raises(Conflict, match="a guest has others of its VFs' IOMMU groups"):
        attach(world, server, macvtap(world)[0])


def test_what_a_group_keeps_back_says_so(world):
    h1 = host(world, pairs, match=NIC, num_vfs=2)
    world.run_server(h1, "web", world.direct())
    (held,) = devices_of(world, world.engine.run(lambda tx: tx.servers.find())[0])
    kept = standings(world)["0000:3b:01.1"]
    assert (held.pci_address, kept.is_offered, kept.standing) == ("0000:3b:01.0", False, "IOMMU_GROUP")
    assert kept.why_not == f"a server has 0000:3b:01.0, which is in its IOMMU group {held.iommu_group}"


def test_a_vf_for_macvtaps_alone_is_offered(world):
    host(world, one_for_all, match=NIC, num_vfs=2)
    assert standings(world)["0000:3b:01.0"] == Offer(is_offered=True, standing="AVAILABLE", why_not="")


def test_a_gpu_whose_sound_the_host_has_is_kept_back(world):
    h1 = host(world, with_sound, match=DeviceMatch(product=("20b5",)), num_vfs=None, physical_network=None)
    gpu = standings(world)[GPU]
    assert (gpu.is_offered, gpu.standing) == (False, "IOMMU_GROUP")
    assert "the host's driver has 0000:5e:00.1" in gpu.why_not
    flavor = world.whole(DeviceKind.PCI, product=("20b5",))
    assert world.run_server(h1, "render", (), flavor=flavor).status is ServerStatus.ERROR
    assert_sound(world, h1)


def test_a_trial_says_what_shares_a_group(world):
    host(world, with_sound)
    draft = policies.NewPolicy("gpus", DeviceMatch(product=("20b5",)))
    trial = world.engine.run(lambda tx: policy_trials.trial(tx, policies.draft(tx, draft)))
    assert "driver snd_hda_intel of the host has 0000:5e:00.1" in trial.families[0].note


def test_a_trial_says_that_vfs_serve_macvtaps_alone(world):
    host(world, one_for_all, match=NIC, num_vfs=2)
    draft = policies.NewPolicy("data", NIC, num_vfs=2, physical_network="physnet1")
    trial = world.engine.run(lambda tx: policy_trials.trial(tx, policies.draft(tx, draft)))
    assert "driver ice of the host has 0000:3b:00.0" in trial.families[0].note
    assert "macvtaps do" in trial.families[0].note
