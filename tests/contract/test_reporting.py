"""How control and agents find together again over reports, on every database."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from fairlead.agent.loop import Agent
from fairlead.agent.reporter import LONGEST_SILENCE_SECONDS, WHOLE_EVERY_SECONDS
from fairlead.control import hosts, reports
from fairlead.hoststate.report import HostEvent, Report
from fairlead.model.host import Host
from fairlead.model.server import Event, ServerStatus
from fairlead.sim.fleet import MemorySlots
from fairlead.wire.documents import Enrolment, Heartbeat, Receipt
from tests.control_world import EnrolledHost, World


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    made = World(database_url)
    made.policy()
    yield made
    made.close()


def row(world: World, host: EnrolledHost) -> Host:
    return world.engine.run(lambda tx: tx.hosts.fetch(host.id))


def apply(world: World, host: EnrolledHost, report: Report) -> Receipt:
    return world.engine.run(lambda tx: reports.apply(tx, host.id, report))


def reborn(host: EnrolledHost) -> Agent:
    """An agent of the host that has lost its ledger."""
    return replace(host.sim, slots=MemorySlots()).agent(host.id, host.link)


def quiet(host: EnrolledHost) -> None:
    """Its report was told twice: from now on heartbeats do."""
    host.sim.clock.advance(LONGEST_SILENCE_SECONDS)  # type: ignore[attr-defined]
    host.agent.tick()


def events(world: World) -> tuple[Event, ...]:
    return world.engine.run(lambda tx: tx.events())


def test_an_agent_that_lost_its_ledger_is_heard_with_its_first_tick(world: World) -> None:
    host = world.host()
    server = world.boot("web", world.direct())
    world.scheduler.tick()
    before = row(world, host).report_serial
    host.agent = reborn(host)
    host.agent.tick()
    assert row(world, host).report_serial == before + 1
    host.settle()
    assert world.server(server.id).status is ServerStatus.ACTIVE
    assert world.violations() == ()


def test_an_agent_that_enrols_anew_is_heard(world: World) -> None:
    host = world.host()
    before = row(world, host).report_serial
    token = world.engine.run(lambda tx: hosts.renew_token(tx, host.id, "again"))
    world.engine.run(lambda tx: hosts.enrol(tx, Enrolment(token, "h1", "1"), "new"))
    host.agent = reborn(host)
    host.settle()
    assert row(world, host).report_serial > before


def test_a_dead_agents_report_that_comes_late_is_not_applied_after_a_newer_one(world: World) -> None:
    """Its agent sent it twice, each time with the next serial it knew; neither had arrived when it died."""
    host = world.host()
    newest = host.link.reports[-1]
    late = replace(newest, serial=newest.serial + 1, wired=(), agent_version="dead")
    reborn(host).tick()
    assert not apply(world, host, late).is_taken
    assert row(world, host).agent_version != "dead"


def test_of_two_reports_behind_the_same_one_the_first_to_come_is_applied(world: World) -> None:
    host = world.host()
    newest = host.link.reports[-1]
    following = replace(newest, serial=newest.serial + 1)
    assert apply(world, host, following).is_taken
    refused = apply(world, host, replace(following, agent_version="other"))
    assert (refused.is_taken, refused.serial) == (False, following.serial)
    assert row(world, host).agent_version != "other"


def test_a_restored_database_is_told_whole_again(world: World) -> None:
    """A copy knows an older serial than the agent: the next heartbeat tells."""
    host = world.host()
    quiet(host)
    count = len(host.link.reports)
    world.engine.run(lambda tx: tx.hosts.touch(tx.hosts.lock(host.id), report_serial=1))
    host.sim.clock.advance(LONGEST_SILENCE_SECONDS)  # type: ignore[attr-defined]
    host.agent.tick()
    assert len(host.link.reports) == count + 1
    assert row(world, host).report_serial == host.link.reports[-1].serial == 2


def test_a_heartbeat_keeps_the_host_alive_and_its_revision(world: World) -> None:
    host = world.host()
    quiet(host)
    before = row(world, host)
    world.time.advance(25)
    host.sim.clock.advance(25)  # type: ignore[attr-defined]
    host.agent.tick()
    assert host.link.heartbeats == [Heartbeat(before.report_serial)]
    after = row(world, host)
    assert after.last_seen_at is not None
    assert after == replace(before, last_seen_at=after.last_seen_at, reported_at=after.reported_at)
    world.time.advance(25)
    assert hosts.liveness(after, world.time.now) is hosts.Liveness.ALIVE


def test_a_heartbeat_for_another_report_is_worth_nothing(world: World) -> None:
    host = world.host()
    before = row(world, host)
    world.time.advance(25)
    for serial in (0, before.report_serial - 1, before.report_serial + 1):
        receipt = world.engine.run(
            lambda tx, s=serial: reports.note_heartbeat(tx, host.id, Heartbeat(s))  # type: ignore[misc]
        )
        assert receipt == Receipt(before.generation, before.report_serial, is_taken=False)
    assert row(world, host) == before


def test_a_whole_report_without_news_leaves_every_revision(world: World) -> None:
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    before, web = row(world, host), world.server(server.id)
    with world.database.transaction() as tx:
        inventory = tx.devices.find(), tx.bindings.find(), tx.allocations.find()
    told = len(events(world))
    host.sim.clock.advance(WHOLE_EVERY_SECONDS)  # type: ignore[attr-defined]
    host.agent.tick()
    after = row(world, host)
    assert after.report_serial == before.report_serial + 1
    assert after == replace(
        before,
        last_seen_at=after.last_seen_at,
        reported_at=after.reported_at,
        report_serial=after.report_serial,
    )
    assert world.server(server.id) == web
    with world.database.transaction() as tx:
        assert (tx.devices.find(), tx.bindings.find(), tx.allocations.find()) == inventory
    assert len(events(world)) == told


def test_a_refused_report_costs_no_event(world: World) -> None:
    host = world.host()
    world.engine.run(lambda tx: tx.hosts.touch(tx.hosts.lock(host.id), report_serial=4711))
    server = world.run_server(host, "web", world.direct())
    assert world.kinds(server.id).count("guest_started") == 1


def test_an_agent_writes_of_its_own_servers_alone(world: World) -> None:
    first, second = world.host("h1", 1), world.host("h2", 2)
    server = world.run_server(first, "web", world.direct())
    held = world.server(server.id).host_id
    host = second if held == first.id else first
    before = world.events(server.id)
    forged = HostEvent(world.time.now, "server_deleted", "it", "it is gone.", server.id)
    newest = host.link.reports[-1]
    assert apply(world, host, replace(newest, serial=newest.serial + 1, events=(forged,))).is_taken
    assert world.events(server.id) == before
    (told,) = (event for event in events(world) if event.kind == "server_deleted")
    assert told.host_id == host.id
    assert told.message.endswith("it is gone.")


def test_an_agents_words_are_of_one_line_and_bounded(world: World) -> None:
    host = world.host()
    newest = host.link.reports[-1]
    long = HostEvent(world.time.now, "k" * 999, "s\x1b[2J" * 99, "one\ntwo\x00" * 999)
    apply(world, host, replace(newest, serial=newest.serial + 1, events=(long,)))
    told = events(world)[-1]
    assert len(told.kind) <= 64
    assert len(told.subject) <= 256
    assert len(told.message) <= 2100
    assert (told.kind + told.subject + told.message).isprintable()
