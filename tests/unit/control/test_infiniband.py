"""Ports of InfiniBand: their GUIDs, what they may be, and servers that run with them beside others of Ethernet."""

from collections.abc import Iterator

import pytest

from fairlead.control import networks, policies, ports, servers
from fairlead.control.dhcp_options import DhcpOptionChange
from fairlead.control.networks import NetworkChanges
from fairlead.control.nics import BootNic
from fairlead.control.policies import PolicyChanges
from fairlead.control.port_changes import PortChanges, update
from fairlead.model.binding import VifType
from fairlead.model.dhcp_option import DhcpOption
from fairlead.model.errors import Conflict, InvalidValue
from fairlead.model.ids import PortId
from fairlead.model.infiniband import DEFAULT_PARTITION, Guid, Membership, PartitionKey, guid_of_mac
from fairlead.model.pci import LinkLayer, MacAddress
from fairlead.model.policy import DeviceMatch
from fairlead.model.port import PortStatus, VnicType
from fairlead.model.port_profile import EthernetSettings, InfinibandSettings, QbhSettings
from fairlead.model.server import ServerStatus
from fairlead.model.vf import INFINIBAND_BASELINE, LinkState, differences
from tests.control_world import CALLER, PHYSICAL_NETWORK
from tests.infiniband_world import FABRIC, MLX4, MLX5, InfinibandWorld

MAC, GUID = MacAddress("fa:16:3e:12:34:56"), Guid("fa:16:3e:00:00:12:34:56")
OWN = Guid("0a:00:00:00:00:00:00:01")


@pytest.fixture
def world() -> Iterator[InfinibandWorld]:
    made = InfinibandWorld()
    yield made
    made.close()


def change(world: InfinibandWorld, port_id: PortId, **changes: object) -> ports.PortView:
    given = PortChanges(**changes)  # type: ignore[arg-type]
    return world.engine.run(lambda tx: update(tx, port_id, given))


def test_a_port_has_the_guid_of_its_mac_or_one_that_it_was_given(world: InfinibandWorld):
    assert world.ib_port(mac=MAC).port.guid == GUID
    made = world.ib_port().port
    assert made.guid == guid_of_mac(made.mac)
    assert world.ib_port(guid=OWN).port.guid == OWN


def test_a_port_of_ethernet_has_none_and_can_be_given_none(world: InfinibandWorld):
    assert world.ib_port(world.network_id).port.guid is None
    with pytest.raises(InvalidValue, match="Ethernet"):
        world.ib_port(world.network_id, guid=OWN)


def test_a_guid_in_use_is_refused_on_whatever_network(world: InfinibandWorld):
    world.ib_port(mac=MAC)
    other = world.fabric_network("other", vlan=6)
    for again in ({"mac": MAC}, {"guid": GUID}):
        with pytest.raises(Conflict, match="GUID fa:16:3e:00:00:12:34:56 is in use") as refused:
            world.ib_port(other, **again)
        assert (refused.value.code, refused.value.field) == ("guid_in_use", "guid")


def test_a_guid_of_a_hosts_own_port_is_refused(world: InfinibandWorld):
    host = world.ib_host()
    own = next(pf.nic.guid for pf in host.sim.machine.pfs.values() if pf.nic.name == MLX5)
    with pytest.raises(Conflict, match=f"is that of the PF {MLX5}") as refused:
        world.ib_port(guid=own)
    assert refused.value.code == "guid_in_use"


def test_a_guid_that_was_made_follows_the_mac_and_one_that_was_given_stays(world: InfinibandWorld):
    made, given = world.ib_port().port.id, world.ib_port(guid=OWN).port.id
    assert change(world, made, mac=MAC).port.guid == GUID
    assert change(world, given, mac=MacAddress("fa:16:3e:65:43:21")).port.guid == OWN
    assert change(world, given, guid=None).port.guid == "fa:16:3e:00:00:65:43:21"


def test_a_port_tells_its_dhcp_client_id_which_follows_its_guid(world: InfinibandWorld):
    """As networking-mlnx writes it: RFC 4390 and 4361, Mellanox's enterprise number, and the GUID."""
    port = world.ib_port(mac=MAC).port
    said = f"ff:00:00:00:00:00:02:00:00:02:c9:00:{GUID}"
    assert port.dhcp_options == (DhcpOption("client-id", said, 4),)
    (option,) = change(world, port.id, guid=OWN).port.dhcp_options
    assert option.value == f"ff:00:00:00:00:00:02:00:00:02:c9:00:{OWN}"
    assert world.ib_port(world.network_id).port.dhcp_options == ()


