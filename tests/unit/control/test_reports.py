"""Reports: applied once and in order; devices come, go and come back; nothing is free before it is clean."""

from dataclasses import replace

import pytest

from fairlead.control import assignments, offering, reports, servers
from fairlead.hoststate.observed import GuestState
from fairlead.hoststate.report import HostEvent, Report, SubjectFailure
from fairlead.model.binding import Wiring
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.errors import Failure
from fairlead.model.server import ServerStatus
from fairlead.model.vf import BASELINE, VfSettings
from fairlead.sim.domain import DomainState
from fairlead.wire.documents import Receipt
from tests.control_world import EnrolledHost, World


def apply(world: World, host: EnrolledHost, report: Report) -> Receipt:
    return world.engine.run(lambda tx: reports.apply(tx, host.id, report))


def newer(host: EnrolledHost, **changes: object) -> Report:
    """The host's last report again, as if it were the next."""
    last = host.link.reports[-1]
    host.link.reports.append(replace(last, serial=last.serial + 1, **changes))  # type: ignore[arg-type]
    return host.link.reports[-1]


def devices(world: World, host: EnrolledHost) -> dict[str, Device]:
    with world.database.transaction() as tx:
        return {device.key: device for device in tx.devices.find(host_id=host.id)}


def test_a_repeated_or_older_report_changes_nothing(world: World) -> None:
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    before = devices(world, host), world.server(server.id), world.events(server.id)
    apply(world, host, host.link.reports[-1])
    apply(world, host, host.link.reports[0])
    assert (devices(world, host), world.server(server.id), world.events(server.id)) == before


def test_a_report_on_an_older_generation_wires_and_frees_nothing(world: World) -> None:
    world.policy()
    host = world.host()
    old = host.link.reports[-1]
    server = world.boot("web", world.direct())
    world.scheduler.tick()
    apply(world, host, newer(host, wired=(server.ports[0],)))
    (nic,) = world.view(server.id).nics
    assert nic.binding is not None
    assert nic.binding.wiring is Wiring.PENDING
    host.settle()
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    last = host.link.reports[-1]
    apply(world, host, replace(last, serial=last.serial + 1, observed=old.observed))
    assert world.server(server.id).status is ServerStatus.DELETING
    with world.database.transaction() as tx:
        assert len(tx.allocations.find()) == 1


def test_a_dirty_vf_or_one_in_a_guest_is_not_free(world: World) -> None:
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    (nic,) = world.view(server.id).nics
    assert nic.device is not None
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    generation = world.engine.run(lambda tx: tx.hosts.fetch(host.id)).generation
    running = newer(host, generation=generation, wired=())
    apply(world, host, running)
    gone = replace(running.observed, guests=())
    apply(world, host, newer(host, observed=gone))
    assert devices(world, host)[nic.device.key].status is DeviceStatus.RELEASING
    assert world.server(server.id).status is ServerStatus.DELETING
    assert world.violations() == ()


@pytest.mark.parametrize(
    "left",
    [{"is_dirty": True, "settings": BASELINE}, {"is_dirty": False, "settings": VfSettings(vlan=100)}],
    ids=["not yet scrubbed, but at its baseline", "scrubbed, but not at its baseline"],
)
def test_either_trace_of_an_owner_keeps_a_vf_from_being_free(world: World, left: dict[str, object]) -> None:
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    (nic,) = world.view(server.id).nics
    assert nic.device is not None
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    generation = world.engine.run(lambda tx: tx.hosts.fetch(host.id)).generation
    seen = host.link.reports[-1].observed
    pfs = tuple(
        replace(
            pf,
            vfs=tuple(
                replace(vf, **left)  # type: ignore[arg-type]
                if (pf.key, vf.index) == (nic.device.pf, nic.device.vf_index)
                else vf
                for vf in pf.vfs
            ),
        )
        for pf in seen.pfs
    )
    apply(world, host, newer(host, generation=generation, observed=replace(seen, pfs=pfs, guests=())))
    assert devices(world, host)[nic.device.key].status is DeviceStatus.RELEASING
    assert world.server(server.id).status is ServerStatus.DELETING


