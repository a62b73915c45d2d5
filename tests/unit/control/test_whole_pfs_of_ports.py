"""A direct-physical port has a PF to itself: placed, bound, wired, told to the guest, given back with another MAC."""

import json
from dataclasses import replace

import pytest

from fairlead.control import (
    attaching,
    dead_hosts,
    devices,
    explaining,
    networks,
    port_bindings,
    port_changes,
    ports,
    qos,
    servers,
    subnets,
)
from fairlead.control.nics import BootNic
from fairlead.control.ports import NewPort
from fairlead.model.binding import Binding, VifType, Wiring
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.errors import Conflict, InvalidValue, NotAllowed
from fairlead.model.identity import Role
from fairlead.model.ids import NetworkId, PortId, ProjectId, QosRuleId
from fairlead.model.network import SegmentKind
from fairlead.model.pci import DeviceKind, MacAddress
from fairlead.model.policy import DeviceMatch
from fairlead.model.port import Port, VnicType
from fairlead.model.qos import Direction, QosRule, QosRuleKind
from fairlead.model.server import ServerStatus
from fairlead.sim.fleet import sim_host
from tests.control_world import CALLER, PHYSICAL_NETWORK, EnrolledHost, World

FIRST_PF, SECOND_PF = MacAddress("3c:fd:fe:00:01:01"), MacAddress("3c:fd:fe:00:01:02")
WHOLE = VnicType.DIRECT_PHYSICAL
OWN = "fa:16:3e:"


@pytest.fixture
def host(world: World) -> EnrolledHost:
    """Two data NICs of eight VFs each, trusted."""
    world.policy(tags=("trusted",))
    return world.host()


@pytest.fixture
def flat(world: World) -> NetworkId:
    return world.network("flat", cidr="10.1.0.0/24")


def nic(network_id: NetworkId, **fields: object) -> BootNic:
    return BootNic(network_id, vnic_type=WHOLE, **fields)  # type: ignore[arg-type]


def port_of(world: World, port_id: PortId) -> Port:
    return world.engine.run(lambda tx: tx.ports.fetch(port_id))


def binding_of(world: World, port_id: PortId) -> Binding:
    (found,) = world.engine.run(lambda tx: tx.bindings.find(port_id=port_id))
    return found


def made(world: World, network_id: NetworkId, **fields: object) -> Port:
    new = NewPort(CALLER.project_id, network_id, vnic_type=WHOLE, **fields)  # type: ignore[arg-type]
    return world.engine.run(lambda tx: ports.create(tx, new)).port


def pf_with(world: World, mac: MacAddress) -> Device:
    (found,) = world.engine.run(lambda tx: tx.devices.find(kind=DeviceKind.PF, mac=mac))
    return found


def files_of(host: EnrolledHost) -> dict[str, object]:
    """The JSON files of the config drive of the one guest, by name."""
    desired = host.link.assignment(0, 0).desired
    assert desired is not None
    (guest,) = desired.guests
    return {file.path.rpartition("/")[2]: json.loads(file.content) for file in guest.config_files}


def test_the_port_gets_the_mac_of_its_pf_and_another_one_in_the_end(
    world: World, host: EnrolledHost, flat: NetworkId
) -> None:
    port = made(world, flat, name="whole")
    assert port.mac.startswith(OWN)
    server = world.run_server(host, "web", (BootNic(port_id=port.id),))
    assert (server.status, server.fault) == (ServerStatus.ACTIVE, None)
    bound = binding_of(world, port.id)
    held = pf_with(world, port_of(world, port.id).mac)
    assert (bound.vif_type, bound.wiring, bound.device_id) == (
        VifType.HOSTDEV_PHYSICAL,
        Wiring.WIRED,
        held.id,
    )
    assert bound.profile["device_mac_address"] == held.mac
    assert held.status is DeviceStatus.ALLOCATED
    assert host.sim.machine.users()[held.pci_address].name == f"fl-{server.id}"
    assert port_of(world, port.id).fixed_ips == port.fixed_ips
    assert world.violations() == ()
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    host.settle()
    after = port_of(world, port.id)
    assert after.server_id is None
    assert after.mac.startswith(OWN)
    assert after.mac != port.mac
    assert pf_with(world, held.mac or port.mac).status is DeviceStatus.AVAILABLE
    assert len(host.sim.machine.pfs[held.key].vfs) == 8  # type: ignore[index]
    assert (world.violations(), host.sim.machine.mishaps, host.sim.machine.traces) == ((), [], {})


