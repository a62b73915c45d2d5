"""What may change of a port that a server has, and that its host is told."""

import pytest

from fairlead.control import networks, ports, qos
from fairlead.control.addresses import WantedAddress
from fairlead.control.assignments import desired_of
from fairlead.control.boundary import host_wake
from fairlead.control.dhcp_options import DhcpOptionChange
from fairlead.control.networks import NetworkChanges
from fairlead.control.port_changes import PortChanges, update
from fairlead.control.qos import NewQosPolicy, QosRuleChanges
from fairlead.control.segments import NoSegment
from fairlead.model.binding import Wiring
from fairlead.model.errors import Conflict
from fairlead.model.ids import PortId, QosPolicyId, QosRuleId
from fairlead.model.network import Network, SegmentKind
from fairlead.model.pci import MacAddress
from fairlead.model.port import PortStatus, VnicType
from fairlead.model.qos import Direction, QosRule, QosRuleKind
from fairlead.model.vf import LinkState
from tests.control_world import CALLER, EnrolledHost, World


class Bound:
    """A server that runs with one port on a VF."""

    def __init__(self, world: World, **nic: object) -> None:
        world.policy()
        self.world = world
        self.host: EnrolledHost = world.host()
        self.server = world.run_server(self.host, "web", world.direct(**nic))
        self.port_id: PortId = self.server.ports[0]

    def view(self) -> ports.PortView:
        return self.world.engine.run(lambda tx: ports.show(tx, self.port_id))

    def generation(self) -> int:
        return self.world.engine.run(lambda tx: tx.hosts.fetch(self.host.id)).generation

    def change(self, *wanted: WantedAddress, **changes: object) -> None:
        fixed_ips = (wanted,) if wanted else ()
        self.world.engine.run(
            lambda tx: update(tx, self.port_id, PortChanges(**changes), *fixed_ips)  # type: ignore[arg-type]
        )

    def vf(self):
        binding = self.view().binding
        assert binding
        pf, index = self.host.sim.machine.vf_at(binding.profile["pci_slot"])
        return pf.vfs[index]


@pytest.fixture
def bound(world: World) -> Bound:
    return Bound(world)


def policy(world: World, **kbps: int) -> QosPolicyId:
    def work(tx):
        made = qos.create(tx, NewQosPolicy(CALLER.project_id, "p"))
        for kind, rate in kbps.items():
            rule = QosRule(QosRuleId(tx.new_id()), QosRuleKind(kind), Direction.EGRESS, rate)
            qos.add_rule(tx, made.id, rule)
        return made.id

    return world.engine.run(work)


def test_dhcp_options_reach_the_guest_at_its_next_boot(bound: Bound) -> None:
    before = bound.generation()
    bound.change(dhcp_options=(DhcpOptionChange("mtu", "1400"),))
    assert bound.view().status is PortStatus.ACTIVE
    assert bound.generation() > before


def test_a_changed_setting_reaches_the_vf(bound):
    before = bound.generation()
    bound.world.wakes.heard.clear()
    bound.change(vlan_priority=5, port_security_enabled=False)
    view = bound.view()
    assert bound.generation() > before
    assert (view.status, view.binding.wiring) == (PortStatus.BUILD, Wiring.PENDING)
    assert view.binding.generation == bound.generation()
    assert host_wake(bound.host.id) in bound.world.wakes.heard
    bound.host.settle()
    assert bound.view().status is PortStatus.ACTIVE
    assert (bound.vf().vlan_priority, bound.vf().spoof_check) == (5, False)
    assert bound.world.violations() == ()


def test_a_link_that_does_not_follow_its_pf_is_up_unless_the_port_is_down(bound):
    for changes, state in (
        ({"propagate_uplink_status": False}, LinkState.ENABLE),
        ({"admin_state_up": False}, LinkState.DISABLE),
        ({"admin_state_up": True, "propagate_uplink_status": True}, LinkState.AUTO),
    ):
        bound.change(**changes)
        bound.host.settle()
        assert bound.vf().link_state is state


def test_what_a_host_is_not_told_of_leaves_it_alone(bound):
    before = bound.generation()
    bound.change(name="new", description="d", tags=("a",))
    assert bound.generation() == before
    assert bound.view().status is PortStatus.ACTIVE


