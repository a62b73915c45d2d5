"""A port that waits on another host beside its own."""

from dataclasses import replace

import pytest

from fairlead.control import attaching, dead_hosts, hosts, port_bindings, qos, servers
from fairlead.control.assignments import desired_of
from fairlead.control.boundary import Tx
from fairlead.control.port_bindings import BindingView
from fairlead.model.binding import BindingRole, Wiring
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.errors import Conflict, InvalidValue, NotFound
from fairlead.model.ids import PortId
from fairlead.model.port import VnicType
from tests.control_world import EnrolledHost, World


class Pair:
    """A server that runs on `here` with one port, and a host that it is not on."""

    def __init__(self, world: World, nics: object = None, **policy: object) -> None:
        world.policy(**policy)
        self.world = world
        self.here: EnrolledHost = world.host("h1", 1)
        self.server = world.run_server(self.here, "web", nics or world.direct())  # type: ignore[arg-type]
        self.there: EnrolledHost = world.host("h2", 2)
        self.port_id: PortId = self.server.ports[0]

    def run(self, work, *args):
        return self.world.engine.run(lambda tx: work(tx, *args))

    def prepare(self) -> BindingView:
        return self.run(port_bindings.prepare, self.port_id, "h2")

    def device(self) -> Device:
        """The device held there."""

        def look(tx: Tx) -> Device:
            binding = tx.bindings.fetch((self.port_id, self.there.id))
            return tx.devices.fetch(binding.device_id)

        return self.run(look)

    def held_there(self) -> tuple[object, ...]:
        return self.run(lambda tx: tx.allocations.find(host_id=self.there.id))

    def is_sound(self) -> bool:
        return self.world.violations() == ()


@pytest.fixture
def pair(world: World) -> Pair:
    return Pair(world)


def test_a_device_is_held_and_its_host_is_told_nothing(pair):
    view = pair.prepare()
    assert (view.host, view.binding.role, view.binding.wiring) == ("h2", BindingRole.INACTIVE, Wiring.PENDING)
    assert pair.device().status is DeviceStatus.CLAIMED
    pair.there.settle()
    document = pair.run(lambda tx: desired_of(tx, tx.hosts.lock(pair.there.id)))
    assert (document.vfs, document.guests) == ((), ())
    assert pair.run(lambda tx: tx.bindings.fetch((pair.port_id, pair.there.id))).wiring is Wiring.PENDING
    assert pair.world.view(pair.server.id).nics[0].binding.host_id == pair.here.id
    assert pair.is_sound()


def test_no_one_else_gets_the_device(pair):
    held = pair.prepare()
    others = [pair.world.boot(f"s{n}", pair.world.direct(8)) for n in range(6)]
    pair.world.scheduler.tick()
    given = pair.run(lambda tx: tx.allocations.find(host_id=pair.there.id))
    assert [a.server_id for a in given if a.device_id == held.binding.device_id] == [pair.server.id]
    assert any(pair.world.server(other.id).host_id == pair.there.id for other in others)
    assert pair.is_sound()


def test_withdrawn_it_is_free_when_its_host_says_so(pair):
    pair.prepare()
    device = pair.device()
    pair.run(port_bindings.withdraw, pair.port_id, "h2")
    assert not pair.held_there()
    assert pair.run(lambda tx: tx.devices.fetch(device.id)).status is DeviceStatus.RELEASING
    pair.there.settle()
    assert pair.run(lambda tx: tx.devices.fetch(device.id)).status is DeviceStatus.AVAILABLE
    assert pair.is_sound()


def test_what_cannot_be_bound_there_says_why(pair):
    with pytest.raises(NotFound):
        pair.run(port_bindings.prepare, pair.port_id, "nowhere")
    with pytest.raises(Conflict) as refused:
        pair.run(port_bindings.prepare, pair.port_id, "h1")
    assert refused.value.code == "binding_exists"
    loose = pair.world.port(VnicType.DIRECT)
    with pytest.raises(InvalidValue):
        pair.run(port_bindings.prepare, loose, "h2")
    changes = hosts.HostChanges(admin=hosts.HostAdmin.DISABLED, admin_reason="new disks")
    pair.run(hosts.update, pair.there.id, changes)
    with pytest.raises(Conflict, match="new disks") as refused:
        pair.prepare()
    assert refused.value.code == "cannot_bind"
    assert pair.is_sound()


def test_the_binding_in_force_is_not_withdrawn_nor_one_that_is_not_there(pair):
    with pytest.raises(Conflict) as refused:
        pair.run(port_bindings.withdraw, pair.port_id, "h1")
    assert refused.value.code == "in_use"
    with pytest.raises(NotFound):
        pair.run(port_bindings.withdraw, pair.port_id, "h2")


