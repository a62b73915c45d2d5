"""What is refused of a report costs the server or device that it is about, and no other, on every database."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
from structlog.testing import capture_logs

from fairlead.agent.reporter import WHOLE_EVERY_SECONDS
from fairlead.control import assignments, attaching, reports, servers
from fairlead.control.report_parts import REFUSED
from fairlead.hoststate.observed import GuestState
from fairlead.hoststate.report import Report, SubjectFailure
from fairlead.model.binding import Wiring
from fairlead.model.device import DeviceStatus
from fairlead.model.errors import Failure
from fairlead.model.host import Hold
from fairlead.model.server import Power, Server, ServerStatus
from fairlead.wire.documents import Receipt
from tests.control_world import EnrolledHost, World
from tests.refused_rows import refer_to_port, refuse, refuse_no_more


@pytest.fixture
def url(database_url: str) -> str:
    return database_url


@pytest.fixture
def world(url: str) -> Iterator[World]:
    made = World(url)
    made.policy()
    yield made
    made.close()


@pytest.fixture
def host(world: World) -> EnrolledHost:
    return world.host()


def holds(world: World, host: EnrolledHost) -> tuple[Hold, ...]:
    return world.engine.run(lambda tx: tx.hosts.fetch(host.id)).holds


def wiring(world: World, server: Server) -> Wiring:
    (nic,) = world.view(server.id).nics
    assert nic.binding is not None
    return nic.binding.wiring


def device_id(world: World, server: Server) -> str:
    (nic,) = world.view(server.id).nics
    assert nic.device is not None
    return nic.device.id


def apply(world: World, host: EnrolledHost, report: Report) -> Receipt:
    return world.engine.run(lambda tx: reports.apply(tx, host.id, report))


def without_vfs(host: EnrolledHost) -> Report:
    """The host's next report, of a host that has lost all its VFs."""
    last = host.link.reports[-1]
    pfs = tuple(replace(pf, vfs=()) for pf in last.observed.pfs)
    return replace(last, serial=last.serial + 1, observed=replace(last.observed, pfs=pfs))


def told_whole(host: EnrolledHost) -> None:
    host.sim.clock.advance(WHOLE_EVERY_SECONDS)  # type: ignore[attr-defined]
    host.settle()


def booted(world: World, *names: str) -> list[Server]:
    made = [world.boot(name, world.direct()) for name in names]
    world.scheduler.tick()
    return made


@pytest.mark.parametrize("table", ["bindings", "devices", "servers"])
def test_of_two_servers_that_come_up_one_cannot_be_written(
    world: World, host: EnrolledHost, url: str, table: str
) -> None:
    sick, well = booted(world, "sick", "well")
    column, value = {
        "bindings": ("port_id", sick.ports[0]),
        "devices": ("id", device_id(world, sick)),
        "servers": ("id", sick.id),
    }[table]
    refuse(url, table, column, value)
    with capture_logs() as logs:
        host.settle()
    assert world.server(well.id).status is ServerStatus.ACTIVE
    assert wiring(world, well) is Wiring.WIRED
    assert wiring(world, sick) is Wiring.PENDING
    assert world.server(sick.id).guest_state == ""
    (hold,) = holds(world, host)
    assert hold.subject == "server sick"
    assert "was refused (stale)" in hold.reason
    assert {log["server_id"] for log in logs if log["event"] == "report_part_refused"} == {sick.id}
    found = world.server(sick.id)
    if table == "servers":
        assert found.fault is None
        assert any(log["event"] == "fault_refused" for log in logs)
    else:
        assert found.status is ServerStatus.ERROR
        assert found.fault is not None
        assert (found.fault.code, found.fault.doing) == (REFUSED, "Applying")
        assert world.kinds(sick.id).count("server_failed") == 1
    assert world.violations() == ()


def test_it_goes_on_by_itself_once_nothing_is_in_the_way(world: World, host: EnrolledHost, url: str) -> None:
    sick, _ = booted(world, "sick", "well")
    refuse(url, "bindings", "port_id", sick.ports[0])
    host.settle()
    told_whole(host)
    assert world.server(sick.id).status is ServerStatus.ERROR
    assert world.kinds(sick.id).count("server_failed") == 1
    refuse_no_more(url)
    told_whole(host)
    healed = world.server(sick.id)
    assert (healed.status, healed.fault) == (ServerStatus.ACTIVE, None)
    assert holds(world, host) == ()
    assert world.violations() == ()