@pytest.mark.parametrize("name", ["client-id", "61"])
def test_a_client_id_that_its_owner_wrote_or_took_away_is_left_alone(world: InfinibandWorld, name: str):
    own = DhcpOptionChange(name, "ff:01")
    port = world.ib_port(dhcp_options=(own,)).port
    assert port.dhcp_options == (DhcpOption(name, "ff:01"),)
    assert change(world, port.id, guid=OWN).port.dhcp_options == port.dhcp_options
    made = world.ib_port().port
    gone = change(world, made.id, dhcp_options=(DhcpOptionChange("client-id", None),)).port
    assert gone.dhcp_options == ()
    assert change(world, made.id, mac=MAC).port.dhcp_options == ()


def test_a_guid_stays_while_a_server_has_the_port(world: InfinibandWorld):
    host, port = world.ib_host(), world.ib_port().port
    world.run_server(host, "web", (BootNic(port_id=port.id),))
    with pytest.raises(Conflict, match="its guid cannot change") as refused:
        change(world, port.id, guid=OWN)
    assert refused.value.code == "bound"


@pytest.mark.parametrize("field", [{"vlan_priority": 3}, {"trusted": True}], ids=str)
def test_what_infiniband_has_not_is_refused(world: InfinibandWorld, field: dict[str, object]):
    with pytest.raises(InvalidValue, match="which is one of InfiniBand"):
        world.ib_port(**field)


@pytest.mark.parametrize("settings", [EthernetSettings(trust=True), QbhSettings("gold")], ids=str)
def test_a_profile_of_another_kind_is_refused_for_ports_and_for_the_network(
    world: InfinibandWorld, settings: EthernetSettings | QbhSettings
):
    profile = world.profile(settings)
    with pytest.raises(InvalidValue, match="which is one of InfiniBand"):
        world.ib_port(port_profile_id=profile)
    with pytest.raises(InvalidValue, match="which is one of InfiniBand"):
        world.engine.run(lambda tx: networks.update(tx, world.ib_id, NetworkChanges(port_profile_id=profile)))


def test_a_profile_of_infiniband_is_refused_on_ethernet(world: InfinibandWorld):
    profile = world.profile(InfinibandSettings(7))
    with pytest.raises(InvalidValue, match="which is one of Ethernet"):
        world.ib_port(world.network_id, port_profile_id=profile)


def test_a_profile_that_says_nothing_is_none_on_infiniband_too(world: InfinibandWorld):
    assert world.ib_port(port_profile_id=world.profile(EthernetSettings())).port.port_profile_id


def test_a_physical_network_is_of_one_link_layer(world: InfinibandWorld):
    with pytest.raises(Conflict, match="device policy data, network net") as refused:
        world.fabric_policy("other*", "other", physical_network=PHYSICAL_NETWORK)
    assert (refused.value.code, refused.value.field) == ("in_use", "link_layer")
    with pytest.raises(Conflict, match="device policy fabric, network ib"):
        world.policy(name="more", physical_network=FABRIC)
    data = world.engine.run(lambda tx: tx.policies.find(name="data")[0])
    changes = PolicyChanges(link_layer=LinkLayer.INFINIBAND)
    with pytest.raises(Conflict, match="network net"):
        world.engine.run(lambda tx: policies.update(tx, data.id, changes))


def test_a_link_layer_is_ethernet_or_infiniband(world: InfinibandWorld):
    with pytest.raises(InvalidValue, match="ethernet or infiniband"):
        world.fabric_policy(name="none", physical_network="another", link_layer=LinkLayer.NONE)


def test_a_policy_of_ethernet_means_no_nic_of_infiniband(world: InfinibandWorld):
    world.policy(name="all", match=DeviceMatch(name=("*",)), priority=9)
    host = world.ib_host()
    devices = world.engine.run(lambda tx: tx.devices.find(host_id=host.id))
    layers = {(d.link_layer, d.physical_network) for d in devices if d.policy_id and d.name}
    assert layers == {(LinkLayer.ETHERNET, PHYSICAL_NETWORK), (LinkLayer.INFINIBAND, FABRIC)}


def test_a_network_without_a_wish_is_one_of_ethernet(world: InfinibandWorld):
    made = world.engine.run(lambda tx: networks.create(tx, networks.NewNetwork(CALLER.project_id, "any")))
    assert (made.network.physical_network, made.network.link_layer) == (PHYSICAL_NETWORK, LinkLayer.ETHERNET)


