"""Hosts enrol once with a token, speak with a credential, and go when nothing is on them."""

import pytest

from fairlead.agent.reporter import LONGEST_SILENCE_SECONDS
from fairlead.control import assignments, dead_hosts, hosts, servers
from fairlead.control.boundary import Tx
from fairlead.control.hosts import HostChanges, Liveness, NewHost
from fairlead.model.errors import Conflict, InvalidValue, NotAllowed
from fairlead.model.policy import DeviceMatch
from fairlead.model.server import ServerStatus
from fairlead.wire.documents import Enrolment
from tests.control_world import EnrolledHost, World


def test_a_token_enrols_once(world: World) -> None:
    host, token = world.engine.run(lambda tx: hosts.create(tx, NewHost("h1"), "token"))
    enrolled = world.engine.run(lambda tx: hosts.enrol(tx, Enrolment(token, "h1.example", "1"), "credential"))
    assert enrolled.host_id == host.id
    with pytest.raises(NotAllowed) as refusal:
        world.engine.run(lambda tx: hosts.enrol(tx, Enrolment(token, "h1.example", "1"), "other"))
    assert refusal.value.code == "bad_token"
    assert world.engine.run(lambda tx: hosts.authenticate(tx, host.id, enrolled.credential)).name == "h1"
    stored = world.engine.run(lambda tx: tx.hosts.fetch(host.id))
    assert "credential" not in (stored.credential or "")
    assert stored.token is None


def test_an_old_token_is_worth_nothing(world: World) -> None:
    _, token = world.engine.run(lambda tx: hosts.create(tx, NewHost("h1"), "token"))
    world.time.advance(25 * 3600)
    with pytest.raises(NotAllowed, match="expired"):
        world.engine.run(lambda tx: hosts.enrol(tx, Enrolment(token, "h1", "1"), "credential"))


def test_a_credential_is_that_of_one_host_until_it_enrols_again(world: World) -> None:
    first, second = world.host("h1", 1), world.host("h2", 2)
    old = f"{first.id}.secret-h1"
    for host_id, credential in ((second.id, old), (first.id, "secret-h1"), (first.id, f"{first.id}.x")):
        with pytest.raises(NotAllowed):
            world.engine.run(lambda tx, h=host_id, c=credential: hosts.authenticate(tx, h, c))
    token = world.engine.run(lambda tx: hosts.renew_token(tx, first.id, "again"))
    assert world.engine.run(lambda tx: hosts.authenticate(tx, first.id, old))
    world.engine.run(lambda tx: hosts.enrol(tx, Enrolment(token, "h1", "2"), "new"))
    with pytest.raises(NotAllowed):
        world.engine.run(lambda tx: hosts.authenticate(tx, first.id, old))


def test_a_host_is_alive_for_thirty_seconds(world: World) -> None:
    host, _ = world.engine.run(lambda tx: hosts.create(tx, NewHost("new"), "token"))
    assert hosts.liveness(host, world.time.now) is Liveness.NEVER_SEEN
    enrolled = world.host("h1", 1)
    stored = world.engine.run(lambda tx: tx.hosts.fetch(enrolled.id))
    assert hosts.liveness(stored, world.time.now) is Liveness.ALIVE
    world.time.advance(31)
    assert hosts.liveness(stored, world.time.now) is Liveness.SILENT


def judged(world: World, host: EnrolledHost) -> tuple[Liveness, str]:
    """What is said of the host now."""

    def judge(tx: Tx) -> tuple[Liveness, str]:
        row = tx.hosts.fetch(host.id)
        return hosts.liveness(row, tx.now), hosts.why_not(row, tx.now)

    return world.engine.run(judge)


def polls(world: World, host: EnrolledHost) -> None:
    """Only that: as an agent whose loop hangs, or cannot read its host."""
    for _ in range(9):
        world.time.advance(10)
        host.agent.poll(0)


def test_a_host_whose_agent_answers_and_does_not_report_takes_no_servers(world: World) -> None:
    world.policy()
    host = world.host()
    polls(world, host)
    state, why = judged(world, host)
    assert state is Liveness.NOT_REPORTING
    assert "has not reported since 2026-01-01 00:00:00 UTC" in why
    server = world.boot("web", world.direct())
    world.scheduler.tick()
    assert "has not reported since" in str(world.server(server.id).fault)
    with pytest.raises(Conflict, match=r"h1 is not reporting.*may act") as refusal:
        world.engine.run(lambda tx: dead_hosts.forget(tx, host.id))
    assert refusal.value.code == "wrong_state"
    for _ in range(2):
        host.sim.clock.advance(LONGEST_SILENCE_SECONDS)  # type: ignore[attr-defined]
        host.agent.tick()
    assert host.link.heartbeats
    assert judged(world, host) == (Liveness.ALIVE, "")


def test_a_heartbeat_is_a_report(world: World) -> None:
    host = world.host()
    for _ in range(20):
        world.time.advance(LONGEST_SILENCE_SECONDS)
        host.sim.clock.advance(LONGEST_SILENCE_SECONDS)  # type: ignore[attr-defined]
        host.agent.tick()
        assert judged(world, host) == (Liveness.ALIVE, "")
    assert len(host.link.heartbeats) > len(host.link.reports)


