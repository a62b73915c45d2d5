"""Port profiles: made, chosen, changed under running servers, and refused where they cannot hold."""

from dataclasses import replace

import pytest

from fairlead.control import accounts, networks, port_profiles, ports, qos, sharing
from fairlead.control.networks import NetworkChanges, NewNetwork
from fairlead.control.nics import BootNic
from fairlead.control.port_changes import PortChanges, update
from fairlead.control.port_profiles import GivenSettings, NewPortProfile, PortProfileChanges
from fairlead.control.ports import NewPort
from fairlead.control.sharing import NewRbacPolicy, ShareableKind
from fairlead.model.binding import Wiring
from fairlead.model.errors import Conflict, InvalidValue, NotFound
from fairlead.model.ids import PortId, PortProfileId, ProjectId, QosRuleId
from fairlead.model.network import SegmentKind
from fairlead.model.policy import DeviceMatch
from fairlead.model.port import PortStatus, VnicType
from fairlead.model.port_profile import PortProfile, PortProfileKind, QbhSettings, parse_vlans
from fairlead.model.qos import Direction, QosRule, QosRuleKind
from fairlead.model.server import ServerStatus
from fairlead.model.vf import LinkState, VlanProtocol
from tests.control_world import CALLER, World


def profile(
    world: World, kind: PortProfileKind = PortProfileKind.ETHERNET, **settings: object
) -> PortProfileId:
    made = port_profiles.settings_of(kind, GivenSettings(**settings))  # type: ignore[arg-type]
    new = NewPortProfile(CALLER.project_id, "gold", made)
    return world.engine.run(lambda tx: port_profiles.create(tx, new)).id


def change(world: World, of: PortProfileId, /, **settings: object) -> PortProfile:
    given = GivenSettings(**settings)  # type: ignore[arg-type]
    return world.engine.run(lambda tx: port_profiles.update(tx, of, PortProfileChanges(), given))


def set_network(world: World, **changes: object) -> None:
    given = NetworkChanges(**changes)  # type: ignore[arg-type]
    world.engine.run(lambda tx: networks.update(tx, world.network_id, given))


def port(world: World, **fields: object) -> PortId:
    given: dict[str, object] = {"vnic_type": VnicType.DIRECT, **fields}
    new = NewPort(CALLER.project_id, world.network_id, **given)  # type: ignore[arg-type]
    return world.engine.run(lambda tx: ports.create(tx, new)).port.id


QBG = {"manager_id": 11, "type_id": 1, "type_id_version": 1}


class Running:
    """A server that runs with one NIC."""

    def __init__(self, world: World, nic: tuple[BootNic, ...]) -> None:
        world.policy()
        self.world, self.host = world, world.host()
        self.server = world.run_server(self.host, "web", nic)
        self.port_id = self.server.ports[0]

    def view(self) -> ports.PortView:
        return self.world.engine.run(lambda tx: ports.show(tx, self.port_id))

    def vf(self):
        binding = self.view().binding
        assert binding
        pf, index = self.host.sim.machine.vf_at(binding.profile["pci_slot"])
        return pf.vfs[index]


def test_each_kind_has_its_own_fields_and_needs_some(world):
    with pytest.raises(InvalidValue) as refused:
        profile(world, PortProfileKind.QBH, profile_id="finance", mtu=1500)
    assert refused.value.field == "kind"
    with pytest.raises(InvalidValue) as refused:
        profile(world, PortProfileKind.QBG, manager_id=11, type_id=1)
    assert refused.value.field == "type_id_version"
    made = profile(world, PortProfileKind.QBH, profile_id="finance")
    assert change(world, made, profile_id="hr").settings == QbhSettings("hr")
    with pytest.raises(InvalidValue):
        change(world, made, trust=True)


def test_what_it_says_is_on_the_vf_before_the_guest_runs(world):
    made = profile(
        world,
        vlan_priority=5,
        spoof_check=False,
        link_state=LinkState.ENABLE,
        min_rate_mbps=10,
        max_rate_mbps=20,
    )
    running = Running(world, world.direct(port_profile_id=made))
    vf = running.vf()
    assert (vf.vlan, vf.vlan_priority, vf.spoof_check, vf.link_state) == (100, 5, False, LinkState.ENABLE)
    assert (vf.min_rate_mbps, vf.max_rate_mbps) == (10, 20)
    (held,) = world.engine.run(lambda tx: tx.allocations.find(port_id=running.port_id))
    assert held.egress_kbps == 10_000
    assert world.violations() == ()