@pytest.mark.parametrize("user", ["a guest", "a domain of others"])
def test_a_clean_vf_is_not_free_while_somebody_has_it(world: World, user: str) -> None:
    world.policy()
    host = world.host()
    clean = host.link.reports[-1].observed
    server = world.run_server(host, "web", world.direct())
    (nic,) = world.view(server.id).nics
    assert nic.device is not None
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    generation = world.engine.run(lambda tx: tx.hosts.fetch(host.id)).generation
    guests = host.link.reports[-1].observed.guests
    assert guests[0].hostdevs == (nic.device.pci_address,)
    by_user = {
        "a guest": replace(clean, guests=guests),
        "a domain of others": replace(clean, guests=(), foreign_hostdevs=guests[0].hostdevs),
    }
    apply(world, host, newer(host, generation=generation, observed=by_user[user], wired=()))
    assert devices(world, host)[nic.device.key].status is DeviceStatus.RELEASING
    apply(world, host, newer(host, observed=clean))
    assert devices(world, host)[nic.device.key].status is DeviceStatus.AVAILABLE
    assert world.violations() == ()


def test_a_vf_is_reset_before_it_is_free(world: World) -> None:
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    assert host.sim.machine.traces
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    host.settle()
    assert host.sim.machine.traces == {}


def test_a_card_that_vanishes_fails_its_holder_and_heals_when_it_is_back(world: World) -> None:
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    (nic,) = world.view(server.id).nics
    assert nic.device is not None
    assert nic.device.pf is not None
    host.sim.machine.pfs[nic.device.pf].is_present = False
    host.agent.tick()
    assert devices(world, host)[nic.device.key].status is DeviceStatus.MISSING
    assert world.server(server.id).status is ServerStatus.ERROR
    (nic,) = world.view(server.id).nics
    assert nic.binding is not None
    assert nic.binding.wiring is Wiring.FAILED
    assert world.violations() == ()
    host.sim.machine.pfs[nic.device.pf].is_present = True
    host.settle()
    assert devices(world, host)[nic.device.key].status is DeviceStatus.ALLOCATED
    assert world.server(server.id).status is ServerStatus.ACTIVE
    assert world.violations() == ()


def test_a_server_whose_card_is_away_can_go_and_the_card_comes_back_to_be_scrubbed(world: World) -> None:
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    (nic,) = world.view(server.id).nics
    assert nic.device is not None
    assert nic.device.pf is not None
    host.sim.machine.pfs[nic.device.pf].is_present = False
    host.agent.tick()
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    host.settle()
    with world.database.transaction() as tx:
        assert tx.servers.find() == tx.allocations.find() == ()
    assert devices(world, host)[nic.device.key].status is DeviceStatus.MISSING
    host.sim.machine.pfs[nic.device.pf].is_present = True
    host.settle()
    assert devices(world, host)[nic.device.key].status is DeviceStatus.AVAILABLE
    assert world.violations() == ()


def test_a_device_of_a_foreign_domain_is_kept_back(world: World) -> None:
    world.policy()
    host = world.host()
    last = host.link.reports[-1]
    address = last.observed.pfs[1].vfs[0].pci_address
    apply(world, host, newer(host, observed=replace(last.observed, foreign_hostdevs=(address,))))
    (kept,) = [device for device in devices(world, host).values() if device.pci_address == address]
    assert kept.status is DeviceStatus.FAULTY
    assert "not Fairlead's" in kept.note
    apply(world, host, newer(host, observed=last.observed))
    assert devices(world, host)[kept.key].status is DeviceStatus.AVAILABLE


def test_a_vf_that_cannot_be_scrubbed_is_faulty_until_it_can(world: World) -> None:
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    (nic,) = world.view(server.id).nics
    assert nic.device is not None
    host.sim.machine.troubles.refused_fields = frozenset({"mac"})
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    for _ in range(3):
        host.agent.poll(0)
        host.agent.tick()
    stuck = devices(world, host)[nic.device.key]
    assert stuck.status is DeviceStatus.FAULTY
    assert stuck.note
    assert world.violations() == ()
    host.sim.machine.troubles.refused_fields = frozenset()
    host.sim.clock.advance(120)
    host.settle()
    assert devices(world, host)[nic.device.key].status is DeviceStatus.AVAILABLE
    with world.database.transaction() as tx:
        assert tx.servers.find() == ()


def test_events_and_failures_of_a_host_are_kept(world: World) -> None:
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    drift = HostEvent(world.time.now, "drift_repaired", "vf", "trust was on.", server.id)
    apply(world, host, newer(host, events=(drift,)))
    assert "drift_repaired" in world.kinds(server.id)


def test_what_the_agent_saw_is_told_before_what_follows_from_it(world: World) -> None:
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    kinds = world.kinds(server.id)
    assert kinds.index("guest_started") < kinds.index("server_active")
    assert world.events(server.id)[0].message.endswith("with 1 direct NIC.")
    (started,) = (event for event in world.events(server.id) if event.kind == "guest_started")
    assert started.message == "Server web on host h1: the guest is up."


