"""A server becomes another size on its host: claimed, made, confirmed or taken back."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from fairlead.access.caller import Caller
from fairlead.control import dead_hosts, flavors, hosts, migrations, quotas, rebuilding, resizing, servers
from fairlead.control.flavors import NewFlavor
from fairlead.control.resize_window import confirm_due
from fairlead.hoststate.observed import GuestState
from fairlead.model.device import DeviceStatus
from fairlead.model.errors import Conflict, InvalidValue, NoValidHost, QuotaExceeded
from fairlead.model.host import HostAdmin
from fairlead.model.identity import Role
from fairlead.model.ids import DeviceId, FlavorId, ServerId
from fairlead.model.migration import MigrationStatus
from fairlead.model.pci import DeviceKind
from fairlead.model.policy import DeviceMatch
from fairlead.model.quota import Resource
from fairlead.model.server import Power, Server, ServerStatus
from fairlead.sim.domain import DomainState
from tests.control_world import CALLER, EnrolledHost, World

MEMBER = Caller(CALLER.project_id, "user", frozenset({Role.MEMBER, Role.READER}), "req-2")


@pytest.fixture
def host(world: World) -> EnrolledHost:
    world.policy()
    return world.host()


def flavor_of(world: World, name: str, **fields: object) -> FlavorId:
    """The flavor of that name, made if it is not there."""

    def find(tx) -> FlavorId:
        found = tx.flavors.find(name=name)
        return (found[0] if found else flavors.create(tx, NewFlavor(name, **fields))).id

    return world.engine.run(find)


def resize(world: World, server: Server, flavor: str, caller: Caller = CALLER, **fields: object) -> Server:
    flavor_id = flavor_of(world, flavor, **fields)
    return world.engine.run(lambda tx: resizing.resize(tx, caller, server.id, flavor_id))


def resized(world: World, host: EnrolledHost, server: Server, flavor: str, **fields: object) -> Server:
    resize(world, server, flavor, **fields)
    return settled(world, host, server)


def confirm(world: World, server: Server) -> Server:
    return world.engine.run(lambda tx: resizing.confirm(tx, server.id))


def revert(world: World, server: Server) -> Server:
    return world.engine.run(lambda tx: resizing.revert(tx, server.id))


def settled(world: World, host: EnrolledHost, server: Server) -> Server:
    host.settle()
    host.settle()
    assert world.violations() == ()
    assert host.sim.machine.mishaps == []
    return world.server(server.id)


def statuses(world: World) -> list[MigrationStatus]:
    return [view.status for view in world.engine.run(migrations.find)]


def write(host: EnrolledHost, server: Server, word: str) -> None:
    """The guest writes to its disk."""
    disk = host.sim.disks.roots[server.id]
    host.sim.disks.roots[server.id] = replace(disk, written=(*disk.written, word))


def disk_of(host: EnrolledHost, server: Server) -> tuple[int, tuple[str, ...]]:
    disk = host.sim.disks.roots[server.id]
    return disk.gib, disk.written


def devices_of(world: World, server_id: ServerId) -> dict[DeviceId, DeviceStatus]:
    with world.database.transaction() as tx:
        held = [allocation.device_id for allocation in tx.allocations.find(server_id=server_id)]
        return {device.id: device.status for device in tx.devices.find(id=tuple(held))}


def used(world: World, host: EnrolledHost) -> tuple[int, int, int]:
    """vCPUs, MiB and GiB that the host's servers hold."""
    with world.database.transaction() as tx:
        found: Iterable[Server] = tx.servers.find(host_id=host.id)
        return (
            sum(server.held_vcpus for server in found),
            sum(server.held_memory_mib for server in found),
            sum(server.held_disk_gib for server in found),
        )


def test_a_server_becomes_another_size_on_its_own_vfs_and_is_confirmed(
    world: World, host: EnrolledHost
) -> None:
    server = world.run_server(host, "web", world.direct(2))
    ports = devices_of(world, server.id)
    write(host, server, "before")
    asked = resize(world, server, "small")
    assert asked.status is ServerStatus.RESIZE
    assert statuses(world) == [MigrationStatus.MIGRATING]
    waiting = settled(world, host, server)
    assert (waiting.status, waiting.flavor.name) == (ServerStatus.VERIFY_RESIZE, "small")
    assert statuses(world) == [MigrationStatus.FINISHED]
    assert devices_of(world, server.id) == ports
    (domain,) = host.sim.machine.domains.values()
    assert (domain.is_up, "<memory unit='MiB'>2048<" in domain.xml.replace('"', "'")) == (True, True)
    assert disk_of(host, server) == (20, ("before",))
    assert host.sim.disks.kept() == {server.id: (waiting.resize.migration_id,)}
    assert used(world, host) == (1, 2048, 21)
    confirmed = confirm(world, server)
    assert (confirmed.status, confirmed.resize) == (ServerStatus.ACTIVE, None)
    settled(world, host, server)
    assert host.sim.disks.kept() == {}
    assert disk_of(host, server) == (20, ("before",))
    assert used(world, host) == (1, 2048, 20)
    assert statuses(world) == [MigrationStatus.CONFIRMED]