def test_one_that_runs_stays_what_it_is_and_says_so_while_it_is_so(
    world: World, host: EnrolledHost, url: str
) -> None:
    server = world.run_server(host, "web", world.direct())
    refuse(url, "bindings", "port_id", server.ports[0])
    assert apply(world, host, without_vfs(host)).is_taken
    found = world.server(server.id)
    assert (found.status, found.fault and found.fault.code) == (ServerStatus.ACTIVE, REFUSED)
    device = world.view(server.id).nics[0].device
    assert device is not None
    assert device.status is DeviceStatus.ALLOCATED
    assert world.violations() == ()
    refuse_no_more(url)
    told_whole(host)
    assert world.server(server.id).fault is None


def test_a_port_that_cannot_go_keeps_its_server_alone(world: World, host: EnrolledHost, url: str) -> None:
    sick, well = (world.run_server(host, name, world.direct()) for name in ("sick", "well"))
    refer_to_port(url, sick.ports[0])
    for server in (sick, well):
        world.engine.run(partial(servers.delete, server_id=server.id))
    host.settle()
    with world.database.transaction() as tx:
        assert tx.servers.get(well.id) is None
        assert [row.server_id for row in tx.allocations.find()] == [sick.id]
    found = world.server(sick.id)
    assert found.status is ServerStatus.DELETING
    assert found.fault is not None
    assert "that its guest is gone was refused (in_use)" in found.fault.answer
    assert world.violations() == ()


def test_a_port_that_cannot_be_detached_keeps_its_server_alone(
    world: World, host: EnrolledHost, url: str
) -> None:
    sick, well = (world.run_server(host, name, world.direct()) for name in ("sick", "well"))
    refer_to_port(url, sick.ports[0])
    for server in (sick, well):
        world.engine.run(partial(attaching.detach, server_id=server.id, port_id=server.ports[0]))
    host.settle()
    assert world.server(well.id).ports == ()
    found = world.server(sick.id)
    assert found.ports == sick.ports
    assert (found.status, found.fault and found.fault.code) == (ServerStatus.ACTIVE, REFUSED)
    assert world.violations() == ()


def test_a_status_that_has_no_such_step_is_its_servers_alone(world: World, host: EnrolledHost) -> None:
    sick, well = (world.run_server(host, name, world.direct()) for name in ("sick", "well"))
    with world.database.transaction() as tx:
        row = tx.servers.fetch(sick.id)
        tx.servers.put(replace(row, status=ServerStatus.SHUTOFF, power=Power.PAUSED))
    last = host.link.reports[-1]
    guests = tuple(
        replace(guest, state=GuestState.PAUSED if guest.server_id == sick.id else GuestState.CRASHED)
        for guest in last.observed.guests
    )
    seen = replace(last.observed, guests=guests)
    report = replace(last, serial=last.serial + 1, observed=seen)
    assert apply(world, host, report).is_taken
    assert world.server(well.id).status is ServerStatus.SHUTOFF
    found = world.server(sick.id)
    assert (found.status, found.guest_state) == (ServerStatus.ERROR, "running")
    assert found.fault is not None
    assert "the state of its guest was refused (wrong_state)" in found.fault.answer


def test_a_device_that_nobody_holds_is_its_hosts_alone(world: World, host: EnrolledHost, url: str) -> None:
    server = world.run_server(host, "web", world.direct())
    with world.database.transaction() as tx:
        vfs = [device for device in tx.devices.find(status=DeviceStatus.AVAILABLE) if device.pf is not None]
    refuse(url, "devices", "id", vfs[0].id)
    assert apply(world, host, without_vfs(host)).is_taken
    with world.database.transaction() as tx:
        now = {device.id: device for device in tx.devices.find()}
    assert now[vfs[0].id] == vfs[0]
    assert {now[vf.id].status for vf in vfs[1:]} == {DeviceStatus.MISSING}
    assert world.server(server.id).status is ServerStatus.ERROR
    (hold,) = holds(world, host)
    assert vfs[0].pci_address in hold.subject
    refuse_no_more(url)
    told_whole(host)
    assert holds(world, host) == ()
    assert world.server(server.id).status is ServerStatus.ACTIVE


