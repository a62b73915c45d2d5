"""Hosts enrol once with a token, speak with a credential, and go when nothing is on them."""

import pytest

from fairlead.control import dead_hosts, hosts, servers
from fairlead.control.hosts import HostChanges, Liveness, NewHost
from fairlead.model.errors import Conflict, InvalidValue, NotAllowed
from fairlead.model.policy import DeviceMatch
from fairlead.model.server import ServerStatus
from fairlead.wire.documents import Enrolment
from tests.control_world import World


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