def test_a_port_has_the_profile_of_its_network_unless_it_has_its_own(world):
    set_network(world, port_profile_id=profile(world, vlan_priority=3))
    running = Running(world, world.direct())
    assert running.vf().vlan_priority == 3
    own = profile(world)
    world.engine.run(lambda tx: update(tx, running.port_id, PortChanges(port_profile_id=own)))
    running.host.settle()
    assert running.vf().vlan_priority == 0


def test_a_default_speaks_to_the_ports_whose_mechanism_has_it_all(world):
    made = profile(world, vlan_priority=5, max_rate_mbps=100)
    world.policy()
    host = world.host()
    before = world.run_server(host, "before", world.normal())
    set_network(world, port_profile_id=made)
    after = world.run_server(host, "after", (*world.normal(), *world.direct()))
    assert (before.status, after.status) == (ServerStatus.ACTIVE, ServerStatus.ACTIVE)
    shown = [world.engine.run(lambda tx, one=one: ports.show(tx, one)) for one in after.ports]
    (slot,) = (view.binding.profile["pci_slot"] for view in shown if view.port.vnic_type is VnicType.DIRECT)
    pf, index = host.sim.machine.vf_at(slot)
    assert (pf.vfs[index].vlan_priority, pf.vfs[index].max_rate_mbps) == (5, 100)
    caps = {tap.max_rate_kbps for tap in host.sim.kernel.observe().taps}
    assert caps == {None}
    change(world, made, vlan_priority=None)
    host.settle()
    assert {tap.max_rate_kbps for tap in host.sim.kernel.observe().taps} == {100_000}
    change(world, made, vlan_priority=5)
    host.settle()
    assert {tap.max_rate_kbps for tap in host.sim.kernel.observe().taps} == {None}


@pytest.mark.parametrize("kind", [PortProfileKind.QBH, PortProfileKind.QBG])
def test_a_default_of_a_kind_that_ordinary_ports_cannot_have_is_no_profile_of_theirs(world, kind):
    said = {"profile_id": "finance"} if kind is PortProfileKind.QBH else QBG
    set_network(world, port_profile_id=profile(world, kind, **said))
    running = Running(world, world.normal())
    assert running.server.status is ServerStatus.ACTIVE


def test_a_profile_that_a_port_chose_is_held_to_all_that_it_asks(world):
    running = Running(world, world.normal())
    own = PortChanges(port_profile_id=profile(world, vlan_priority=5))
    with pytest.raises(Conflict, match="VLAN priority 5"):
        world.engine.run(lambda tx: update(tx, running.port_id, own))


def test_a_change_reaches_ports_that_have_it_and_they_are_pending_until_it_is_read_back(world):
    made = profile(world, max_rate_mbps=100)
    set_network(world, port_profile_id=made)
    running = Running(world, world.direct())
    change(world, made, max_rate_mbps=200, vlan_priority=1, spoof_check=False, link_state=LinkState.DISABLE)
    view = running.view()
    assert (view.status, view.binding.wiring) == (PortStatus.BUILD, Wiring.PENDING)
    running.host.settle()
    vf = running.vf()
    assert (vf.max_rate_mbps, vf.vlan_priority, vf.spoof_check) == (200, 1, False)
    assert vf.link_state is LinkState.DISABLE
    assert running.view().status is PortStatus.ACTIVE


def test_a_change_that_says_the_same_disturbs_nobody(world):
    made = profile(world, max_rate_mbps=100)
    running = Running(world, world.direct(port_profile_id=made))
    before = running.view().binding
    change(world, made, max_rate_mbps=100, trust=False)
    assert running.view().binding == before