@pytest.mark.parametrize("what", ["a new one", "a known one"])
def test_a_pf_that_is_left_out_takes_its_vfs_with_it(world: World, url: str, what: str) -> None:
    """A VF's row names its PF's."""
    host = world.host()
    last = host.link.reports[-1]
    named = replace(last.observed.pfs[0], name="a\0b" if url.startswith("postgresql") else "a\ud800b")
    if what == "a new one":
        with world.database.transaction() as tx:
            for device in reversed(tx.devices.find(host_id=host.id)):
                if device.pf == named.key:
                    tx.devices.remove(device.id)
    before = world.engine.run(lambda tx: tx.devices.find())
    seen = replace(last.observed, pfs=(named, *last.observed.pfs[1:]))
    assert apply(world, host, replace(last, serial=last.serial + 1, observed=seen)).is_taken
    assert world.engine.run(lambda tx: tx.devices.find()) == before
    assert len(holds(world, host)) == 1
    told_whole(host)
    assert holds(world, host) == ()


def test_neither_agent_nor_control_spins_over_it(world: World, host: EnrolledHost, url: str) -> None:
    sick, _ = booted(world, "sick", "well")
    refuse(url, "bindings", "port_id", sick.ports[0])
    host.settle()
    before = world.engine.run(lambda tx: tx.hosts.fetch(host.id)), world.server(sick.id)
    count, beats = len(host.link.reports), len(host.link.heartbeats)
    for _ in range(12):
        host.sim.clock.advance(10)  # type: ignore[attr-defined]
        host.agent.tick()
    assert len(host.link.reports) - count <= 1
    assert len(host.link.heartbeats) - beats >= 11
    after = world.engine.run(lambda tx: tx.hosts.fetch(host.id))
    assert (after.generation, after.revision) == (before[0].generation, before[0].revision)
    assert world.server(sick.id) == before[1]
    told = world.engine.run(lambda tx: assignments.assignment(tx, host.id, after.generation))
    assert told.desired is None


def test_what_is_a_fault_of_ours_is_raised(world: World, host: EnrolledHost) -> None:
    """A port that is bound for no server of its host: no row that control writes is so."""
    (server,) = booted(world, "web")
    last = host.link.reports[-1]
    generation = world.engine.run(lambda tx: tx.hosts.fetch(host.id)).generation
    with world.database.transaction() as tx:
        tx.servers.put(replace(tx.servers.fetch(server.id), ports=()))
    report = replace(last, serial=last.serial + 1, generation=generation, wired=server.ports)
    with pytest.raises(KeyError):
        world.engine.run(lambda tx: reports.apply(tx, host.id, report))
    assert world.engine.run(lambda tx: tx.hosts.fetch(host.id)).report_serial == last.serial


def test_words_that_a_database_does_not_take_keep_nobody_waiting(world: World, host: EnrolledHost) -> None:
    """Text of a kernel, libvirt or QEMU may have any character in it."""
    sick, well = (world.run_server(host, name, world.direct()) for name in ("sick", "well"))
    words = Failure("kernel_refused", "Setting", "a\0b", "c\0d", "e\0f")
    last = host.link.reports[-1]
    guests = tuple(replace(guest, state=GuestState.CRASHED, reason="g\0h") for guest in last.observed.guests)
    report = replace(
        last,
        serial=last.serial + 1,
        holds=(Hold("i\0j", "k\0l", "m\0n"),),
        failures=(SubjectFailure(words, server_id=sick.id, port_id=sick.ports[0]), SubjectFailure(words)),
        observed=replace(last.observed, guests=guests),
    )
    assert apply(world, host, report).is_taken
    found = world.server(sick.id)
    assert (found.status, found.fault and found.fault.code) == (ServerStatus.ERROR, "kernel_refused")
    assert world.server(well.id).status is ServerStatus.SHUTOFF
    assert "g h" in world.events(well.id)[-1].message
