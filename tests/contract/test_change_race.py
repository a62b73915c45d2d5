"""A change that meets a boot: whichever is first, the other sees it. On each database, with a thread for each."""

import threading
from collections.abc import Callable, Iterator

import pytest

from fairlead.control import claims, images, networks, port_changes, port_profiles, qos, servers
from fairlead.control.boundary import Tx
from fairlead.control.networks import NetworkChanges
from fairlead.control.nics import BootNic
from fairlead.control.port_changes import PortChanges
from fairlead.control.port_profiles import GivenSettings, NewPortProfile, PortProfileChanges
from fairlead.control.qos import NewQosPolicy
from fairlead.hoststate.desired import DesiredState
from fairlead.model.errors import Conflict, InvalidValue, Refusal
from fairlead.model.ids import PortId, PortProfileId, QosPolicyId, QosRuleId
from fairlead.model.port import VnicType
from fairlead.model.port_profile import EthernetSettings, QbgSettings
from fairlead.model.qos import Direction, QosRule, QosRuleKind
from tests.control_world import CALLER, EnrolledHost, World

Work = Callable[[Tx], object]
LIMIT_KBPS = 50_000
HEAD_START_SECONDS = 0.5
"""For the second to get as far as it can before the first commits; one that may pass is done long before."""


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    made = World(database_url)
    yield made
    made.close()


@pytest.fixture
def host(world: World) -> EnrolledHost:
    world.policy()
    return world.host()


def in_turn(world: World, first: Work, second: Callable[[], object]) -> None:
    """Begin `second` once `first` has done everything but its commit."""
    is_done = threading.Event()
    follower = threading.Thread(target=lambda: (is_done.wait(timeout=30), second()))

    def work(tx: Tx) -> None:
        first(tx)
        is_done.set()
        follower.join(timeout=HEAD_START_SECONDS)

    follower.start()
    world.engine.run(work)
    follower.join(timeout=60)
    assert not follower.is_alive()


def told_while(world: World, host: EnrolledHost, change: Work, meanwhile: Callable[[], None]) -> DesiredState:
    """What the host is told in the end, which asks as soon as what is done while the change is made is done."""
    told: list[DesiredState | None] = []

    def follow() -> None:
        meanwhile()
        told.append(host.link.assignment(0, 0).desired)

    in_turn(world, change, follow)
    (first,) = told
    assert first is not None
    return host.link.assignment(first.generation, 0).desired or first


def placing(world: World, port_id: PortId | None = None) -> Callable[[], None]:
    """Boots a server, on that port or one with a VF, and places it."""
    nics = (BootNic(port_id=port_id),) if port_id else world.direct()

    def place() -> None:
        world.boot("web", nics)
        world.scheduler.tick()

    return place


def limit_of(told: DesiredState) -> int | None:
    (vf,) = told.vfs
    return vf.settings.max_rate_mbps


def rule(world: World) -> QosRule:
    rule_id = QosRuleId(world.engine.run(lambda tx: tx.new_id()))
    return QosRule(rule_id, QosRuleKind.BANDWIDTH_LIMIT, Direction.EGRESS, LIMIT_KBPS)


def limited(world: World) -> QosPolicyId:
    policy_id, added = unlimited(world), rule(world)
    world.engine.run(lambda tx: qos.add_rule(tx, policy_id, added))
    return policy_id


def unlimited(world: World) -> QosPolicyId:
    new = NewQosPolicy(CALLER.project_id, "limits")
    return world.engine.run(lambda tx: qos.create(tx, new)).id


def test_a_network_that_changes_during_a_boot(world: World, host: EnrolledHost) -> None:
    changes = NetworkChanges(mtu=9000)
    told = told_while(world, host, lambda tx: networks.update(tx, world.network_id, changes), placing(world))
    assert [nic.mtu for guest in told.guests for nic in guest.nics] == [9000]


