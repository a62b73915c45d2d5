"""Guests that a database does not know, because it is fresh or was restored: nothing of them is touched, nothing of
theirs is given away, and their operator may have them removed.
"""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from fairlead.control import dead_hosts, guest_removals, rebuilding, servers
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.errors import Conflict, NotFound
from fairlead.model.host import Host
from fairlead.model.ids import ServerId
from fairlead.model.pci import PciAddress
from fairlead.model.server import ServerStatus
from fairlead.model.vf import BASELINE
from fairlead.sim.fleet import SimHost
from tests.control_world import CALLER, EnrolledHost, World

STRANGER = ServerId("5e000000-0000-4000-8000-000000000099")


def copied(source: Path, target: Path) -> str:
    """The URL of a copy of the database, as it is now."""
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
    return f"sqlite:///{target}"


def row(world: World, host: EnrolledHost) -> Host:
    return world.engine.run(lambda tx: tx.hosts.fetch(host.id))


def device(world: World, host: EnrolledHost, address: PciAddress) -> Device:
    return world.engine.run(lambda tx: tx.devices.find(host_id=host.id, pci_address=address)[0])


def held(world: World, server_id: ServerId) -> PciAddress:
    """The address of the one device that the server has."""
    (allocation,) = world.engine.run(lambda tx: tx.allocations.find(server_id=server_id))
    return world.engine.run(lambda tx: tx.devices.fetch(allocation.device_id)).pci_address


def guests(sim: SimHost) -> dict[str, tuple[object, ...]]:
    """What the machine itself says of its guests: state, devices and these devices' settings, files, taps."""
    machine = sim.machine
    return {
        name: (
            domain.state,
            domain.live_hostdevs,
            [place[0].vfs[place[1]] for a in domain.hostdevs if (place := machine.vf_at(a))],
            domain.server_id in sim.disks.made,
            [tap for tap in domain.taps if tap in machine.virtual_links],
        )
        for name, domain in machine.domains.items()
    }


@pytest.fixture
def lost(world: World) -> EnrolledHost:
    """A host with a guest on a VF, one on a bridge, and one that is down, by a database that is no more."""
    world.policy()
    host = world.host()
    world.run_server(host, "web", world.direct())
    world.run_server(host, "bridged", world.normal())
    down = world.run_server(host, "down", world.direct())
    world.engine.run(lambda tx: servers.stop(tx, down.id))
    host.settle()
    assert len(guests(host.sim)) == 3
    return host


@pytest.fixture
def fresh() -> World:
    return World()


def test_a_fresh_database_leaves_every_guest_of_its_hosts_as_it_is(lost: EnrolledHost, fresh: World) -> None:
    before = guests(lost.sim)
    fresh.policy(num_vfs=4)
    host = fresh.host(sim=lost.sim)
    for _ in range(5):
        fresh.time.advance(10)
        host.settle()
    assert guests(host.sim) == before
    assert host.sim.machine.mishaps == []
    for domain in host.sim.machine.domains.values():
        for address in domain.hostdevs:
            found = device(fresh, host, address)
            assert found.status is DeviceStatus.FAULTY
            assert found.note == f"unnamed guest {domain.server_id} has it"
        assert any(
            hold.subject == domain.server_id
            and f"`fairlead host remove-guest h1 {domain.server_id}`" in hold.reason
            for hold in row(fresh, host).holds
        )
    assert fresh.violations() == ()


def test_a_server_of_a_fresh_database_gets_a_vf_that_no_guest_has(lost: EnrolledHost, fresh: World) -> None:
    before, taken = guests(lost.sim), {a for d in lost.sim.machine.domains.values() for a in d.hostdevs}
    fresh.policy()
    host = fresh.host(sim=lost.sim)
    server = fresh.run_server(host, "new", fresh.direct())
    assert fresh.server(server.id).status is ServerStatus.ACTIVE
    assert held(fresh, server.id) not in taken
    fresh.engine.run(lambda tx: servers.delete(tx, server.id))
    host.settle()
    assert guests(host.sim) == before


def test_a_restored_database_loses_no_guest_and_gives_nothing_of_it_away(tmp_path: Path) -> None:
    world = World(f"sqlite:///{tmp_path}/live")
    world.policy()
    host = world.host()
    old = world.run_server(host, "old", world.direct())
    copy = copied(tmp_path / "live", tmp_path / "copy")
    world.time.advance(30)
    host.settle()
    late = world.run_server(host, "late", world.direct())
    before, taken = guests(host.sim), held(world, late.id)

    world.reopen(copy)
    world.time.advance(60)
    host = EnrolledHost(world.engine, host.sim, host.id)
    host.agent.poll(0)
    hasty = world.boot("hasty", world.direct())
    world.scheduler.tick()
    assert world.server(hasty.id).host_id is None, (
        "before its first report nothing is known of the host's VFs"
    )
    host.settle()
    new = world.run_server(host, "new", world.direct())

    assert world.server(old.id).status is ServerStatus.ACTIVE
    assert world.server(new.id).status is ServerStatus.ACTIVE
    assert held(world, new.id) not in {taken, held(world, old.id)}
    assert {name: seen for name, seen in guests(host.sim).items() if name in before} == before
    assert device(world, host, taken).status is DeviceStatus.FAULTY
    assert host.sim.machine.mishaps == []
    assert world.violations() == ()
    world.close()


