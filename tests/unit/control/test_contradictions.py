"""A port that a hand in the database made contradict itself costs its server alone, and nothing that it has."""

from copy import deepcopy
from dataclasses import replace

import pytest

from fairlead.control import assignments, attaching, networks, port_changes, port_profiles, qos, servers
from fairlead.control.boundary import Tx
from fairlead.control.contradictions import CONTRADICTS
from fairlead.control.generations import advance
from fairlead.control.nics import BootNic
from fairlead.control.port_changes import PortChanges
from fairlead.control.port_profiles import GivenSettings, NewPortProfile
from fairlead.model.binding import Binding, Wiring
from fairlead.model.device import DeviceStatus
from fairlead.model.errors import Conflict
from fairlead.model.ids import PortProfileId, QosRuleId
from fairlead.model.port import VnicType
from fairlead.model.port_profile import PortProfileKind, parse_vlans
from fairlead.model.qos import Direction, QosRule, QosRuleKind
from fairlead.model.server import Server, ServerStatus
from fairlead.sim.domain import DomainState
from tests.control_world import CALLER, EnrolledHost, World

KINDS = [VnicType.DIRECT, VnicType.MACVTAP, VnicType.NORMAL]


@pytest.fixture
def host(world: World) -> EnrolledHost:
    world.policy(tags=("trusted",))
    return world.host()


def nic(world: World, vnic_type: VnicType, **fields: object) -> tuple[BootNic, ...]:
    return (BootNic(network_id=world.network_id, vnic_type=vnic_type, **fields),)  # type: ignore[arg-type]


def profile(world: World, kind: PortProfileKind, **settings: object) -> PortProfileId:
    made = port_profiles.settings_of(kind, GivenSettings(**settings))  # type: ignore[arg-type]
    new = NewPortProfile(CALLER.project_id, kind.value, made)
    return world.engine.run(lambda tx: port_profiles.create(tx, new)).id


def spoil(world: World, server: Server) -> PortProfileId | None:
    """A trunk's profile on a VLAN network, by hand; the profile that it had."""
    trunk = profile(world, PortProfileKind.ETHERNET, allowed_vlans=parse_vlans(["5-6"]))
    return mend(world, server, trunk)


def mend(world: World, server: Server, profile_id: PortProfileId | None) -> PortProfileId | None:
    def work(tx: Tx) -> PortProfileId | None:
        port = tx.ports.fetch(server.ports[0])
        tx.ports.put(replace(port, port_profile_id=profile_id))
        return port.port_profile_id

    return world.engine.run(work)


def look(world: World, host: EnrolledHost) -> None:
    """Something changes on the host: it asks for its document, and acts."""
    world.engine.run(lambda tx: advance(tx, tx.hosts.lock(host.id)))
    host.settle()


def binding_of(world: World, server: Server) -> Binding:
    return world.engine.run(lambda tx: tx.bindings.find(port_id=server.ports[0]))[0]


def domain_of(host: EnrolledHost, server: Server) -> DomainState:
    return host.sim.machine.domains[f"fl-{server.id}"]


def under(host: EnrolledHost, server: Server) -> tuple[object, ...]:
    """All that is below the server's guest."""
    machine = host.sim.machine
    vfs = {key: pf.vfs for key, pf in machine.pfs.items()}
    found = (domain_of(host, server), vfs, machine.links, machine.vsis, machine.traces)
    return deepcopy(found)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_not_started_and_its_neighbour_is(world: World, host: EnrolledHost, kind: VnicType) -> None:
    sick, well = (world.boot(name, nic(world, kind)) for name in ("sick", "well"))
    world.scheduler.tick()
    spoil(world, sick)
    host.settle()
    assert world.server(well.id).status is ServerStatus.ACTIVE
    found, binding = world.server(sick.id), binding_of(world, sick)
    assert f"fl-{sick.id}" not in host.sim.machine.domains
    assert found.status is ServerStatus.ERROR
    assert found.fault is not None
    assert found.fault.code == CONTRADICTS
    assert "trunk" in found.fault.answer
    assert (binding.wiring, binding.failure) == (Wiring.FAILED, found.fault)
    assert world.violations() == ()