def test_a_new_address_is_for_the_next_boot(bound):
    before = bound.generation()
    bound.change(WantedAddress(ip_address="10.0.0.77"))
    assert bound.generation() > before
    assert bound.view().status is PortStatus.ACTIVE


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"mac": MacAddress("fa:16:3e:00:00:09")}, "bound"),
        ({"vnic_type": VnicType.NORMAL}, "in_use"),
        ({"wanted_host": "h9"}, "bound"),
        ({"device_id_text": "somebody"}, "in_use"),
        ({"device_id_text": ""}, "in_use"),
    ],
)
def test_what_a_device_was_claimed_for_stands(bound, changes, code):
    with pytest.raises(Conflict) as refused:
        bound.change(**changes)
    assert refused.value.code == code
    assert bound.server.id in refused.value.message


def test_trust_does_not_go_on(bound):
    with pytest.raises(Conflict, match=r"trust cannot go on: .* of server web") as refused:
        bound.change(trusted=True)
    assert refused.value.code == "bound"


def test_what_is_so_already_may_be_said_again(bound):
    before = bound.view()
    port = before.port
    bound.change(
        mac=port.mac,
        vnic_type=port.vnic_type,
        device_id_text=port.server_id,
        device_owner=port.device_owner,
        wanted_host=before.host,
    )
    assert bound.view().binding == before.binding


def test_a_port_of_a_server_is_not_deleted(bound):
    with pytest.raises(Conflict) as refused:
        bound.world.engine.run(lambda tx: ports.delete(tx, bound.port_id))
    assert refused.value.code == "in_use"
    assert bound.server.id in refused.value.message


def test_a_limit_comes_and_goes_with_its_rule(bound):
    engine, limited = bound.world.engine, policy(bound.world, bandwidth_limit=300_000)
    bound.change(qos_policy_id=limited)
    bound.host.settle()
    assert bound.vf().max_rate_mbps == 300
    rule = engine.run(lambda tx: tx.qos_policies.fetch(limited)).rules[0]
    changes = QosRuleChanges(kbps=700_000)
    engine.run(lambda tx: qos.change_rule(tx, limited, QosRuleKind.BANDWIDTH_LIMIT, rule.id, changes))
    bound.host.settle()
    assert bound.vf().max_rate_mbps == 700
    engine.run(lambda tx: qos.remove_rule(tx, limited, QosRuleKind.BANDWIDTH_LIMIT, rule.id))
    bound.host.settle()
    assert bound.vf().max_rate_mbps == 0
    assert bound.view().status is PortStatus.ACTIVE


def test_a_networks_policy_reaches_its_ports(bound):
    engine, limited = bound.world.engine, policy(bound.world, bandwidth_limit=200_000)
    changes = NetworkChanges(qos_policy_id=limited)
    engine.run(lambda tx: networks.update(tx, bound.world.network_id, changes))
    bound.host.settle()
    assert bound.vf().max_rate_mbps == 200


def test_a_promised_bandwidth_stands_while_the_port_is_bound(bound):
    engine, promised = bound.world.engine, policy(bound.world, minimum_bandwidth=100_000)
    with pytest.raises(Conflict) as refused:
        bound.change(qos_policy_id=promised)
    assert refused.value.code == "bound"
    changes = NetworkChanges(qos_policy_id=promised)
    with pytest.raises(Conflict):
        engine.run(lambda tx: networks.update(tx, bound.world.network_id, changes))
    bound.change(qos_policy_id=policy(bound.world, bandwidth_limit=1000))
    empty = bound.view().port.qos_policy_id
    rule = QosRule(QosRuleId("r"), QosRuleKind.MINIMUM_BANDWIDTH, Direction.EGRESS, 500)
    with pytest.raises(Conflict):
        engine.run(lambda tx: qos.add_rule(tx, empty, rule))