def test_a_device_serves_a_port_that_asks_for_less(world):
    made = profile(world, trust=True, min_rate_mbps=10)
    world.policy(name="trusted", match=DeviceMatch(name=("ens1f0",)), tags=("trusted",))
    host = world.host()
    server = world.run_server(host, "web", world.direct(port_profile_id=made))
    (port_id,) = server.ports

    def seen():
        binding = world.engine.run(lambda tx: ports.show(tx, port_id)).binding
        assert binding.wiring is Wiring.WIRED
        pf, index = host.sim.machine.vf_at(binding.profile["pci_slot"])
        (held,) = world.engine.run(lambda tx: tx.allocations.find(port_id=port_id))
        return pf.vfs[index].trust, pf.vfs[index].min_rate_mbps, held.egress_kbps

    assert seen() == (True, 10, 10_000)
    change(world, made, min_rate_mbps=5)
    host.settle()
    assert seen() == (True, 5, 5_000)
    change(world, made, trust=False, min_rate_mbps=None)
    host.settle()
    assert seen() == (False, 0, 0)
    with pytest.raises(Conflict, match="trust cannot go on"):
        change(world, made, trust=True)
    with pytest.raises(Conflict, match="minimum bandwidth"):
        change(world, made, min_rate_mbps=5)
    assert world.violations() == ()


@pytest.mark.parametrize("settings", [{"trust": True}, {"min_rate_mbps": 1}])
def test_what_a_device_was_claimed_for_stands_and_the_ports_are_named(world, settings):
    made = profile(world)
    running = Running(world, world.direct(port_profile_id=made))
    with pytest.raises(Conflict) as refused:
        change(world, made, **settings)
    assert refused.value.code == "bound"
    assert "of server web" in refused.value.message
    assert running.view().binding.wiring is Wiring.WIRED


def test_a_port_is_not_moved_to_another_mechanism_while_it_is_bound(world):
    running = Running(world, world.direct())
    other = profile(world, PortProfileKind.QBH, profile_id="finance")
    with pytest.raises(Conflict) as refused:
        world.engine.run(lambda tx: update(tx, running.port_id, PortChanges(port_profile_id=other)))
    assert refused.value.code == "bound"
    with pytest.raises(Conflict):
        set_network(world, port_profile_id=other)


@pytest.mark.parametrize("settings", [{"vlan_priority": 1}, {"vlan_protocol": VlanProtocol.DOT1AD}])
def test_what_the_mechanism_of_a_bound_port_cannot_do_is_refused(world, settings):
    made = profile(world)
    running = Running(world, (BootNic(network_id=world.network_id, port_profile_id=made),))
    with pytest.raises(Conflict) as refused:
        change(world, made, **settings)
    assert refused.value.code == "settings_conflict"
    assert "of server web" in refused.value.message
    assert "ordinary vNIC" in refused.value.message
    assert running.view().binding.wiring is Wiring.WIRED


def test_a_taps_rate_and_mtu_follow_the_profile(world):
    made = profile(world, max_rate_mbps=5, mtu=1400)
    running = Running(world, (BootNic(network_id=world.network_id, port_profile_id=made),))
    (tap,) = running.host.sim.kernel.observe().taps
    assert (tap.max_rate_kbps, tap.mtu) == (5000, 1400)


def test_a_contradiction_is_refused_at_the_port(world):
    made = profile(world, trust=False, spoof_check=True)
    for said in ({"trusted": True}, {"port_security_enabled": False}):
        with pytest.raises(InvalidValue) as refused:
            port(world, port_profile_id=made, **said)
        assert refused.value.field == "port_profile_id"
    port_id = port(world, port_profile_id=made)
    with pytest.raises(InvalidValue):
        world.engine.run(lambda tx: update(tx, port_id, PortChanges(trusted=True)))


def test_a_change_that_contradicts_a_port_is_refused_with_its_name(world):
    made = profile(world)
    port(world, name="p1", trusted=True, port_profile_id=made)
    with pytest.raises(Conflict) as refused:
        change(world, made, trust=False)
    assert refused.value.code == "settings_conflict"
    assert "p1" in refused.value.message


def test_a_policy_that_no_longer_allows_the_promise_is_refused(world):
    def limited(tx):
        policy = qos.create(tx, qos.NewQosPolicy(CALLER.project_id, "p"))
        rule = QosRule(QosRuleId("r"), QosRuleKind.BANDWIDTH_LIMIT, Direction.EGRESS, 50_000)
        qos.add_rule(tx, policy.id, rule)
        return policy.id

    policy_id = world.engine.run(limited)
    port(world, port_profile_id=profile(world, min_rate_mbps=20), qos_policy_id=policy_id)
    changes = qos.QosRuleChanges(kbps=10_000)
    with pytest.raises(Conflict) as refused:
        world.engine.run(
            lambda tx: qos.change_rule(tx, policy_id, QosRuleKind.BANDWIDTH_LIMIT, QosRuleId("r"), changes)
        )
    assert refused.value.code == "settings_conflict"