@pytest.mark.parametrize("kind", KINDS)
def test_a_guest_that_runs_keeps_all_that_it_has(world: World, host: EnrolledHost, kind: VnicType) -> None:
    server = world.run_server(host, "sick", nic(world, kind))
    before = under(host, server)
    had = spoil(world, server)
    look(world, host)
    assert under(host, server) == before
    found = world.server(server.id)
    assert (found.status, found.fault and found.fault.code) == (ServerStatus.ACTIVE, CONTRADICTS)
    assert binding_of(world, server).wiring is Wiring.FAILED
    (hold,) = world.engine.run(lambda tx: tx.hosts.fetch(host.id)).holds
    assert (hold.subject, hold.is_unnamed_guest) == ("server sick", False)
    assert "remove-guest" not in hold.reason
    other = world.run_server(host, "well", nic(world, kind))
    assert other.status is ServerStatus.ACTIVE
    mend(world, server, had)
    look(world, host)
    assert domain_of(host, server) == before[0]
    healed = world.server(server.id)
    assert (healed.status, healed.fault) == (ServerStatus.ACTIVE, None)
    assert binding_of(world, server).wiring is Wiring.WIRED
    assert world.engine.run(lambda tx: tx.hosts.fetch(host.id)).holds == ()
    assert host.sim.machine.mishaps == []
    assert world.violations() == ()


def test_a_vsi_under_a_guest_stays_associated(world: World, host: EnrolledHost) -> None:
    desk = profile(world, PortProfileKind.QBG, manager_id=11, type_id=7, type_id_version=2)
    server = world.run_server(host, "sick", nic(world, VnicType.DIRECT, port_profile_id=desk))
    assert server.status is ServerStatus.ACTIVE
    before = under(host, server)
    spoil(world, server)
    look(world, host)
    assert under(host, server) == before


def test_a_whole_pf_stays_its_guests(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "sick", nic(world, VnicType.DIRECT_PHYSICAL, trusted=True))
    assert server.status is ServerStatus.ACTIVE
    before = under(host, server)
    spoil(world, server)
    look(world, host)
    assert under(host, server) == before
    assert world.server(server.id).status is ServerStatus.ACTIVE


def test_one_that_is_down_is_not_started_and_what_it_has_is_nobodys(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "sick", world.direct())
    world.engine.run(lambda tx: servers.stop(tx, server.id))
    host.settle()
    spoil(world, server)
    world.engine.run(lambda tx: servers.start(tx, server.id))
    host.settle()
    found = world.server(server.id)
    assert (found.status, found.fault and found.fault.code) == (ServerStatus.ERROR, CONTRADICTS)
    assert not domain_of(host, server).is_up
    with world.database.transaction() as tx:
        (row,) = tx.allocations.find(server_id=server.id)
        assert tx.devices.fetch(row.device_id).status is DeviceStatus.ALLOCATED
    mend(world, server, None)
    look(world, host)
    assert world.server(server.id).status is ServerStatus.ACTIVE


@pytest.mark.parametrize("way", ["detach", "delete"])
def test_a_port_that_is_given_up_needs_no_settings(world: World, host: EnrolledHost, way: str) -> None:
    server = world.run_server(host, "sick", world.direct())
    spoil(world, server)
    look(world, host)
    if way == "detach":
        world.engine.run(lambda tx: attaching.detach(tx, server.id, server.ports[0]))
    else:
        world.engine.run(lambda tx: servers.delete(tx, server.id))
    host.settle()
    with world.database.transaction() as tx:
        assert tx.allocations.find() == ()
        left = tx.servers.get(server.id)
    if way == "detach":
        assert left is not None
        assert (left.status, left.fault, left.ports) == (ServerStatus.ACTIVE, None, ())
        assert domain_of(host, server).is_up
    else:
        assert left is None
    assert world.violations() == ()