def test_vfs_that_went_with_a_whole_pf_are_not_forgotten(world: World, host: EnrolledHost) -> None:
    """They are MISSING until its guest gives it back."""
    server = world.run_server(host, "router", (nic(world.network_id, trusted=True),))
    with world.database.transaction() as tx:
        (held,) = (tx.devices.fetch(each.device_id) for each in tx.allocations.find(server_id=server.id))
        vfs = tx.devices.find(family_id=held.id, kind=DeviceKind.VF)
    assert {vf.status for vf in vfs} == {DeviceStatus.MISSING}
    with pytest.raises(Conflict, match=r"server router .*\(its PF, whole\) has it") as refused:
        world.engine.run(lambda tx: devices.forget(tx, vfs[0].id))
    assert refused.value.code == "in_use"


def test_its_vlan_is_its_guests_to_tag(world: World, host: EnrolledHost) -> None:
    wanted = (nic(world.network_id, trusted=True, tag="storage"),)
    server = world.run_server(host, "web", wanted)
    assert server.status is ServerStatus.ACTIVE
    mac = port_of(world, server.ports[0]).mac
    files = files_of(host)
    (device,) = files["meta_data.json"]["devices"]  # type: ignore[index]
    assert device == {
        "type": "nic",
        "bus": "none",
        "address": "none",
        "mac": mac,
        "tags": ["storage"],
        "vlan": 100,
    }
    whole, vlan = files["network_data.json"]["links"]  # type: ignore[index]
    (address,) = files["network_data.json"]["networks"]  # type: ignore[index]
    assert (whole["type"], whole["ethernet_mac_address"]) == ("hostdev_physical", mac)
    assert (vlan["type"], vlan["vlan_id"], vlan["vlan_link"]) == ("vlan", 100, whole["id"])
    assert address["link"] == vlan["id"]


def test_a_vlan_network_needs_trust(world: World, host: EnrolledHost) -> None:
    with pytest.raises(
        Conflict, match="nobody keeps that to VLAN 100 of network net: set trusted"
    ) as refused:
        world.boot("web", (nic(world.network_id),))
    assert refused.value.code == "cannot_bind"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"port_security_enabled": True}, "port_security_enabled"),
        ({"vlan_priority": 3, "trusted": True}, "vlan_priority"),
        ({"propagate_uplink_status": False}, "propagate_uplink_status"),
    ],
)
def test_what_nobody_can_do_is_refused_when_the_port_is_made(
    world: World, fields: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidValue, match="has the whole device") as refused:
        made(world, world.network_id, **fields)
    assert refused.value.field == field


def test_no_port_security_is_what_it_is_and_who_may_have_that_may_have_it(
    world: World, host: EnrolledHost, flat: NetworkId
) -> None:
    assert made(world, flat).port_security_enabled is False
    plain = world.engine.run(lambda tx: ports.create(tx, NewPort(CALLER.project_id, flat))).port
    changes = port_changes.PortChanges(vnic_type=WHOLE)
    with pytest.raises(InvalidValue, match="checks what leaves it"):
        world.engine.run(lambda tx: port_changes.update(tx, plain.id, changes))
    server = world.run_server(host, "web", ())
    new = networks.NewNetwork(
        ProjectId("landlord"), kind=SegmentKind.VLAN, physical_network=PHYSICAL_NETWORK, vlan=7, shared=True
    )
    shared = world.engine.run(lambda tx: networks.create(tx, new)).network
    tenant = replace(CALLER, roles=frozenset({Role.MEMBER, Role.READER}))
    with pytest.raises(NotAllowed, match="port_security_enabled"):
        world.engine.run(lambda tx: attaching.attach(tx, tenant, server.id, nic(shared.id)))


def test_a_cap_is_refused_and_a_promise_is_what_the_link_has(
    world: World, host: EnrolledHost, flat: NetworkId
) -> None:
    with pytest.raises(Conflict, match="nothing caps what it sends at 100000 kbit/s"):
        world.boot("capped", (nic(flat, max_mbps=100),))
    server = world.run_server(host, "promised", (nic(flat, min_mbps=20_000),))
    assert server.status is ServerStatus.ACTIVE
    waiting = world.boot("too much", (nic(flat, min_mbps=30_000),))
    world.scheduler.tick()
    assert "lacks Mbit/s for PFs on physnet1 (asked 30000" in str(world.server(waiting.id).fault)


