"""Ports: create, delete, look. `port_changes` changes them."""

from dataclasses import dataclass

from fairlead.control import dhcp_options, guids, quotas
from fairlead.control.addresses import WantedAddress, allocate
from fairlead.control.boundary import Tx
from fairlead.control.changes import check_revision
from fairlead.control.dhcp_options import DhcpOptionChange
from fairlead.control.macs import check_mac_free, generated_mac
from fairlead.control.requests import nic_of, profile_in_force
from fairlead.drivers.base import BoundPort
from fairlead.drivers.registry import choose, served_kinds, served_vnic_types
from fairlead.model.binding import Binding, BindingRole
from fairlead.model.errors import Conflict, InvalidValue
from fairlead.model.ids import NetworkId, PortId, PortProfileId, ProjectId, QosPolicyId, ServerId
from fairlead.model.infiniband import Guid, guid_of_mac
from fairlead.model.lifecycle import port_status
from fairlead.model.network import Network
from fairlead.model.numa import NumaPolicy
from fairlead.model.pci import LinkLayer, MacAddress
from fairlead.model.port import Port, PortStatus, VnicType
from fairlead.model.port_profile import HIGHEST_VLAN_PRIORITY, PortProfile, PortProfileKind
from fairlead.model.quota import Resource
from fairlead.model.vf import is_nobodys


@dataclass(frozen=True, slots=True)
class NewPort:
    """What a port is made from. `mac` None: a generated one. `fixed_ips` None: one address of each IP version
    of the network. `port_security_enabled` None: as the network has it; false where nobody can check what leaves.
    """

    project_id: ProjectId
    network_id: NetworkId
    name: str = ""
    description: str = ""
    admin_state_up: bool = True
    mac: MacAddress | None = None
    fixed_ips: tuple[WantedAddress, ...] | None = None
    vnic_type: VnicType = VnicType.NORMAL
    server_id: ServerId | None = None
    owned_by_server: bool = False
    device_owner: str = ""
    device_id_text: str = ""
    alias: str | None = None
    qos_policy_id: QosPolicyId | None = None
    port_profile_id: PortProfileId | None = None
    port_security_enabled: bool | None = None
    propagate_uplink_status: bool = True
    allowed_addresses: tuple[str, ...] = ()
    dhcp_options: tuple[DhcpOptionChange, ...] = ()
    trusted: bool = False
    vlan_priority: int = 0
    numa_policy: NumaPolicy | None = None
    wanted_host: str = ""
    guid: Guid | None = None
    """None: made of the MAC, on a network of InfiniBand."""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PortView:
    """A port with what is derived for readers. `host` is the name of the host that it is bound to, else of
    the one that an operator asked for, else "". `network_qos_policy_id`, `network_port_profile_id` and
    `network_project_id` are what its network has.
    """

    port: Port
    status: PortStatus = PortStatus.DOWN
    binding: Binding | None = None
    host: str = ""
    network_qos_policy_id: QosPolicyId | None = None
    network_port_profile_id: PortProfileId | None = None
    network_project_id: ProjectId | None = None


