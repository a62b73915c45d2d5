"""A fabric's subnet manager is told before a guest is given a port, and again before its VF is anybody's."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

import pytest

from fairlead.control import attaching, fabrics, port_profiles, servers
from fairlead.control.boundary import Tx
from fairlead.control.nics import BootNic
from fairlead.control.partition_keeper import PartitionKeeper
from fairlead.model.errors import Conflict, Failure, Fault, NotFound
from fairlead.model.fabric import Fabric, Member, Telling
from fairlead.model.ids import PortId, PortProfileId, ServerId
from fairlead.model.infiniband import Guid, Membership, PartitionKey
from fairlead.model.port_profile import EthernetSettings, InfinibandSettings
from fairlead.model.server import ServerStatus
from fairlead.sim.partitions import SimSubnetManager
from tests.control_world import CALLER, EnrolledHost
from tests.infiniband_world import FABRIC, MLX4, MLX5, InfinibandWorld

OF_THE_NETWORK = PartitionKey(5, Membership.FULL)
STRANGER = Member(Guid("0a:00:00:00:00:00:00:01"), PartitionKey(7, Membership.FULL))


class ToldWorld(InfinibandWorld):
    """InfinibandWorld whose fabric has a subnet manager that is told, and hosts with mlx5 alone in it."""

    def __init__(self, match: str = MLX5) -> None:
        super().__init__(match=match)
        self.manager = SimSubnetManager()
        self.keeper = self.anew("control-1")
        self.keeper.tick()

    def anew(self, teller: str) -> PartitionKeeper:
        return PartitionKeeper(self.engine, teller, {FABRIC: self.manager})

    def told(self, host: EnrolledHost) -> None:
        """The keeper ticks, and the host hears of it."""
        self.keeper.tick()
        host.settle()

    def guid(self, server_id: ServerId) -> Guid:
        port_id = self.port_of(server_id)
        port = self.engine.run(lambda tx: tx.ports.fetch(port_id))
        assert port.guid
        return port.guid

    def fabric(self) -> Fabric:
        return self.engine.run(lambda tx: tx.fabrics.fetch(FABRIC))

    def tellings(self) -> list[Telling]:
        return [row.telling for row in self.engine.run(lambda tx: tx.partition_members.find())]

    def is_up(self, host: EnrolledHost) -> bool:
        return any(domain.is_up for domain in host.sim.machine.domains.values())


class SlowManager(SimSubnetManager):
    """Whose command is waited for in vain, each time."""

    def __init__(self, wait: Callable[[], None]) -> None:
        super().__init__()
        self._wait = wait
        self.is_as_written = False

    def tell(self, members: Collection[Member]) -> None:
        self._wait()
        raise Fault(Failure("manager_unheard", "Telling", f"{len(members)} members", "it had not ended"))


@pytest.fixture
def world() -> Iterator[ToldWorld]:
    made = ToldWorld()
    yield made
    made.close()


def test_a_guest_starts_once_the_manager_knows_its_partition(world: ToldWorld):
    host = world.ib_host()
    server = world.run_server(host, "web", world.ib_nic())
    assert server.status is ServerStatus.BUILD
    assert server.fault is not None
    assert (server.fault.code, "has not been told yet" in str(server.fault)) == ("held_back", True)
    assert not world.is_up(host)
    world.told(host)
    assert world.manager.read == {Member(world.guid(server.id), OF_THE_NETWORK)}
    assert world.server(server.id).status is ServerStatus.ACTIVE
    assert world.server(server.id).fault is None


def test_a_vf_is_free_once_the_manager_knows_its_guid_no_more(world: ToldWorld):
    host = world.ib_host()
    server = world.run_server(host, "web", world.ib_nic())
    world.told(host)
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    host.settle()
    assert not world.is_up(host)
    assert world.server(server.id).status is ServerStatus.DELETING
    assert world.engine.run(lambda tx: tx.allocations.count()) == 1
    world.told(host)
    assert world.manager.read == frozenset()
    assert world.tellings() == []
    with pytest.raises(NotFound):
        world.server(server.id)
    assert world.engine.run(lambda tx: tx.allocations.count()) == 0
    assert world.violations() == ()


def test_a_running_guest_is_given_a_port_once_the_manager_knows_it_and_the_port_is_free_after(
    world: ToldWorld,
):
    host, port = world.ib_host(), world.ib_port().port
    server = world.run_server(host, "web", world.direct())
    nic = BootNic(port_id=port.id)
    world.engine.run(lambda tx: attaching.attach(tx, CALLER, server.id, nic))
    host.settle()
    domain = next(iter(host.sim.machine.domains.values()))
    assert domain.is_up
    assert world.server(server.id).status is ServerStatus.ACTIVE
    assert len(_hostdevs(host)) == 1
    world.told(host)
    assert len(_hostdevs(host)) == 2
    world.engine.run(lambda tx: attaching.detach(tx, server.id, port.id))
    host.settle()
    assert port.id in world.server(server.id).ports
    world.told(host)
    assert port.id not in world.server(server.id).ports


def test_a_manager_that_does_not_listen_keeps_guests_down_and_vfs_held(world: ToldWorld):
    host = world.ib_host()
    world.manager.is_deaf = True
    server = world.run_server(host, "web", world.ib_nic())
    world.told(host)
    assert not world.is_up(host)
    failure = world.fabric().failure
    assert failure is not None
    assert failure.code == "manager_unheard"
    world.manager.is_deaf = False
    world.told(host)
    assert world.server(server.id).status is ServerStatus.ACTIVE
    assert world.fabric().failure is None
    world.manager.is_deaf = True
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    host.settle()
    world.told(host)
    assert world.server(server.id).status is ServerStatus.DELETING


def test_what_was_written_and_perhaps_not_read_is_told_again(world: ToldWorld):
    """The process ended between the two."""
    host = world.ib_host()
    server = world.run_server(host, "web", world.ib_nic())
    world.manager.is_deaf = True
    world.keeper.tick()
    world.manager.is_deaf = False
    assert world.manager.shown
    assert not world.manager.read
    world.keeper = world.anew("control-1")
    world.told(host)
    assert world.manager.read == {Member(world.guid(server.id), OF_THE_NETWORK)}
    assert world.is_up(host)


def test_nothing_is_told_twice_without_a_reason(world: ToldWorld):
    host = world.ib_host()
    world.run_server(host, "web", world.ib_nic())
    world.told(host)
    times = world.manager.times_told
    world.told(host)
    assert world.manager.times_told == times


@pytest.mark.parametrize("is_as_written", [True, False])
def test_what_somebody_has_changed_is_mended_and_said(world: ToldWorld, *, is_as_written: bool):
    host = world.ib_host()
    world.run_server(host, "web", world.ib_nic())
    world.told(host)
    wanted = world.manager.read
    world.manager.shown = world.manager.read = frozenset({STRANGER})
    world.manager.is_as_written = is_as_written
    world.told(host)
    assert world.manager.read == wanted
    assert world.tellings() == [Telling.TOLD]
    events = world.engine.run(lambda tx: tx.events(subject=FABRIC))
    assert "partitions_changed" in {event.kind for event in events}
    assert world.is_up(host)


def test_a_guid_that_a_restored_database_does_not_know_of_is_taken_out(world: ToldWorld):
    world.manager.shown = world.manager.read = frozenset({STRANGER})
    world.keeper.tick()
    assert world.manager.read == frozenset()
    assert world.tellings() == []


def test_a_port_whose_partition_changes_is_wired_once_the_manager_knows_the_other(world: ToldWorld):
    profile = world.profile(InfinibandSettings(9))
    host, port = world.ib_host(), world.ib_port(port_profile_id=profile).port
    server = world.run_server(host, "web", (BootNic(port_id=port.id),))
    world.told(host)
    assert world.server(server.id).status is ServerStatus.ACTIVE
    _change_profile(world, profile, InfinibandSettings(10, Membership.LIMITED))
    host.settle()
    assert _wiring(world, port.id) == "PENDING"
    assert world.is_up(host)
    world.told(host)
    assert _wiring(world, port.id) == "WIRED"
    assert world.manager.read == {Member(world.guid(server.id), PartitionKey(10, Membership.LIMITED))}


def test_on_mlx4_the_pfs_own_port_is_in_the_partitions_of_its_vfs():
    world = ToldWorld(MLX4)
    host = world.ib_host()
    own = next(pf.nic.guid for pf in host.sim.machine.pfs.values() if pf.nic.name == MLX4)
    assert own
    first, second = (world.run_server(host, name, world.ib_nic()) for name in ("a", "b"))
    world.told(host)
    assert world.manager.read == {Member(own, OF_THE_NETWORK)}
    assert {world.server(s.id).status for s in (first, second)} == {ServerStatus.ACTIVE}
    world.engine.run(lambda tx: servers.delete(tx, first.id))
    host.settle()
    world.told(host)
    assert world.manager.read == {Member(own, OF_THE_NETWORK)}
    world.engine.run(lambda tx: servers.delete(tx, second.id))
    host.settle()
    world.told(host)
    assert world.manager.read == frozenset()
    world.close()


def test_on_mlx4_a_full_member_waits_while_a_limited_one_has_the_pf_and_makes_it_no_full_one():
    world = ToldWorld(MLX4)
    host = world.ib_host()
    profile = world.profile(InfinibandSettings(9, Membership.LIMITED), "limited")
    limited = world.ib_port(port_profile_id=profile).port
    full = world.ib_port(port_profile_id=world.profile(InfinibandSettings(9), "full")).port
    world.run_server(host, "a", (BootNic(port_id=limited.id),))
    world.told(host)
    waiting = world.run_server(host, "b", (BootNic(port_id=full.id),))
    world.told(host)
    assert "no full member of partition 0x0009 yet" in str(world.server(waiting.id).fault)
    assert {member.partition for member in world.manager.read} == {PartitionKey(9, Membership.LIMITED)}
    assert _wiring(world, full.id) == "PENDING"
    world.close()


def test_one_process_tells_a_fabric_and_another_takes_over_when_it_is_silent(world: ToldWorld):
    host = world.ib_host()
    world.run_server(host, "web", world.ib_nic())
    other = world.anew("control-2")
    other.tick()
    assert not world.manager.read
    world.time.advance(61)
    other.tick()
    assert world.manager.read
    assert world.fabric().teller == "control-2"


def test_a_process_that_waits_for_many_managers_is_not_silent(world: ToldWorld):
    names = ("a", "b", "c", "d")
    slow = {name: SlowManager(lambda: world.time.advance(20)) for name in names}
    PartitionKeeper(world.engine, "control-1", slow).tick()
    prompt = {name: SimSubnetManager() for name in names}
    PartitionKeeper(world.engine, "control-2", prompt).tick()
    tellers = {fabric.teller for fabric in world.engine.run(lambda tx: tx.fabrics.find())}
    assert tellers == {"control-1"}


def test_a_process_that_ends_begins_no_other_fabric(world: ToldWorld):
    managers = {name: SimSubnetManager() for name in ("a", "b")}
    for manager in managers.values():
        manager.is_as_written = False
    keeper = PartitionKeeper(world.engine, "control-1", managers)
    keeper.tick(lambda: any(manager.times_told for manager in managers.values()))
    assert sum(manager.times_told for manager in managers.values()) == 1


def test_a_port_that_contradicts_itself_is_left_out_and_stays_what_it_was(world: ToldWorld):
    profile = world.profile(InfinibandSettings(9))
    host, port = world.ib_host(), world.ib_port(port_profile_id=profile).port
    first = world.run_server(host, "a", (BootNic(port_id=port.id),))
    world.told(host)
    known = world.manager.read
    assert known == {Member(world.guid(first.id), PartitionKey(9, Membership.FULL))}
    second = world.run_server(host, "b", world.ib_nic())
    _contradict(world, profile)
    for _ in range(2):
        world.keeper.tick()
    assert world.manager.read == known | {Member(world.guid(second.id), OF_THE_NETWORK)}
    failure = world.fabric().failure
    assert failure is not None
    assert (failure.code, f"port {port.id} is left out" in failure.answer) == ("ports_unclear", True)
    events = world.engine.run(lambda tx: tx.events(subject=FABRIC))
    assert [event.kind for event in events].count("partitions_failed") == 1


def test_a_port_that_contradicts_itself_before_it_was_told_is_not_told(world: ToldWorld):
    profile = world.profile(InfinibandSettings(9))
    host, port = world.ib_host(), world.ib_port(port_profile_id=profile).port
    world.run_server(host, "a", (BootNic(port_id=port.id),))
    _contradict(world, profile)
    world.keeper.tick()
    assert world.manager.read == frozenset()
    assert world.fabric().failure is not None


def test_a_fabric_is_forgotten_once_nobody_tells_it_and_its_ports_wait_no_more(world: ToldWorld):
    host = world.ib_host()
    server = world.run_server(host, "web", world.ib_nic())
    with pytest.raises(Conflict, match="is told by control process control-1") as refused:
        world.engine.run(lambda tx: fabrics.forget(tx, FABRIC))
    assert refused.value.code == "wrong_state"
    world.time.advance(61)
    world.engine.run(lambda tx: fabrics.forget(tx, FABRIC))
    host.settle()
    assert world.server(server.id).status is ServerStatus.ACTIVE
    assert world.engine.run(fabrics.list_fabrics) == ()


def test_what_is_told_of_a_fabric_is_counted(world: ToldWorld):
    host = world.ib_host()
    world.run_server(host, "a", world.ib_nic())
    world.told(host)
    world.run_server(host, "b", world.ib_nic())
    world.manager.is_deaf = True
    world.keeper.tick()
    (view,) = world.engine.run(fabrics.list_fabrics)
    assert (view.told, view.waiting) == (1, 1)


def _hostdevs(host: EnrolledHost) -> tuple[str, ...]:
    """What the guest has now."""
    (domain,) = host.sim.machine.domains.values()
    return tuple(domain.live_hostdevs)


def _wiring(world: ToldWorld, port_id: PortId) -> str:
    (binding,) = world.engine.run(lambda tx: tx.bindings.find(port_id=port_id))
    return binding.wiring.value


def _contradict(world: ToldWorld, profile_id: PortProfileId) -> None:
    """As no request can: the profile is none of InfiniBand any more."""

    def change(tx: Tx) -> None:
        profile = tx.port_profiles.fetch(profile_id)
        tx.port_profiles.put(replace(profile, settings=EthernetSettings(vlan_priority=3)))

    world.engine.run(change)


def _change_profile(world: ToldWorld, profile: PortProfileId, settings: InfinibandSettings) -> None:
    changes = port_profiles.PortProfileChanges()
    given = port_profiles.GivenSettings(partition_key=settings.partition_key, membership=settings.membership)
    world.engine.run(lambda tx: port_profiles.update(tx, profile, changes, given))