def test_a_binding_moves_no_server(pair):
    pair.prepare()
    with pytest.raises(Conflict, match="does not move it") as refused:
        pair.run(port_bindings.activate, pair.port_id, "h2")
    assert refused.value.code == "wrong_state"
    with pytest.raises(Conflict) as refused:
        pair.run(port_bindings.activate, pair.port_id, "h1")
    assert refused.value.code == "binding_active"


def test_bindings_follow_a_server_that_has_come(pair):
    """As a migration does it: the server's row, and its binding, in one transaction."""
    pair.prepare()

    def come(tx: Tx) -> None:
        tx.servers.put(replace(tx.servers.lock(pair.server.id), host_id=pair.there.id))
        port_bindings.activate(tx, pair.port_id, "h2")

    pair.run(come)
    roles = {view.host: view.binding.role for view in pair.run(port_bindings.find, pair.port_id)}
    assert roles == {"h1": BindingRole.INACTIVE, "h2": BindingRole.ACTIVE}
    assert pair.world.view(pair.server.id).nics[0].binding.wiring is Wiring.PENDING
    assert pair.is_sound()
    pair.run(port_bindings.withdraw, pair.port_id, "h1")
    pair.here.settle()
    pair.there.settle()
    assert pair.world.view(pair.server.id).nics[0].binding.wiring is Wiring.WIRED
    assert not pair.run(lambda tx: tx.allocations.find(host_id=pair.here.id))
    assert pair.is_sound()


def test_a_server_that_goes_waits_nowhere(pair):
    pair.prepare()
    pair.run(servers.delete, pair.server.id)
    assert not pair.held_there()
    assert pair.is_sound()
    pair.there.settle()
    pair.here.settle()
    assert pair.run(lambda tx: (tx.servers.find(), tx.bindings.find(), tx.allocations.find())) == ((), (), ())


def test_a_port_that_is_being_detached_waits_nowhere(pair):
    pair.prepare()
    pair.run(attaching.detach, pair.server.id, pair.port_id)
    assert not pair.held_there()
    with pytest.raises(Conflict, match="being detached") as refused:
        pair.prepare()
    assert refused.value.code == "wrong_state"
    pair.there.settle()
    pair.here.settle()
    assert pair.run(lambda tx: (tx.bindings.find(), tx.allocations.find())) == ((), ())
    assert pair.is_sound()


def test_a_host_that_is_forgotten_takes_along_what_waits_on_it(pair):
    pair.prepare()
    pair.run(hosts.delete, pair.there.id)
    assert len(pair.run(port_bindings.find, pair.port_id)) == 1
    assert pair.is_sound()


def test_a_server_that_lost_its_host_waits_nowhere(pair):
    pair.prepare()
    pair.world.time.advance(3600)
    pair.run(dead_hosts.forget, pair.here.id)
    assert pair.run(port_bindings.find, pair.port_id) == ()
    assert pair.is_sound()


def test_a_card_that_vanishes_there_fails_the_binding_and_not_the_server(pair):
    pair.prepare()
    pair.there.sim.machine.pull(pair.device().pf)
    pair.there.settle()
    binding = pair.run(port_bindings.show, pair.port_id, "h2").binding
    assert (binding.wiring, binding.failure.code) == (Wiring.FAILED, "device_missing")
    assert pair.world.server(pair.server.id).fault is None
    assert pair.world.view(pair.server.id).nics[0].binding.wiring is Wiring.WIRED


def test_an_ordinary_vnic_waits_with_a_bridge(world):
    pair = Pair(world, world.normal())
    view = pair.prepare()
    assert view.binding.device_id is None
    assert [d for d in pair.run(lambda tx: tx.devices.find(host_id=pair.there.id)) if d.is_uplink]
    pair.run(port_bindings.withdraw, pair.port_id, "h2")
    assert not [d for d in pair.run(lambda tx: tx.devices.find(host_id=pair.there.id)) if d.is_uplink]


def test_a_promise_that_is_lowered_is_lowered_where_the_port_waits_too(world):
    pair = Pair(world, world.direct(min_mbps=1000), egress_mbps=10_000)
    pair.prepare()
    generation = pair.run(lambda tx: tx.hosts.fetch(pair.there.id)).generation

    def lower(tx: Tx) -> None:
        policy_id = tx.ports.fetch(pair.port_id).qos_policy_id
        (rule,) = tx.qos_policies.fetch(policy_id).rules
        qos.change_rule(tx, policy_id, rule.kind, rule.id, qos.QosRuleChanges(kbps=400_000))

    pair.run(lower)
    held = pair.run(lambda tx: tx.allocations.find(port_id=pair.port_id))
    assert {(row.host_id, row.egress_kbps) for row in held} == {
        (pair.here.id, 400_000),
        (pair.there.id, 400_000),
    }
    assert pair.run(lambda tx: tx.hosts.fetch(pair.there.id)).generation == generation
    assert pair.is_sound()