def test_a_network_and_its_default_must_fit(world):
    large = profile(world, mtu=9000)
    with pytest.raises(InvalidValue):
        set_network(world, port_profile_id=large)
    set_network(world, port_profile_id=large, mtu=9000)
    with pytest.raises(InvalidValue):
        set_network(world, mtu=1500)
    with pytest.raises(Conflict) as refused:
        change(world, large, mtu=9001)
    assert refused.value.code == "settings_conflict"
    flat = NewNetwork(
        CALLER.project_id,
        "flat",
        kind=SegmentKind.FLAT,
        physical_network="physnet1",
        port_profile_id=profile(world, vlan_priority=1),
    )
    with pytest.raises(InvalidValue):
        world.engine.run(lambda tx: networks.create(tx, flat))


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (PortProfileKind.QBH, {"profile_id": "finance"}),
        (PortProfileKind.QBG, {"manager_id": 1, "type_id": 2, "type_id_version": 3}),
    ],
)
def test_a_kind_that_no_mechanism_serves_is_refused_to_whoever_chooses_it(world, kind, settings):
    nics = (
        replace(nic, vnic_type=VnicType.NORMAL)
        for nic in world.direct(port_profile_id=profile(world, kind, **settings))
    )
    with pytest.raises(InvalidValue, match=f"it is of kind {kind.value}") as refused:
        world.boot("web", tuple(nics))
    assert refused.value.field == "port_profile_id"


def test_what_is_for_the_switch_to_say_is_refused_to_the_port_that_has_its_profile(world):
    made = profile(world, PortProfileKind.QBH, profile_id="finance")
    with pytest.raises(Conflict, match="VLAN priority 3, which is for the switch's profile finance to say"):
        port(world, port_profile_id=made, vlan_priority=3)
    plain = port(world, port_profile_id=made)
    with pytest.raises(Conflict, match="VLAN priority 3"):
        world.engine.run(lambda tx: update(tx, plain, PortChanges(vlan_priority=3)))


def test_a_trunk_of_some_vlans_is_refused_at_boot_on_a_vf(world):
    made = profile(world, allowed_vlans=parse_vlans(["100-199"]))
    flat = world.network("flat", cidr="10.1.0.0/24")
    nic = BootNic(network_id=flat, vnic_type=VnicType.DIRECT, port_profile_id=made)
    with pytest.raises(Conflict, match="trunk"):
        world.boot("web", (nic,))
    change(world, made, allowed_vlans=parse_vlans(["1-4094"]))
    running = Running(world, (nic,))
    assert running.server.status is ServerStatus.ACTIVE
    assert running.vf().vlan is None


def test_one_that_is_used_stays_and_says_by_whom(world):
    made = profile(world)
    set_network(world, port_profile_id=made)
    port(world, name="p1", port_profile_id=made)
    with pytest.raises(Conflict) as refused:
        world.engine.run(lambda tx: port_profiles.delete(tx, made))
    assert refused.value.code == "in_use"
    assert "network net" in refused.value.message
    assert "port p1" in refused.value.message
    set_network(world, port_profile_id=None)
    port_id = world.engine.run(lambda tx: tx.ports.find(name="p1"))[0].id
    world.engine.run(lambda tx: ports.delete(tx, port_id))
    world.engine.run(lambda tx: port_profiles.delete(tx, made))
    with pytest.raises(NotFound):
        port(world, port_profile_id=made)


def test_sharing_stays_while_another_project_uses_it(world):
    made, theirs = profile(world), ProjectId("theirs")

    def share(tx):
        policy = sharing.create(tx, NewRbacPolicy(ShareableKind.PORT_PROFILE, made, theirs))
        ports.create(tx, NewPort(theirs, world.network_id, port_profile_id=made))
        return policy.id

    policy_id = world.engine.run(share)
    with pytest.raises(Conflict) as refused:
        world.engine.run(lambda tx: sharing.delete(tx, policy_id))
    assert refused.value.code == "in_use"


def test_a_project_with_a_profile_stays(world):
    def work(tx):
        project = accounts.create_project(tx, "lab")
        settings = port_profiles.settings_of(PortProfileKind.ETHERNET, GivenSettings())
        port_profiles.create(tx, NewPortProfile(project.id, "gold", settings))
        accounts.delete_project(tx, project.id)

    with pytest.raises(Conflict, match="port profile"):
        world.engine.run(work)