def test_a_policy_does_not_come_to_promise_what_a_bound_tap_cannot_give(world):
    host = world.host()
    world.policy()
    host.settle()
    server = world.run_server(host, "web", world.normal())
    empty = policy(world, bandwidth_limit=2_000_000)
    changes = PortChanges(qos_policy_id=empty)
    world.engine.run(lambda tx: update(tx, server.ports[0], changes))
    rule = QosRule(QosRuleId("r"), QosRuleKind.MINIMUM_BANDWIDTH, Direction.EGRESS, 500)
    with pytest.raises(Conflict) as refused:
        world.engine.run(lambda tx: qos.add_rule(tx, empty, rule))
    assert "of server web" in refused.value.message
    assert world.engine.run(lambda tx: desired_of(tx, tx.hosts.lock(host.id))).taps


def test_a_port_that_a_server_is_to_have_is_not_deleted_before_it_is_placed(world):
    port_id = world.port(VnicType.DIRECT)
    world.boot("web", world.direct())
    with world.database.transaction() as tx:
        attached = tx.ports.find(network_id=world.network_id)
    assert {port.server_id is None for port in attached} == {True, False}
    world.engine.run(lambda tx: ports.delete(tx, port_id))
    held = next(port for port in attached if port.server_id)
    with pytest.raises(Conflict):
        world.engine.run(lambda tx: ports.delete(tx, held.id))


def test_the_lowest_free_vlan_skips_those_in_use(world):
    taken: Network = world.engine.run(lambda tx: tx.networks.fetch(world.network_id))
    assert taken.vlan == 100
    world.policy()

    def make(tx):
        return networks.create(tx, networks.NewNetwork(CALLER.project_id)).network

    made = world.engine.run(make)
    assert (made.physical_network, made.vlan) == ("physnet1", 2)


@pytest.mark.parametrize("free", [(7,), (2, 30), (29, 30), (4094,)])
def test_each_gap_among_many_vlans_is_found_the_lowest_first(world, free):
    for physical_network in ("physnet8", "physnet9"):
        _make(
            world, physical_network, set(range(1, 31)) - set(free if physical_network == "physnet9" else ())
        )
    wanted = [vlan for vlan in free if vlan <= 30] + [31]
    assert [_made(world, "physnet9").vlan for _ in wanted] == wanted


def test_a_physical_network_can_be_full(world):
    _make(world, "physnet9", set(range(1, 4095)) - {4000})
    assert _made(world, "physnet9").vlan == 4000
    with pytest.raises(Conflict, match="Every VLAN of physical network physnet9 from 2 is in use"):
        _made(world, "physnet9")


def test_vlan_1_is_given_to_who_asks_for_it_alone(world):
    assert [_made(world, "physnet9").vlan for _ in range(2)] == [2, 3]
    assert _made(world, "physnet9", vlan=1).vlan == 1
    assert _made(world, "physnet9").vlan == 4


def test_where_nothing_is_said_the_first_physical_network_with_a_free_vlan_does(world):
    world.policy(name="b", physical_network="physnet9")
    world.policy(name="a", physical_network="physnet8")
    _make(world, "physnet8", set(range(1, 4095)) - {4000})
    assert [(made.physical_network, made.vlan) for made in (_made(world, None), _made(world, None))] == [
        ("physnet8", 4000),
        ("physnet9", 2),
    ]
    _make(world, "physnet9", set(range(3, 4095)))
    with pytest.raises(Conflict, match="Every VLAN of physical networks physnet8, physnet9 from 2 is in use"):
        _made(world, None)


@pytest.mark.parametrize("said", [{"vlan": 7}, {"kind": SegmentKind.FLAT}])
def test_a_vlan_or_a_flat_network_means_one_certain_physical_network(world, said):
    world.policy(name="a", physical_network="physnet8")
    world.policy(name="b", physical_network="physnet9")
    with pytest.raises(NoSegment, match="several: physnet8, physnet9"):
        world.engine.run(lambda tx: networks.create(tx, networks.NewNetwork(CALLER.project_id, **said)))


def _make(world, physical_network, vlans):
    def work(tx):
        for vlan in vlans:
            networks.create(
                tx, networks.NewNetwork(CALLER.project_id, physical_network=physical_network, vlan=vlan)
            )

    world.engine.run(work)


def _made(world, physical_network, vlan=None):
    wanted = networks.NewNetwork(CALLER.project_id, physical_network=physical_network, vlan=vlan)
    return world.engine.run(lambda tx: networks.create(tx, wanted)).network