def create(tx: Tx, new: NewPort) -> PortView:
    """The new port. Raises NotFound for what it names, InvalidValue that names the field, Conflict `mac_in_use`,
    `guid_in_use`, `ip_in_use`, `no_addresses`.
    """
    network = tx.networks.fetch(new.network_id)
    quotas.take(tx, new.project_id, {Resource.PORT: 1})
    check_settings(tx, network, new)
    if new.alias is not None:
        tx.aliases.fetch(new.alias)
    mac = new.mac or generated_mac(tx)
    guid = guids.guid_for(network, mac, new.guid)
    secured = new.port_security_enabled
    if secured is None:
        secured = network.port_security_enabled and new.vnic_type is not VnicType.DIRECT_PHYSICAL
    port = Port(
        id=PortId(tx.new_id()),
        project_id=new.project_id,
        network_id=new.network_id,
        name=new.name,
        mac=mac,
        vnic_type=new.vnic_type,
        created_at=tx.now,
        updated_at=tx.now,
        description=new.description,
        admin_state_up=new.admin_state_up,
        fixed_ips=allocate(tx, new.network_id, mac, new.fixed_ips),
        server_id=new.server_id,
        device_owner=new.device_owner,
        owned_by_server=new.owned_by_server,
        alias=new.alias,
        qos_policy_id=new.qos_policy_id,
        port_profile_id=new.port_profile_id,
        port_security_enabled=secured,
        propagate_uplink_status=new.propagate_uplink_status,
        allowed_addresses=new.allowed_addresses,
        dhcp_options=guids.with_client_id(dhcp_options.changed((), new.dhcp_options), guid),
        trusted=new.trusted,
        vlan_priority=new.vlan_priority,
        numa_policy=new.numa_policy,
        wanted_host=new.wanted_host,
        device_id_text=new.device_id_text,
        guid=guid,
        tags=new.tags,
    )
    guids.check_free(tx, port)
    if new.mac is not None:
        check_mac_free(tx, network, port)
    check_allowed_addresses(port)
    check_profile(tx, network, port)
    _add(tx, port, mac_is_given=new.mac is not None)
    return PortView(
        port,
        host=port.wanted_host,
        network_qos_policy_id=network.qos_policy_id,
        network_port_profile_id=network.port_profile_id,
        network_project_id=network.project_id,
    )


def delete(tx: Tx, port_id: PortId, revision: int | None = None) -> None:
    """The port is gone and its addresses are free. Raises NotFound, Conflict `in_use` while a server has it,
    Conflict `revision`.
    """
    port = tx.ports.lock(port_id)
    check_revision(port, revision)
    if port.server_id is not None or tx.bindings.find(port_id=port_id):
        raise Conflict(
            "in_use",
            f"Unable to complete operation on port {port_id} for network {port.network_id}. Port already has an "
            f"attached device {port.server_id}: delete that server or detach the port from it first.",
            field="port",
        )
    tx.ports.remove(port_id)


def find(tx: Tx, **where: object) -> tuple[PortView, ...]:
    """Ports whose columns equal the values, oldest first."""
    return views(tx, tx.ports.find(**where))


def show(tx: Tx, port_id: PortId) -> PortView:
    """The port; raises NotFound."""
    return views(tx, (tx.ports.fetch(port_id),))[0]


def views(tx: Tx, ports: tuple[Port, ...]) -> tuple[PortView, ...]:
    """The ports with what is derived for readers, in their order; a fixed number of queries."""
    attached = tuple(port.id for port in ports if port.server_id)
    active = tx.bindings.find(port_id=attached, role=BindingRole.ACTIVE) if attached else ()
    bindings = {binding.port_id: binding for binding in active}
    host_ids = tuple({binding.host_id for binding in active})
    hosts = {host.id: host.name for host in (tx.hosts.find(id=host_ids) if host_ids else ())}
    servers = tuple({port.server_id for port in ports if port.id in bindings})
    states = {server.id: server.guest_state for server in (tx.servers.find(id=servers) if servers else ())}
    network_ids = tuple({port.network_id for port in ports})
    networks = {network.id: network for network in (tx.networks.find(id=network_ids) if ports else ())}

    def view(port: Port) -> PortView:
        binding = bindings.get(port.id)
        status = port_status(binding, states.get(port.server_id, "") if port.server_id else "")
        host = hosts[binding.host_id] if binding else port.wanted_host
        network = networks[port.network_id]
        return PortView(
            port,
            status,
            binding,
            host,
            network.qos_policy_id,
            network.port_profile_id,
            network.project_id,
        )

    return tuple(map(view, ports))