def test_a_pf_is_not_given_whole_while_a_vf_of_it_is_held(
    world: World, host: EnrolledHost, flat: NetworkId
) -> None:
    both = (world.direct()[0], world.direct()[0])
    assert world.run_server(host, "vfs", both).status is ServerStatus.ACTIVE
    refused = world.run_server(host, "whole", (nic(flat),))
    assert refused.status is ServerStatus.ERROR
    assert "lacks free PFs on physnet1" in str(refused.fault)
    waiting = world.boot("waiting", (nic(flat),))
    answer = world.engine.run(lambda tx: explaining.explain_server(tx, waiting.id))
    (reason,) = answer.rejecting[0].reasons
    assert "none is given whole while a VF of it is held (2)" in reason.message
    assert all("server vfs" in holder for holder in reason.holders)


def test_a_pf_whose_mac_another_port_of_the_network_has_is_passed_over(
    world: World, host: EnrolledHost, flat: NetworkId
) -> None:
    made(world, flat, mac=FIRST_PF, name="squatter")
    server = world.run_server(host, "web", (nic(flat),))
    assert port_of(world, server.ports[0]).mac == SECOND_PF
    made(world, world.network_id, mac=SECOND_PF)
    second = world.run_server(host, "other", (nic(flat),))
    assert second.status is ServerStatus.ERROR
    assert world.violations() == ()


def test_where_only_such_pfs_are_left_the_reason_says_so(
    world: World, host: EnrolledHost, flat: NetworkId
) -> None:
    for mac in (FIRST_PF, SECOND_PF):
        made(world, flat, mac=mac)
    server = world.run_server(host, "web", (nic(flat),))
    assert server.status is ServerStatus.ERROR
    assert "whose MAC another port of the network has" in str(server.fault)
    assert "give that port another MAC" in str(server.fault)


def test_it_comes_to_a_running_guest_and_leaves_it(world: World, host: EnrolledHost, flat: NetworkId) -> None:
    server = world.run_server(host, "web", ())
    port = made(world, flat)
    give = BootNic(port_id=port.id, tag="late")
    world.engine.run(lambda tx: attaching.attach(tx, CALLER, server.id, give))
    host.settle()
    device = pf_with(world, port_of(world, port.id).mac)
    domain = host.sim.machine.domains[f"fl-{server.id}"]
    assert domain.live_hostdevs == (device.pci_address,)
    assert (binding_of(world, port.id).wiring, device.status) == (Wiring.WIRED, DeviceStatus.ALLOCATED)
    assert device.num_vfs == 0
    world.engine.run(lambda tx: attaching.detach(tx, server.id, port.id))
    host.settle()
    assert domain.live_hostdevs == ()
    assert port_of(world, port.id).mac.startswith(OWN)
    back = pf_with(world, device.mac or port.mac)
    assert (back.status, back.num_vfs) == (DeviceStatus.AVAILABLE, 8)
    assert world.server(server.id).status is ServerStatus.ACTIVE
    assert len(host.sim.hypervisor.starts) == 1
    assert (world.violations(), host.sim.machine.mishaps, host.sim.machine.traces) == ((), [], {})


def test_a_pf_that_a_guest_does_not_let_go_of_stays_its_own(
    world: World, host: EnrolledHost, flat: NetworkId
) -> None:
    server = world.run_server(host, "web", (nic(flat),))
    (port_id,) = server.ports
    mac = port_of(world, port_id).mac
    host.sim.machine.troubles.deaf_guests = frozenset({f"fl-{server.id}"})
    world.engine.run(lambda tx: attaching.detach(tx, server.id, port_id))
    host.settle()
    assert port_of(world, port_id).mac == mac
    assert pf_with(world, mac).status is DeviceStatus.RELEASING
    fault = world.server(server.id).fault
    assert fault is not None
    assert fault.code == "not_released"


def test_a_stopped_server_keeps_its_pf_and_its_mac(world: World, host: EnrolledHost, flat: NetworkId) -> None:
    server = world.run_server(host, "web", (nic(flat),))
    mac = port_of(world, server.ports[0]).mac
    world.engine.run(lambda tx: servers.stop(tx, server.id))
    host.settle()
    assert world.server(server.id).status is ServerStatus.SHUTOFF
    assert binding_of(world, server.ports[0]).wiring is Wiring.WIRED
    world.engine.run(lambda tx: servers.start(tx, server.id))
    host.settle()
    assert world.server(server.id).status is ServerStatus.ACTIVE
    assert port_of(world, server.ports[0]).mac == mac


