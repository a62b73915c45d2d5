"""Generations are times: a number is never given twice, also by a database that has forgotten some."""

from dataclasses import replace

from fairlead.control import assignments, generations, servers
from tests.control_world import World


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