def test_reverting_gives_back_size_and_disk_as_they_were(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", world.direct())
    write(host, server, "before")
    resized(world, host, server, "small")
    write(host, server, "after")
    assert revert(world, server).status is ServerStatus.REVERT_RESIZE
    assert statuses(world) == [MigrationStatus.REVERTING]
    back = settled(world, host, server)
    assert (back.status, back.flavor.name, back.resize) == (ServerStatus.ACTIVE, "tiny", None)
    assert disk_of(host, server) == (1, ("before",))
    assert host.sim.disks.kept() == {}
    assert used(world, host) == (1, 512, 1)
    assert statuses(world) == [MigrationStatus.REVERTED]


@pytest.mark.parametrize("word", [confirm, revert])
def test_a_server_that_is_down_stays_down(
    world: World, host: EnrolledHost, word: Callable[[World, Server], Server]
) -> None:
    server = world.run_server(host, "web", world.direct())
    world.engine.run(lambda tx: servers.stop(tx, server.id))
    settled(world, host, server)
    starts = len(host.sim.hypervisor.starts)
    waiting = resized(world, host, server, "small")
    assert waiting.status is ServerStatus.VERIFY_RESIZE
    word(world, server)
    done = settled(world, host, server)
    assert done.status is ServerStatus.SHUTOFF
    assert done.flavor.name == ("small" if word is confirm else "tiny")
    assert host.sim.disks.roots[server.id].gib == done.flavor.disk_gib
    assert host.sim.disks.kept() == {}
    assert len(host.sim.hypervisor.starts) == starts
    world.engine.run(lambda tx: servers.start(tx, server.id))
    assert settled(world, host, server).status is ServerStatus.ACTIVE


def test_devices_of_both_flavors_are_held_until_it_is_confirmed(world: World, host: EnrolledHost) -> None:
    with_pci = world.whole(DeviceKind.PCI, vendor=("10de",))
    world.policy(name="gpus", match=DeviceMatch(vendor=("10de",)), num_vfs=None, physical_network=None)
    host.settle()
    server = world.run_server(host, "calc", world.direct(), flavor=with_pci)
    assert server.status is ServerStatus.ACTIVE, server.fault
    before = devices_of(world, server.id)
    waiting = resized(world, host, server, "small")
    assert waiting.status is ServerStatus.VERIFY_RESIZE, waiting.fault
    assert devices_of(world, server.id).keys() == before.keys()
    assert len(waiting.resize.aside) == 1
    (domain,) = host.sim.machine.domains.values()
    assert len(domain.live_hostdevs) == 1
    revert(world, server)
    back = settled(world, host, server)
    assert back.status is ServerStatus.ACTIVE
    assert devices_of(world, server.id) == before
    (domain,) = host.sim.machine.domains.values()
    assert len(domain.live_hostdevs) == 2
    resized(world, host, server, "small")
    confirm(world, server)
    settled(world, host, server)
    assert len(devices_of(world, server.id)) == 1
    with world.database.transaction() as tx:
        assert {d.status for d in tx.devices.find(kind=DeviceKind.PCI) if d.policy_id} == {
            DeviceStatus.AVAILABLE
        }


def test_devices_that_the_new_flavor_adds_are_given_up_when_it_goes_back(
    world: World, host: EnrolledHost
) -> None:
    world.policy(name="gpus", match=DeviceMatch(vendor=("10de",)), num_vfs=None, physical_network=None)
    host.settle()
    server = world.run_server(host, "calc", world.direct())
    before = devices_of(world, server.id)
    waiting = resized(world, host, server, world.whole(DeviceKind.PCI, vendor=("10de",)))
    assert waiting.status is ServerStatus.VERIFY_RESIZE, waiting.fault
    assert set(devices_of(world, server.id).values()) == {DeviceStatus.ALLOCATED}
    assert len(devices_of(world, server.id)) == 2
    revert(world, server)
    assert devices_of(world, server.id) == before
    assert settled(world, host, server).status is ServerStatus.ACTIVE
    with world.database.transaction() as tx:
        assert {d.status for d in tx.devices.find(kind=DeviceKind.PCI) if d.policy_id} == {
            DeviceStatus.AVAILABLE
        }


def test_a_guest_that_cannot_be_started_so_is_an_error_that_can_be_taken_back(
    world: World, host: EnrolledHost
) -> None:
    server = world.run_server(host, "web", world.direct())
    host.sim.machine.troubles.hanging["start"] = 99
    failed = resized(world, host, server, "small")
    assert failed.status is ServerStatus.ERROR
    assert failed.fault is not None
    assert statuses(world) == [MigrationStatus.ERROR]
    host.sim.machine.troubles.hanging.clear()
    revert(world, server)
    assert settled(world, host, server).status is ServerStatus.ACTIVE
    assert disk_of(host, server) == (1, ())


def test_one_that_waits_for_a_stranger_is_called_failed_and_taken_back(
    world: World, host: EnrolledHost
) -> None:
    world.policy(name="gpus", match=DeviceMatch(vendor=("10de",)), num_vfs=None, physical_network=None)
    host.settle()
    server = world.run_server(host, "calc", world.direct())
    resize(world, server, world.whole(DeviceKind.PCI, vendor=("10de",)))
    with world.database.transaction() as tx:
        (taken,) = (d.pci_address for d in tx.devices.find(kind=DeviceKind.PCI, status=DeviceStatus.CLAIMED))
    host.sim.machine.domains["theirs"] = DomainState(
        "theirs", None, "", 0, (taken,), (), "", GuestState.RUNNING, live_hostdevs=(taken,)
    )
    waiting = settled(world, host, server)
    assert (waiting.status, waiting.fault and waiting.fault.code) == (ServerStatus.RESIZE, "held_back")
    world.engine.run(lambda tx: servers.reset_state(tx, server.id, is_error=True))
    revert(world, server)
    assert settled(world, host, server).status is ServerStatus.ACTIVE


def test_what_the_host_has_no_room_for_is_refused_with_the_reason(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", world.direct())
    with pytest.raises(NoValidHost, match=r"host h1 .*vCPUs"):
        resize(world, server, "huge", vcpus=10_000, memory_mib=1024, disk_gib=1)
    with pytest.raises(NoValidHost, match="lacks") as told:
        resize(world, server, "huge", MEMBER)
    assert "h1" not in told.value.message
    assert world.server(server.id) == server
    assert statuses(world) == []


def test_hosts_that_have_the_room_are_named(world: World, host: EnrolledHost) -> None:
    with world.database.transaction() as tx:
        capacity = tx.hosts.fetch(host.id).capacity
    half = capacity.vcpus // 2 + 1
    flavor_of(world, "half", vcpus=half, memory_mib=512, disk_gib=1)
    server = world.run_server(host, "web", world.direct())
    world.run_server(host, "other", (), flavor="half")
    world.host("h2", 2)
    with pytest.raises(NoValidHost, match="would fit on h2"):
        resize(world, server, "half")


@pytest.mark.parametrize(
    ("name", "fields", "told"),
    [
        ("tiny", {}, "another flavor"),
        ("flat", {"vcpus": 1, "memory_mib": 512, "disk_gib": 0}, "resized down"),
    ],
)
def test_flavors_that_cannot_be_are_refused(
    world: World, host: EnrolledHost, name: str, fields: dict[str, int], told: str
) -> None:
    server = world.run_server(host, "web", ())
    with pytest.raises(InvalidValue, match=told):
        resize(world, server, name, **fields)
    with pytest.raises(InvalidValue, match="a flavor that is there"):
        world.engine.run(lambda tx: resizing.resize(tx, CALLER, server.id, FlavorId("none")))


def test_the_larger_of_both_sizes_counts_for_the_quota(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", ())
    world.engine.run(lambda tx: quotas.limit(tx, CALLER.project_id, {Resource.RAM: 2047}, is_forced=False))
    with pytest.raises(QuotaExceeded, match="Requested 1536, but already used 512 of 2047"):
        resize(world, server, "small")
    world.engine.run(lambda tx: quotas.limit(tx, CALLER.project_id, {Resource.RAM: 2048}, is_forced=False))
    resized(world, host, server, "small")
    revert(world, server)
    with world.database.transaction() as tx:
        assert quotas.used(tx, CALLER.project_id, (Resource.RAM,)) == {Resource.RAM: 2048}
    settled(world, host, server)
    with world.database.transaction() as tx:
        assert quotas.used(tx, CALLER.project_id, (Resource.RAM,)) == {Resource.RAM: 512}


def test_what_is_not_possible_while_it_waits_for_its_owners_word(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", ())
    for word in (confirm, revert):
        with pytest.raises(Conflict, match="while it is ACTIVE"):
            word(world, server)
    resized(world, host, server, "small")
    for act in (servers.stop, servers.start):
        with pytest.raises(Conflict, match="VERIFY_RESIZE"):
            world.engine.run(lambda tx, act=act: act(tx, server.id))
    with pytest.raises(Conflict, match="VERIFY_RESIZE"):
        resize(world, server, "medium")
    with pytest.raises(Conflict, match="neither confirmed nor reverted"):
        world.engine.run(lambda tx: servers.reset_state(tx, server.id, is_error=False))


@pytest.mark.parametrize("is_made", [False, True])
def test_a_server_is_deleted_whatever_its_resize_does(
    world: World, host: EnrolledHost, *, is_made: bool
) -> None:
    server = world.run_server(host, "web", world.direct())
    resize(world, server, "small")
    if is_made:
        settled(world, host, server)
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    host.settle()
    host.settle()
    with world.database.transaction() as tx:
        assert tx.servers.get(server.id) is None
        assert tx.allocations.find() == ()
    assert host.sim.disks.guests() == ()
    assert host.sim.disks.kept() == {}
    assert statuses(world) == [MigrationStatus.CONFIRMED if is_made else MigrationStatus.ERROR]
    assert world.violations() == ()


def test_a_guest_that_goes_down_by_itself_waits_for_its_owners_word_still(
    world: World, host: EnrolledHost
) -> None:
    server = world.run_server(host, "web", world.direct())
    resized(world, host, server, "small")
    host.sim.hypervisor.stop(server.id, is_graceful=True)
    down = settled(world, host, server)
    assert down.status is ServerStatus.VERIFY_RESIZE
    assert confirm(world, server).status is ServerStatus.SHUTOFF
    assert settled(world, host, server).status is ServerStatus.SHUTOFF


def test_what_went_down_with_its_new_size_runs_again_with_its_old_one(
    world: World, host: EnrolledHost
) -> None:
    server = world.run_server(host, "web", world.direct())
    resized(world, host, server, "small")
    host.sim.hypervisor.stop(server.id, is_graceful=True)
    assert settled(world, host, server).power is Power.STOPPED
    revert(world, server)
    back = settled(world, host, server)
    assert (back.status, back.power) == (ServerStatus.ACTIVE, Power.RUNNING)


def test_a_resize_of_which_nobody_says_a_word_stands_after_a_while(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", world.direct())
    resized(world, host, server, "small")
    window = timedelta(minutes=5)
    confirm_due(world.engine, window)
    assert world.server(server.id).status is ServerStatus.VERIFY_RESIZE
    world.time.advance(window.total_seconds())
    confirm_due(world.engine, window)
    assert settled(world, host, server).status is ServerStatus.ACTIVE
    assert statuses(world) == [MigrationStatus.CONFIRMED]


def test_a_host_that_takes_no_new_servers_serves_those_it_has(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", world.direct())
    world.engine.run(lambda tx: hosts.update(tx, host.id, hosts.HostChanges(admin=HostAdmin.DISABLED)))
    assert resized(world, host, server, "small").status is ServerStatus.VERIFY_RESIZE


def test_what_failed_to_become_another_size_is_not_rebuilt(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", world.direct())
    host.sim.machine.troubles.hanging["start"] = 99
    assert resized(world, host, server, "small").status is ServerStatus.ERROR
    wanted = rebuilding.RebuildServer(world.image_id)
    with pytest.raises(Conflict, match="rebuild"):
        world.engine.run(lambda tx: rebuilding.rebuild(tx, CALLER, server.id, wanted))


def test_a_server_whose_host_is_gone_has_no_size_to_go_back_to(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", world.direct())
    resized(world, host, server, "small")
    world.time.advance(60)
    world.engine.run(lambda tx: dead_hosts.forget(tx, host.id))
    lost = world.server(server.id)
    assert (lost.status, lost.resize, lost.flavor.name) == (ServerStatus.ERROR, None, "small")
    assert statuses(world) == [MigrationStatus.CONFIRMED]
    other = world.host("h2", 2)
    world.engine.run(lambda tx: servers.reboot(tx, server.id, is_hard=True))
    world.scheduler.tick()
    assert settled(world, other, server).status is ServerStatus.ACTIVE
    assert used(world, other) == (1, 2048, 20)
    assert other.sim.disks.kept() == {}


def test_the_disk_as_it_was_takes_room_beside_the_one_that_grows(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "web", ())
    with world.database.transaction() as tx:
        capacity = tx.hosts.fetch(host.id).capacity
    assert capacity is not None
    with pytest.raises(NoValidHost, match="disk"):
        resize(world, server, "whole", vcpus=1, memory_mib=512, disk_gib=capacity.disk_gib)
    less = capacity.disk_gib - server.flavor.disk_gib
    resize(world, server, "all-but", vcpus=1, memory_mib=512, disk_gib=less)


def test_the_rate_that_a_port_is_promised_is_its_own_to_go_on_with(world: World) -> None:
    world.policy(egress_mbps=1000)
    host = world.host()
    server = world.run_server(host, "web", world.direct(min_mbps=800))
    assert resized(world, host, server, "small").status is ServerStatus.VERIFY_RESIZE