def test_a_server_runs_with_a_vf_of_each(world: InfinibandWorld):
    host = world.ib_host()
    server = world.run_server(host, "web", (*world.ib_nic(), *world.direct()))
    assert server.status is ServerStatus.ACTIVE
    view = world.engine.run(lambda tx: ports.show(tx, server.ports[0]))
    assert view.status is PortStatus.ACTIVE
    assert view.binding is not None
    assert view.binding.vif_type is VifType.IB_HOSTDEV
    assert view.binding.vif_details["physical_network"] == FABRIC
    assert view.binding.profile["guid"] == view.port.guid


def test_a_vf_that_its_host_puts_into_partitions_is_in_the_networks(world: InfinibandWorld):
    host = world.ib_host()
    world.run_server(host, "web", world.ib_nic() * 8)
    told = [vf for vf in world.vfs(host, MLX4).values() if vf.port_guid]
    assert {vf.partition_key for vf in told} == {PartitionKey(5, Membership.FULL)}
    others = [vf for vf in world.vfs(host, MLX5).values() if vf.port_guid]
    assert {(vf.partition_key, vf.link_state) for vf in others} == {(None, LinkState.AUTO)}
    assert len(told) + len(others) == 8


def test_a_profile_says_the_partition_before_the_network(world: InfinibandWorld):
    profile = world.profile(InfinibandSettings(9))
    host = world.ib_host()
    world.run_server(host, "web", world.ib_nic(port_profile_id=profile) * 8)
    keys = {vf.partition_key for vf in world.vfs(host, MLX4).values() if vf.port_guid}
    assert keys == {PartitionKey(9, Membership.FULL)}


def test_a_flat_network_is_in_the_default_partition(world: InfinibandWorld):
    flat = world.fabric_network("flat", vlan=None)
    host = world.ib_host()
    server = world.run_server(host, "web", (BootNic(network_id=flat, vnic_type=VnicType.DIRECT),) * 8)
    assert server.status is ServerStatus.ACTIVE
    keys = {vf.partition_key for vf in world.vfs(host, MLX4).values() if vf.port_guid}
    assert keys == {PartitionKey(DEFAULT_PARTITION, Membership.FULL)}


def test_a_partition_that_the_fabric_has_not_keeps_the_guest_from_starting(world: InfinibandWorld):
    network = world.fabric_network("far", vlan=999)
    host = world.ib_host()
    nics = (BootNic(network_id=network, vnic_type=VnicType.DIRECT),) * 8
    server = world.run_server(host, "web", nics)
    assert server.status is ServerStatus.ERROR
    assert not any(domain.is_up for domain in host.sim.machine.domains.values())


def test_what_was_given_up_has_no_guid_and_is_free(world: InfinibandWorld):
    host = world.ib_host()
    server = world.run_server(host, "web", world.ib_nic() * 8)
    world.engine.run(lambda tx: servers.delete(tx, server.id))
    host.settle()
    for nic in (MLX4, MLX5):
        assert [differences(INFINIBAND_BASELINE, vf) for vf in world.vfs(host, nic).values()] == [()] * 4
    assert world.run_server(host, "next", world.ib_nic() * 8).status is ServerStatus.ACTIVE
    assert world.violations() == ()
    assert host.sim.machine.mishaps == []


def test_an_ordinary_vnic_has_no_place_on_infiniband(world: InfinibandWorld):
    with pytest.raises(InvalidValue, match="one of infiniband: a port there is direct"):
        world.ib_port(vnic_type=VnicType.NORMAL)
    port = world.ib_port().port
    with pytest.raises(InvalidValue, match="a port there is direct"):
        change(world, port.id, vnic_type=VnicType.NORMAL)
    with pytest.raises(InvalidValue, match="a port there is direct"):
        world.boot("web", world.ib_nic(vnic_type=VnicType.NORMAL))


def test_a_rate_is_refused_before_there_is_a_host(world: InfinibandWorld):
    with pytest.raises(Conflict, match="no VF of InfiniBand can be told"):
        world.boot("web", world.ib_nic(max_mbps=100))


def test_a_port_that_is_down_has_its_link_down_where_that_can_be_told(world: InfinibandWorld):
    host = world.ib_host()
    port = world.ib_port(admin_state_up=False).port
    world.run_server(host, "web", (BootNic(port_id=port.id),))
    told = [vf for vf in world.vfs(host, MLX5).values() if vf.port_guid]
    assert [vf.link_state for vf in told] == [LinkState.DISABLE]