def test_nothing_is_changed_that_cannot_be(world: World, host: EnrolledHost, flat: NetworkId) -> None:
    server = world.run_server(host, "web", (nic(flat),))
    (port_id,) = server.ports
    down = networks.NetworkChanges(admin_state_up=False)
    with pytest.raises(Conflict, match="cannot be held down") as refused:
        world.engine.run(lambda tx: networks.update(tx, flat, down))
    assert refused.value.code == "settings_conflict"
    with pytest.raises(Conflict, match="cannot be held down"):
        world.engine.run(
            lambda tx: port_changes.update(tx, port_id, port_changes.PortChanges(admin_state_up=False))
        )
    policy = world.engine.run(lambda tx: qos.create(tx, qos.NewQosPolicy(CALLER.project_id, "slow")))
    rule = QosRule(QosRuleId("1"), QosRuleKind.BANDWIDTH_LIMIT, Direction.EGRESS, 1000)
    world.engine.run(lambda tx: qos.add_rule(tx, policy.id, rule))
    with pytest.raises(Conflict, match="nothing caps what it sends"):
        world.engine.run(
            lambda tx: port_changes.update(tx, port_id, port_changes.PortChanges(qos_policy_id=policy.id))
        )
    host.settle()
    assert binding_of(world, port_id).wiring is Wiring.WIRED


def test_addresses_that_guests_make_of_their_mac_follow_it(
    world: World, host: EnrolledHost, flat: NetworkId
) -> None:
    wanted = subnets.NewSubnet(
        CALLER.project_id, flat, "2001:db8::/64", 6, ipv6_ra_mode="slaac", ipv6_address_mode="slaac"
    )
    world.engine.run(lambda tx: subnets.create(tx, wanted))
    port = made(world, flat)
    server = world.run_server(host, "web", (BootNic(port_id=port.id),))
    pfs_own = "2001:db8::3efd:feff:fe00:102"
    assert pfs_own in {ip.ip_address for ip in port_of(world, port.id).fixed_ips}
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    host.settle()
    left = {ip.ip_address for ip in port_of(world, port.id).fixed_ips}
    assert len(left) == 2
    assert pfs_own not in left


def test_a_binding_that_waits_elsewhere_gives_its_mac_only_when_it_is_in_force(
    world: World, host: EnrolledHost, flat: NetworkId
) -> None:
    world.host("h2", 2)
    server = world.run_server(host, "web", (nic(flat),))
    (port_id,) = server.ports
    here = "h1" if world.server(server.id).host_id == host.id else "h2"
    elsewhere = "h2" if here == "h1" else "h1"
    mac = port_of(world, port_id).mac
    world.engine.run(lambda tx: port_bindings.prepare(tx, port_id, elsewhere))
    assert port_of(world, port_id).mac == mac
    world.engine.run(lambda tx: port_bindings.withdraw(tx, port_id, elsewhere))
    assert port_of(world, port_id).mac == mac
    assert world.violations() == ()


def test_a_host_that_is_gone_for_good_gives_the_mac_back(
    world: World, host: EnrolledHost, flat: NetworkId
) -> None:
    server = world.run_server(host, "web", (nic(flat),))
    world.time.advance(120)
    world.engine.run(lambda tx: dead_hosts.forget(tx, host.id))
    assert port_of(world, server.ports[0]).mac.startswith(OWN)


def test_two_pfs_with_one_mac_are_not_both_given_on_one_network(world: World, flat: NetworkId) -> None:
    """Some cards leave the factory so. Nobody could tell the two ports apart."""
    world.policy()
    sim = sim_host("h1", 1)
    first, second = (pf for pf in sim.machine.pfs.values() if pf.nic.name.startswith("ens"))
    second.nic = replace(second.nic, mac=first.nic.mac)
    host = world.host(sim=sim)
    server = world.run_server(host, "web", (nic(flat), nic(flat)))
    assert server.status is ServerStatus.ERROR
    assert world.violations() == ()


def test_a_nic_without_vfs_serves_too(world: World, flat: NetworkId) -> None:
    world.policy(match=DeviceMatch(name=("ens1f0",)), num_vfs=0)
    host = world.host()
    server = world.run_server(host, "web", (nic(flat),))
    assert server.status is ServerStatus.ACTIVE