def check_settings(tx: Tx, network: Network, port: Port | NewPort) -> None:
    """Raises NotFound for the QoS policy, and InvalidValue for a setting that the port's kind cannot have."""
    if port.qos_policy_id is not None:
        tx.qos_policies.fetch(port.qos_policy_id)
    if port.mac is not None and is_nobodys(port.mac):
        raise InvalidValue("mac_address", port.mac, "outside 02:fa:1d:*, which stands for no MAC at all")
    priority = port.vlan_priority
    if not 0 <= priority <= HIGHEST_VLAN_PRIORITY:
        raise InvalidValue("vlan_priority", priority, f"a priority of 0 to {HIGHEST_VLAN_PRIORITY}")
    if port.vnic_type not in (served := served_vnic_types(network.link_layer)):
        who = f"possible on network {network.name or network.id}, which is one of {network.link_layer.value}"
        expected = f"{who}: a port there is {' or '.join(sorted(kind.value for kind in served))}"
        raise InvalidValue("binding:vnic_type", port.vnic_type.value, expected)
    if network.link_layer is LinkLayer.INFINIBAND:
        guids.check_settings(network, vlan_priority=priority, trusted=port.trusted)
    if priority and network.vlan is None:
        raise InvalidValue("vlan_priority", priority, "possible on a flat network, whose frames have no tag")
    if port.vnic_type is VnicType.NORMAL and (priority or port.trusted):
        field, value = ("vlan_priority", priority) if priority else ("trusted", port.trusted)
        raise InvalidValue(field, value, "possible for vnic_type normal: it is a setting of a VF")
    if port.vnic_type is VnicType.DIRECT_PHYSICAL:
        _check_whole(port)


def _check_whole(port: Port | NewPort) -> None:
    """What nobody can do to a device that its guest rules."""
    why = "possible for vnic_type direct-physical: its guest has the whole device, and nobody"
    if port.port_security_enabled:
        raise InvalidValue(
            "port_security_enabled", port.port_security_enabled, f"{why} checks what leaves it"
        )
    if port.vlan_priority:
        raise InvalidValue("vlan_priority", port.vlan_priority, f"{why} else tags its frames")
    if not port.propagate_uplink_status:
        raise InvalidValue(
            "propagate_uplink_status", port.propagate_uplink_status, f"{why} can hold its link up"
        )


def check_allowed_addresses(port: Port) -> None:
    """Raises Conflict `pairs_without_security` where nothing keeps the guest from any address (Neutron's rule)."""
    if port.allowed_addresses and not port.port_security_enabled:
        raise Conflict(
            "pairs_without_security",
            "Port Security must be enabled in order to have allowed address pairs on a port.",
            field="allowed_address_pairs",
        )


def check_profile(tx: Tx, network: Network, port: Port) -> None:
    """Raises NotFound for the port profile, and InvalidValue where it contradicts the port, network or QoS policy, or
    can be no such port's.
    """
    if profile_in_force(port, network) is None:
        return
    nic = nic_of(tx, port, network)
    settings = nic.settings
    check_kind(network, port, nic.profile)
    if port.port_profile_id is not None and settings.kind is not PortProfileKind.ETHERNET:
        # What is for the switch or the fabric to say is never the port's own: no host could make both true.
        driver = choose(port.vnic_type, network.link_layer, settings.kind)
        driver.settings(BoundPort(port, network, nic.qos, profile=nic.profile))


def check_kind(network: Network, port: Port, profile: PortProfile | None) -> None:
    """Raises InvalidValue where the port has chosen a profile of a kind that no mechanism makes true for such a port
    there. What its network has for all of its ports is no choice of its own, and may be another's yet.
    """
    served = served_kinds(port.vnic_type, network.link_layer)
    if profile is None or port.port_profile_id is None or profile.kind in served:
        return
    who = f"a port of vnic_type {port.vnic_type.value} on network {network.name or network.id}"
    kinds = " or ".join(sorted(kind.value for kind in served)) or "none"
    raise InvalidValue(
        "port_profile_id",
        profile.name,
        f"possible for {who}: it is of kind {profile.kind.value}, and a mechanism there has {kinds}",
    )


def _add(tx: Tx, port: Port, *, mac_is_given: bool) -> None:
    is_guid_given = port.guid is not None and port.guid != guid_of_mac(port.mac)
    try:
        tx.ports.add(port)
    except Conflict as conflict:
        is_made = conflict.code == "mac_in_use" or (conflict.code == "guid_in_use" and not is_guid_given)
        if is_made and not mac_is_given:
            raise Conflict("stale", f"The generated MAC {port.mac} is taken.") from conflict
        raise