def test_a_database_restored_from_a_copy_is_obeyed_again(world: World) -> None:
    world.policy()
    host = world.host()
    ahead = world.engine.run(lambda tx: tx.hosts.fetch(host.id)).generation + 40
    receipt = apply(world, host, newer(host, generation=ahead))
    assert receipt.generation > ahead
    told = world.engine.run(lambda tx: assignments.assignment(tx, host.id, ahead))
    assert told.desired is not None
    assert told.desired.generation == receipt.generation
    assert world.violations() == ()


def test_a_failure_is_told_once(world: World) -> None:
    world.policy()
    host = world.host()
    host.sim.machine.troubles.refused_fields = frozenset({"vlan"})
    server = world.run_server(host, "web", world.direct())
    for _ in range(3):
        apply(world, host, newer(host))
    failed = [event for event in world.events(server.id) if event.kind == "server_failed"]
    assert len(failed) == 1
    assert isinstance(world.server(server.id).fault, Failure)


def test_a_pf_that_cannot_be_prepared_is_told_once_and_stays_as_it_was(world: World) -> None:
    world.policy()
    host = world.host()
    pf = next(device for device in devices(world, host).values() if device.name == "ens1f0")
    refused = Failure("kernel_refused", "Bringing up", "ens1f0", "EBUSY: Device or resource busy")
    before = devices(world, host)
    for _ in range(3):
        apply(world, host, newer(host, failures=(SubjectFailure(refused, device_id=pf.id),)))
        assert devices(world, host) == before
    (hold,) = world.engine.run(lambda tx: tx.hosts.fetch(host.id)).holds
    assert "ens1f0" in hold.subject
    assert "EBUSY" in hold.reason
    with world.database.transaction() as tx:
        kinds = [event.kind for event in tx.events()]
    assert kinds.count("hold_began") == 1
    assert "device_faulty" not in kinds


def test_a_server_that_waits_for_a_stranger_says_so_and_goes_on_by_itself(world: World) -> None:
    world.policy()
    host = world.host()
    server = world.boot("web", world.direct())
    world.scheduler.tick()
    (nic,) = world.view(server.id).nics
    assert nic.device is not None
    address = (nic.device.pci_address,)
    host.sim.machine.domains["theirs"] = DomainState(
        "theirs", None, "", 0, address, (), "", GuestState.RUNNING, live_hostdevs=address
    )
    host.settle()
    waiting = world.server(server.id)
    assert waiting.status is ServerStatus.BUILD
    assert waiting.fault is not None
    assert "not Fairlead's" in waiting.fault.answer
    host.sim.clock.advance(11)
    host.agent.tick()
    assert world.kinds(server.id).count("server_waits") == 1
    del host.sim.machine.domains["theirs"]
    host.settle()
    assert world.server(server.id).status is ServerStatus.ACTIVE
    assert world.server(server.id).fault is None


def test_what_the_host_uses_itself_is_not_offered(world: World) -> None:
    world.policy()
    host = world.host()
    last = host.link.reports[-1]
    pf = last.observed.pfs[1]
    vfs = (replace(pf.vfs[0], host_use="has address 10.0.0.5/24"), *pf.vfs[1:])
    used = replace(pf, vfs=vfs, host_use="is below bond1")
    pfs = tuple(used if seen.key == pf.key else seen for seen in last.observed.pfs)
    apply(world, host, newer(host, observed=replace(last.observed, pfs=pfs)))
    with world.database.transaction() as tx:
        offers = offering.offers(tx, tx.devices.find(host_id=host.id))
    rows = devices(world, host)
    head, first, second = rows[pf.key], rows[f"{pf.key}/vf0"], rows[f"{pf.key}/vf1"]
    assert offers[first.id].standing == "HOST_USES"
    assert "10.0.0.5/24" in offers[first.id].why_not
    assert not offers[head.id].is_offered
    assert offers[second.id].is_offered


def test_a_failure_by_an_older_document_is_not_one_of_what_was_asked_for_since(world: World) -> None:
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    world.engine.run(lambda tx: servers.stop(tx, server.id))
    failure = SubjectFailure(Failure("timeout", "Starting", "its guest", "no answer"), server_id=server.id)
    serial = world.engine.run(lambda tx: tx.hosts.fetch(host.id)).report_serial + 1
    receipt = host.link.report(replace(host.link.reports[-1], serial=serial, failures=(failure,)))
    assert receipt.is_taken
    now = world.server(server.id)
    assert (now.status, now.fault) == (ServerStatus.ACTIVE, None)