def test_a_network_that_gets_a_qos_policy_during_a_boot(world: World, host: EnrolledHost) -> None:
    changes = NetworkChanges(qos_policy_id=limited(world))
    told = told_while(world, host, lambda tx: networks.update(tx, world.network_id, changes), placing(world))
    assert limit_of(told) == LIMIT_KBPS // 1000


def test_a_qos_policy_that_changes_during_a_boot(world: World, host: EnrolledHost) -> None:
    policy_id, added = unlimited(world), rule(world)
    changes = NetworkChanges(qos_policy_id=policy_id)
    world.engine.run(lambda tx: networks.update(tx, world.network_id, changes))
    told = told_while(world, host, lambda tx: qos.add_rule(tx, policy_id, added), placing(world))
    assert limit_of(told) == LIMIT_KBPS // 1000


def capped(world: World) -> PortProfileId:
    new = NewPortProfile(CALLER.project_id, "cap", EthernetSettings(max_rate_mbps=10))
    return world.engine.run(lambda tx: port_profiles.create(tx, new)).id


def to_the_limit(profile_id: PortProfileId) -> Work:
    said = GivenSettings(max_rate_mbps=LIMIT_KBPS // 1000)
    return lambda tx: port_profiles.update(tx, profile_id, PortProfileChanges(), said)


def test_a_port_profile_that_changes_during_a_boot(world: World, host: EnrolledHost) -> None:
    profile_id = capped(world)
    changes = NetworkChanges(port_profile_id=profile_id)
    world.engine.run(lambda tx: networks.update(tx, world.network_id, changes))
    told = told_while(world, host, to_the_limit(profile_id), placing(world))
    assert limit_of(told) == LIMIT_KBPS // 1000


def test_a_network_that_gets_a_port_profile_during_a_boot(world: World, host: EnrolledHost) -> None:
    changes = NetworkChanges(port_profile_id=capped(world))
    told = told_while(world, host, lambda tx: networks.update(tx, world.network_id, changes), placing(world))
    assert limit_of(told) == 10


def test_a_port_that_gets_a_port_profile_while_the_profile_changes(world: World, host: EnrolledHost) -> None:
    profile_id = capped(world)
    server = world.run_server(host, "web", world.direct())
    changes = PortChanges(port_profile_id=profile_id)

    def give() -> None:
        world.engine.run(lambda tx: port_changes.update(tx, server.ports[0], changes))

    told = told_while(world, host, to_the_limit(profile_id), give)
    assert limit_of(told) == LIMIT_KBPS // 1000


def test_a_port_that_gets_a_policy_while_the_policy_changes(world: World, host: EnrolledHost) -> None:
    policy_id, added = unlimited(world), rule(world)
    server = world.run_server(host, "web", world.direct())
    changes = PortChanges(qos_policy_id=policy_id)

    def give() -> None:
        world.engine.run(lambda tx: port_changes.update(tx, server.ports[0], changes))

    told = told_while(world, host, lambda tx: qos.add_rule(tx, policy_id, added), give)
    assert limit_of(told) == LIMIT_KBPS // 1000


def test_a_port_that_changes_while_it_is_given(world: World, host: EnrolledHost) -> None:
    port_id, policy_id = world.port(VnicType.DIRECT), limited(world)
    changes = PortChanges(qos_policy_id=policy_id)
    work = placing(world, port_id)
    told = told_while(world, host, lambda tx: port_changes.update(tx, port_id, changes), work)
    assert limit_of(told) == LIMIT_KBPS // 1000


def refusal_of(work: Callable[[], object]) -> Refusal | None:
    try:
        work()
    except (Conflict, InvalidValue) as refusal:
        return refusal
    return None


def test_an_image_that_is_deleted_during_a_boot_boots_nothing(world: World) -> None:
    said: list[Refusal | None] = []

    def boot() -> None:
        said.append(refusal_of(lambda: world.boot("web", ())))

    in_turn(world, lambda tx: images.delete(tx, world.image_id), boot)
    assert [type(refusal) for refusal in said] == [InvalidValue]


def test_an_image_that_a_server_is_being_booted_from_stays(world: World) -> None:
    said: list[Refusal | None] = []

    def delete() -> None:
        said.append(refusal_of(lambda: world.engine.run(lambda tx: images.delete(tx, world.image_id))))

    in_turn(world, lambda tx: world.boot_in(tx, "web", ()), delete)
    assert [refusal.code for refusal in said if refusal] == ["in_use"]


def test_a_network_changes_while_a_port_on_it_goes(world: World) -> None:
    """Who changes the network found the port, and is not told that it could not be found."""
    server = world.boot("web", world.direct())
    mtus: list[int] = []

    def change() -> None:
        changes = NetworkChanges(mtu=9000)
        mtus.append(world.engine.run(lambda tx: networks.update(tx, world.network_id, changes)).network.mtu)

    in_turn(world, lambda tx: servers.delete(tx, server.id), change)
    assert mtus == [9000]


def test_a_server_that_nothing_fits_goes_while_it_is_told_so(world: World) -> None:
    server = world.boot("web", world.direct())
    decided: list[int] = []
    in_turn(world, lambda tx: servers.delete(tx, server.id), lambda: decided.append(world.scheduler.tick()))
    assert len(decided) == 1
    assert world.engine.run(lambda tx: tx.servers.find()) == ()


def test_a_look_is_of_one_moment(world: World) -> None:
    """What a row names is there, whoever takes it away meanwhile."""
    server = world.boot("web", world.direct())
    seen: list[int] = []

    def look(tx: Tx) -> None:
        seen.append(len(tx.servers.find()))
        taker.start()
        taker.join(timeout=HEAD_START_SECONDS)
        seen.append(len(tx.servers.find()))

    taker = threading.Thread(target=lambda: world.engine.run(lambda tx: servers.delete(tx, server.id)))
    world.engine.look(look)
    taker.join(timeout=60)
    assert seen == [1, 1]
    assert world.engine.look(lambda tx: tx.servers.find()) == ()


INSTANCE = "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f"


def vsi_type(world: World, instance_id: str | None = None) -> PortProfileId:
    new = NewPortProfile(CALLER.project_id, "desk", QbgSettings(11, 7, 2, instance_id))
    return world.engine.run(lambda tx: port_profiles.create(tx, new)).id


def instances(world: World) -> list[str | None]:
    with world.database.transaction() as tx:
        return [binding.vsi_instance for binding in tx.bindings.find()]


def test_of_two_claims_of_one_vsi_one_is_made(world: World) -> None:
    """On hosts of their own, so that no lock of a host keeps them apart."""
    world.policy()
    hosts = [world.host(name).id for name in ("h1", "h2")]
    nics = world.direct(port_profile_id=vsi_type(world, INSTANCE))
    one, other = (world.boot(name, nics).id for name in ("one", "other"))
    said: list[Refusal | None] = []

    def claim() -> None:
        said.append(refusal_of(lambda: world.engine.run(lambda tx: claims.commit(tx, other, hosts[1]))))

    in_turn(world, lambda tx: claims.commit(tx, one, hosts[0]), claim)
    assert [refusal and refusal.code for refusal in said] == ["cannot_bind"]
    assert instances(world) == [INSTANCE]


def test_of_two_profiles_that_become_one_vsi_one_does(world: World, host: EnrolledHost) -> None:
    profiles = [vsi_type(world) for _ in range(2)]
    for number, profile_id in enumerate(profiles):
        world.run_server(host, f"web-{number}", world.direct(port_profile_id=profile_id))
    said: list[Refusal | None] = []

    def become(profile_id: PortProfileId) -> Work:
        given = GivenSettings(instance_id=INSTANCE)
        return lambda tx: port_profiles.update(tx, profile_id, PortProfileChanges(), given)

    def follow() -> None:
        said.append(refusal_of(lambda: world.engine.run(become(profiles[1]))))

    in_turn(world, become(profiles[0]), follow)
    assert [refusal and refusal.code for refusal in said] == ["cannot_bind"]
    assert instances(world).count(INSTANCE) == 1
