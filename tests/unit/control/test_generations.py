"""Generations are times: a number is never given twice, also by a database that has forgotten some."""

from dataclasses import replace
from datetime import timedelta

import pytest

from fairlead.agent.reporter import LONGEST_SILENCE_SECONDS
from fairlead.control import assignments, generations, reports, servers
from fairlead.control.boundary import Tx
from fairlead.control.hosts import why_not
from fairlead.model.device import DeviceStatus
from fairlead.model.errors import InvalidValue
from fairlead.model.server import ServerStatus
from tests.control_world import EnrolledHost, World


def test_a_generation_is_the_time_in_milliseconds_or_one_more(world: World) -> None:
    host = world.host()
    with world.database.transaction() as tx:
        row = tx.hosts.fetch(host.id)
        now = round(tx.now.timestamp() * 1000)
        assert abs(generations.following(tx, replace(row, generation=5)) - now) <= 1
        assert generations.following(tx, replace(row, generation=now + 9)) == now + 10


def test_one_document_has_one_number(world: World) -> None:
    world.policy()
    host = world.host()
    world.time.advance(5)
    server = world.boot("web", world.direct())
    world.scheduler.tick()
    placed, (nic,) = world.server(server.id), world.view(server.id).nics
    assert nic.binding is not None
    with world.database.transaction() as tx:
        number = tx.hosts.fetch(host.id).generation
    assert placed.generation == nic.binding.generation == number
    told = world.engine.run(lambda tx: assignments.assignment(tx, host.id, 0)).desired
    assert told is not None
    assert told.generation == number


def test_a_number_that_was_forgotten_is_not_given_to_another_document(world: World) -> None:
    """Restored from a copy, and something else is wished at once: the agent is never left with its old document."""
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    with world.database.transaction() as tx:
        copied = tx.hosts.fetch(host.id).generation
    world.time.advance(1)
    world.engine.run(lambda tx: servers.stop(tx, server.id))
    with world.database.transaction() as tx:
        lost = tx.hosts.fetch(host.id).generation
        tx.hosts.put(replace(tx.hosts.lock(host.id), generation=copied))
    world.time.advance(1)
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    with world.database.transaction() as tx:
        assert tx.hosts.fetch(host.id).generation > lost > copied


def milliseconds(world: World, ahead: timedelta) -> int:
    return round((world.time.now + ahead).timestamp() * 1000)


def told(world: World, host: EnrolledHost, generation: int) -> None:
    """An agent of the host says that it has that generation, both ways."""
    newest = host.link.reports[-1]
    report = replace(newest, serial=newest.serial + 1, generation=generation)

    def asks(tx: Tx) -> None:
        assignments.assignment(tx, host.id, generation)

    def reports_on(tx: Tx) -> None:
        reports.apply(tx, host.id, report)

    for work in (asks, reports_on):
        with pytest.raises(InvalidValue, match="generation"):
            world.engine.run(work)


@pytest.mark.parametrize("generation", [10**15, 2**63 - 2, 2**63 - 1, 2**64, 10**29])
def test_a_generation_that_nobody_gave_is_refused_and_the_host_serves_on(
    world: World, generation: int
) -> None:
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct())
    told(world, host, generation)
    other = world.run_server(host, "other", world.direct())
    assert world.server(other.id).status is ServerStatus.ACTIVE
    world.engine.run(lambda tx: servers.stop(tx, server.id))
    host.settle()
    assert world.server(server.id).status is ServerStatus.SHUTOFF


def test_a_generation_may_be_ahead_by_a_day(world: World) -> None:
    host = world.host()
    told(world, host, milliseconds(world, timedelta(days=1, seconds=1)))
    forgotten = milliseconds(world, timedelta(hours=23))
    world.engine.run(lambda tx: assignments.assignment(tx, host.id, forgotten) and None)
    with world.database.transaction() as tx:
        assert tx.hosts.fetch(host.id).generation == forgotten + 1


def test_a_host_whose_agent_knows_more_than_this_database_takes_no_server_before_it_has_reported(
    world: World,
) -> None:
    """A database restored from a copy knows its devices as they were then."""
    world.policy()
    host = world.host()
    forgotten = milliseconds(world, timedelta(hours=1))
    world.engine.run(lambda tx: assignments.assignment(tx, host.id, forgotten))
    server = world.boot("web", world.direct())
    world.scheduler.tick()
    assert world.server(server.id).status is not ServerStatus.ACTIVE
    with world.database.transaction() as tx:
        assert not tx.allocations.find(server_id=server.id)
    assert why_not_now(world, host) == "its agent has not reported yet"
    host.settle()
    assert why_not_now(world, host) == ""


def why_not_now(world: World, host: EnrolledHost) -> str:
    with world.database.transaction() as tx:
        return why_not(tx.hosts.fetch(host.id), tx.now)


def test_an_agent_is_heard_though_controls_clock_went_back(world: World) -> None:
    world.policy()
    host = world.host()
    world.time.advance(-3 * 24 * 3600)
    host.sim.clock.advance(LONGEST_SILENCE_SECONDS)  # type: ignore[attr-defined]
    host.settle()
    server = world.run_server(host, "web", world.normal())
    assert world.server(server.id).status is ServerStatus.ACTIVE


def test_a_report_on_a_generation_that_this_database_forgot_frees_nothing(world: World) -> None:
    """What it says of bindings and devices is of another history, though its number is the higher one."""
    world.policy()
    host = world.host()
    empty = host.link.reports[-1]
    server = world.run_server(host, "web", world.direct())
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    with world.database.transaction() as tx:
        before = tx.hosts.fetch(host.id)
        (held,) = tx.allocations.find(server_id=server.id)
    stray = replace(
        empty, serial=before.report_serial + 1, generation=milliseconds(world, timedelta(hours=1))
    )
    assert world.engine.run(lambda tx: reports.apply(tx, host.id, stray)).is_taken
    with world.database.transaction() as tx:
        after = tx.hosts.fetch(host.id)
        assert after.generation > stray.generation
        assert after.generation_seen == before.generation_seen
        assert tx.devices.fetch(held.device_id).status is not DeviceStatus.AVAILABLE
        assert tx.servers.get(server.id) is not None
    host.settle()
    with world.database.transaction() as tx:
        assert tx.devices.fetch(held.device_id).status is DeviceStatus.AVAILABLE