def test_it_is_told_once(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "sick", world.direct(2))
    trunk = profile(world, PortProfileKind.ETHERNET, allowed_vlans=parse_vlans(["5-6"]))
    with world.database.transaction() as tx:
        for port_id in server.ports:
            tx.ports.put(replace(tx.ports.fetch(port_id), port_profile_id=trunk))
    for _ in range(3):
        look(world, host)
    kinds = world.kinds(server.id)
    assert (kinds.count("server_troubled"), kinds.count("port_failed")) == (1, 2)


def test_what_the_host_did_by_an_older_document_does_not_wire_it(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "sick", world.direct())
    spoil(world, server)
    world.engine.run(lambda tx: advance(tx, tx.hosts.lock(host.id)))
    told = host.link.reports[-1].generation
    assert world.engine.run(lambda tx: assignments.assignment(tx, host.id, told)).desired is not None
    host.sim.clock.advance(300)  # type: ignore[attr-defined]
    host.agent.tick()
    assert host.link.reports[-1].generation == told
    assert host.link.reports[-1].wired == server.ports
    assert binding_of(world, server).wiring is Wiring.FAILED


def test_a_request_mends_it_in_place(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "sick", world.direct())
    had = deepcopy(domain_of(host, server))
    spoil(world, server)
    look(world, host)
    change = PortChanges(port_profile_id=None)
    world.engine.run(lambda tx: port_changes.update(tx, server.ports[0], change))
    host.settle()
    assert binding_of(world, server).wiring is Wiring.WIRED
    healed = world.server(server.id)
    assert (healed.status, healed.fault) == (ServerStatus.ACTIVE, None)
    assert domain_of(host, server) == had


def test_mending_it_gives_no_trust_and_no_more_than_was_promised(world: World, host: EnrolledHost) -> None:
    server = world.run_server(host, "sick", world.direct())
    spoil(world, server)
    look(world, host)
    change = PortChanges(port_profile_id=None, trusted=True)
    with pytest.raises(Conflict) as refused:
        world.engine.run(lambda tx: port_changes.update(tx, server.ports[0], change))
    assert refused.value.code == "bound"


def test_a_change_of_its_network_goes_past_it(world: World, host: EnrolledHost) -> None:
    sick, well = (world.run_server(host, name, world.direct()) for name in ("sick", "well"))
    spoil(world, sick)
    look(world, host)
    change = networks.NetworkChanges(port_security_enabled=False)
    limit = QosRule(QosRuleId("limit"), QosRuleKind.BANDWIDTH_LIMIT, Direction.EGRESS, 50_000)

    def cap(tx: Tx) -> None:
        policy = qos.create(tx, qos.NewQosPolicy(CALLER.project_id, "cap"))
        qos.add_rule(tx, policy.id, limit)
        networks.update(tx, world.network_id, replace(change, qos_policy_id=policy.id))

    world.engine.run(cap)
    host.settle()
    assert binding_of(world, well).wiring is Wiring.WIRED
    pf, index = host.sim.machine.vf_at(domain_of(host, well).live_hostdevs[0]) or (None, 0)
    assert pf is not None
    assert pf.vfs[index].max_rate_mbps == 50


def test_the_bridge_stays_as_wide_as_its_guest_needs(world: World, host: EnrolledHost) -> None:
    jumbo = world.network("jumbo", vlan=200)
    world.engine.run(lambda tx: networks.update(tx, world.network_id, networks.NetworkChanges(mtu=1400)))
    sick = world.run_server(host, "sick", (BootNic(network_id=jumbo),))
    world.run_server(host, "well", world.normal())
    before = deepcopy(host.sim.machine.links)
    spoil(world, sick)
    look(world, host)
    assert world.server(sick.id).fault is not None
    assert host.sim.machine.links == before