def test_a_guest_whose_server_is_known_again_goes_on(tmp_path: Path) -> None:
    world = World(f"sqlite:///{tmp_path}/live")
    world.policy()
    host = world.host()
    early = copied(tmp_path / "live", tmp_path / "early")
    server = world.run_server(host, "web", world.direct())
    late, starts = copied(tmp_path / "live", tmp_path / "late"), len(host.sim.hypervisor.starts)
    for copy in (early, late):
        world.reopen(copy)
        world.time.advance(60)
        host = EnrolledHost(world.engine, host.sim, host.id)
        host.settle()
    assert world.server(server.id).status is ServerStatus.ACTIVE
    assert row(world, host).holds == ()
    assert len(host.sim.hypervisor.starts) == starts
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    host.settle()
    assert guests(host.sim) == {}
    world.close()


def test_an_operator_has_an_unnamed_guest_removed_and_its_vf_is_offered(
    lost: EnrolledHost, fresh: World
) -> None:
    fresh.policy()
    host = fresh.host(sim=lost.sim)
    (name,) = (name for name, domain in host.sim.machine.domains.items() if domain.live_hostdevs)
    address, server_id = host.sim.machine.domains[name].hostdevs[0], ServerId(name.removeprefix("fl-"))
    others = {other: seen for other, seen in guests(host.sim).items() if other != name}
    for _ in range(2):
        fresh.engine.run(lambda tx: guest_removals.remove_guest(tx, host.id, server_id))
    host.settle()
    assert guests(host.sim) == others
    place = host.sim.machine.vf_at(address)
    assert place is not None
    assert place[0].vfs[place[1]] == BASELINE
    assert device(fresh, host, address).status is DeviceStatus.AVAILABLE
    assert row(fresh, host).removals == ()
    assert server_id not in {hold.subject for hold in row(fresh, host).holds}
    kinds = [event.kind for event in fresh.engine.run(lambda tx: tx.events(subject=host.id))]
    assert kinds.count("guest_removal_asked") == 1


def test_a_guest_of_a_server_is_not_removed_from_under_it(world: World) -> None:
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    with pytest.raises(Conflict, match="Delete the server instead") as refused:
        world.engine.run(lambda tx: guest_removals.remove_guest(tx, host.id, server.id))
    assert refused.value.code == "in_use"
    with pytest.raises(NotFound):
        world.engine.run(lambda tx: guest_removals.remove_guest(tx, host.id, STRANGER))


def test_what_else_is_held_back_is_no_guest_to_remove(world: World) -> None:
    world.policy(num_vfs=500)
    host = world.host()
    subjects = [hold.subject for hold in row(world, host).holds]
    assert subjects
    for subject in subjects:
        with pytest.raises(NotFound, match="Guest"):
            world.engine.run(
                lambda tx, s=subject: guest_removals.remove_guest(tx, host.id, ServerId(s))  # type: ignore[misc]
            )
    assert row(world, host).removals == ()


def test_a_guest_whose_server_comes_back_to_the_host_before_it_is_removed_is_not(world: World) -> None:
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    world.time.advance(60)
    world.engine.run(lambda tx: dead_hosts.forget(tx, host.id))
    again = world.host(sim=host.sim)
    world.engine.run(lambda tx: guest_removals.remove_guest(tx, again.id, server.id))
    world.engine.run(lambda tx: servers.reboot(tx, server.id, is_hard=True))
    world.scheduler.tick()
    assert world.server(server.id).host_id == again.id
    again.settle()
    assert row(world, again).removals == ()
    assert guests(again.sim).keys() == {f"fl-{server.id}"}
    assert world.server(server.id).status is ServerStatus.ACTIVE
    assert world.violations() == ()


def test_a_machine_that_was_declared_dead_and_comes_back_keeps_its_guests(world: World) -> None:
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    before = guests(host.sim)
    world.time.advance(60)
    world.engine.run(lambda tx: dead_hosts.forget(tx, host.id))
    again = world.host(sim=host.sim)
    assert again.id != host.id
    assert guests(again.sim) == before
    assert [hold.subject for hold in row(world, again).holds] == [server.id]
    # Its server lives on without a host: what is left of it here may go, and the server stays.
    world.engine.run(lambda tx: guest_removals.remove_guest(tx, again.id, server.id))
    again.settle()
    assert guests(again.sim) == {}
    assert world.server(server.id).status is ServerStatus.ERROR


@pytest.mark.parametrize("is_down", [False, True])
def test_a_restored_database_that_knows_nothing_of_a_rebuild_deletes_no_disk(
    tmp_path: Path, *, is_down: bool
) -> None:
    world = World(f"sqlite:///{tmp_path}/live")
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    if is_down:
        world.engine.run(lambda tx: servers.stop(tx, server.id))
        host.settle()
    copy = copied(tmp_path / "live", tmp_path / "copy")
    world.time.advance(30)
    wanted = rebuilding.RebuildServer(world.image_id)
    world.engine.run(lambda tx: rebuilding.rebuild(tx, CALLER, server.id, wanted))
    host.settle()
    disks = host.sim.disks.roots
    assert disks[server.id].serial == 2
    disks[server.id] = replace(disks[server.id], written=("dear",))

    world.reopen(copy)
    world.time.advance(60)
    host = EnrolledHost(world.engine, host.sim, host.id)
    host.settle()
    host.sim.clock.advance(61)
    host.settle()
    assert (disks[server.id].serial, disks[server.id].written) == (2, ("dear",))
    assert world.server(server.id).status is (ServerStatus.SHUTOFF if is_down else ServerStatus.ACTIVE)
    assert "server_disk_kept" in world.kinds(server.id)
    wanted = rebuilding.RebuildServer(world.image_id)
    world.engine.run(lambda tx: rebuilding.rebuild(tx, CALLER, server.id, wanted))
    host.settle()
    assert (disks[server.id].serial, disks[server.id].written) == (3, ())
    world.close()