def test_a_host_that_never_reported_is_not_alive(world: World) -> None:
    made, token = world.engine.run(lambda tx: hosts.create(tx, NewHost("new"), "token"))
    world.engine.run(lambda tx: hosts.enrol(tx, Enrolment(token, "new", "1"), "credential"))
    world.engine.run(lambda tx: assignments.assignment(tx, made.id, 0) and None)
    row = world.engine.run(lambda tx: tx.hosts.fetch(made.id))
    assert hosts.liveness(row, world.time.now) is Liveness.NOT_REPORTING
    assert hosts.why_not(row, world.time.now) == "its agent has not reported yet"


def test_a_dead_host_is_silent_though_the_clock_goes_back(world: World) -> None:
    host = world.host()
    world.time.advance(-3600)
    state, why = judged(world, host)
    assert state is Liveness.SILENT
    assert "2026-01-01 00:00:00 UTC, which is still to come" in why
    world.engine.run(lambda tx: dead_hosts.forget(tx, host.id))


def test_a_host_that_lives_is_heard_at_once_though_the_clock_goes_back(world: World) -> None:
    host = world.host()
    world.time.advance(-3600)
    host.sim.clock.advance(LONGEST_SILENCE_SECONDS)  # type: ignore[attr-defined]
    host.settle()
    assert judged(world, host) == (Liveness.ALIVE, "")
    world.time.advance(31)
    assert judged(world, host)[0] is Liveness.SILENT


def test_a_control_whose_clock_is_a_little_ahead_does_no_harm(world: World) -> None:
    host = world.host()
    world.time.advance(-29)
    assert judged(world, host) == (Liveness.ALIVE, "")
    world.time.advance(-2)
    assert judged(world, host)[0] is Liveness.SILENT
    host.agent.poll(0)
    assert judged(world, host)[0] is Liveness.NOT_REPORTING


def test_a_host_with_servers_stays(world: World) -> None:
    world.policy()
    host = world.host()
    world.run_server(host, "web", world.direct())
    with pytest.raises(Conflict, match="web") as refusal:
        world.engine.run(lambda tx: hosts.delete(tx, host.id))
    assert refusal.value.code == "in_use"


def test_a_host_without_servers_goes_with_its_inventory(world: World) -> None:
    world.policy()
    host = world.host()
    world.engine.run(lambda tx: hosts.delete(tx, host.id))
    with world.database.transaction() as tx:
        assert tx.hosts.find() == tx.devices.find() == ()
    server = world.boot("web", world.direct())
    world.scheduler.tick()
    assert "there is no host" in str(world.server(server.id).fault)


def test_labels_are_matched_at_once(world: World) -> None:
    world.policy(match=DeviceMatch(host_labels={"rack": "r1*"}, name=("ens*",)))
    host = world.host()
    with world.database.transaction() as tx:
        assert all(device.policy_id is None for device in tx.devices.find())
    world.engine.run(lambda tx: hosts.update(tx, host.id, HostChanges(labels={"rack": "r12"})))
    host.settle()
    with world.database.transaction() as tx:
        governed = [device for device in tx.devices.find() if device.policy_id]
    assert len(governed) == 2 + 16


def test_a_name_is_one(world: World) -> None:
    with pytest.raises(InvalidValue, match="name"):
        world.engine.run(lambda tx: hosts.create(tx, NewHost("no spaces"), "token"))


def test_a_dead_host_is_forgotten_by_force_with_all_that_was_held_there(world: World) -> None:
    world.policy()
    host = world.host()
    lost = world.run_server(host, "web", (*world.direct(), *world.normal()))
    going = world.run_server(host, "old", world.direct())
    world.engine.run(lambda tx: servers.delete(tx, going.id))
    with pytest.raises(Conflict, match="alive") as refusal:
        world.engine.run(lambda tx: dead_hosts.forget(tx, host.id))
    assert refusal.value.code == "wrong_state"
    world.time.advance(31)
    world.engine.run(lambda tx: dead_hosts.forget(tx, host.id))
    with world.database.transaction() as tx:
        assert tx.hosts.find() == tx.devices.find() == tx.allocations.find() == tx.bindings.find() == ()
        assert [server.id for server in tx.servers.find()] == [lost.id]
        assert {port.server_id for port in tx.ports.find()} == {lost.id}
    left = world.server(lost.id)
    assert (left.status, left.host_id) == (ServerStatus.ERROR, None)
    assert left.fault is not None
    assert left.fault.code == "host_gone"
    assert "h1" in str(left.fault)
    assert world.violations() == ()
    other = world.host("h2", 2)
    world.engine.run(lambda tx: servers.reboot(tx, lost.id, is_hard=True))
    world.scheduler.tick()
    other.settle()
    again = world.server(lost.id)
    assert (again.status, again.host_id, again.fault) == (ServerStatus.ACTIVE, other.id, None)
    assert world.violations() == ()
