"""Changes of a port, and what may change while a server has it.

Where the device is claimed to fit the port, what it was claimed for stands: MAC, vNIC type, NUMA policy; trust and
minimum bandwidth may become less. Everything else reaches the host at once.
"""

from dataclasses import dataclass, replace

from msgspec import UNSET, UnsetType

from fairlead.control import dhcp_options, guids
from fairlead.control.addresses import WantedAddress, allocate
from fairlead.control.boundary import Tx
from fairlead.control.changes import applied, check_revision
from fairlead.control.dhcp_options import DhcpOptionChange
from fairlead.control.macs import check_mac_free
from fairlead.control.nic_changes import change_nics
from fairlead.control.port_locks import lock_ports
from fairlead.control.ports import PortView, check_allowed_addresses, check_profile, check_settings, views
from fairlead.control.requests import nic_of
from fairlead.control.rewiring import retell
from fairlead.model.error_codes import Code
from fairlead.model.errors import Conflict
from fairlead.model.ids import PortId, PortProfileId, QosPolicyId
from fairlead.model.infiniband import Guid
from fairlead.model.network import Network
from fairlead.model.numa import NumaPolicy
from fairlead.model.pci import MacAddress
from fairlead.model.port import FixedIp, Port, VnicType


@dataclass(frozen=True, slots=True)
class PortChanges:
    """What may change; UNSET stays as it is. `fixed_ips` is the whole new list of wishes."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    admin_state_up: bool | UnsetType = UNSET
    mac: MacAddress | UnsetType = UNSET
    vnic_type: VnicType | UnsetType = UNSET
    device_owner: str | UnsetType = UNSET
    device_id_text: str | UnsetType = UNSET
    qos_policy_id: QosPolicyId | UnsetType | None = UNSET
    port_profile_id: PortProfileId | UnsetType | None = UNSET
    port_security_enabled: bool | UnsetType = UNSET
    propagate_uplink_status: bool | UnsetType = UNSET
    allowed_addresses: tuple[str, ...] | UnsetType = UNSET
    dhcp_options: tuple[DhcpOptionChange, ...] | UnsetType = UNSET
    trusted: bool | UnsetType = UNSET
    vlan_priority: int | UnsetType = UNSET
    numa_policy: NumaPolicy | UnsetType | None = UNSET
    wanted_host: str | UnsetType = UNSET
    guid: Guid | UnsetType | None = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET


_CLAIMED_FIELDS: dict[str, Code] = {
    "mac": "bound",
    "vnic_type": "in_use",
    "numa_policy": "bound",
}
"""What a device was chosen for, with the code of the refusal: Neutron's PortBound and PortInUse."""


_ATTRIBUTES = {
    "device_id_text": "device_id",
    "device_owner": "device_owner",
    "wanted_host": "binding:host_id",
    "mac": "mac_address",
    "vnic_type": "binding:vnic_type",
    "numa_policy": "numa_affinity_policy",
    "guid": "guid",
}
"""What its owner calls what cannot change."""


def update(
    tx: Tx,
    port_id: PortId,
    changes: PortChanges,
    fixed_ips: tuple[WantedAddress, ...] | UnsetType = UNSET,
    revision: int | None = None,
) -> PortView:
    """The changed port; its host is told. Raises NotFound, InvalidValue, Conflict `bound` or `in_use` for what
    stands while a server has the port, `mac_in_use`, `guid_in_use`, `ip_in_use`, `no_addresses`, `revision`.
    """
    tx.ports.fetch(port_id)
    (port,) = lock_ports(
        tx,
        (port_id,),
        wanted_policy=changes.qos_policy_id or None,
        wanted_profile=changes.port_profile_id or None,
    )
    check_revision(port, revision)
    options = dhcp_options.changed(port.dhcp_options, changes.dhcp_options or ())
    changes = replace(changes, dhcp_options=UNSET)
    changed = _attached(tx, port, changes) if port.server_id else applied(replace, port, changes)
    changed = replace(changed, dhcp_options=options)
    network = tx.networks.fetch(port.network_id)
    changed = _with_guid(tx, network, port, changed, changes)
    check_settings(tx, network, changed)
    if changed.mac != port.mac:
        check_mac_free(tx, network, changed)
    check_allowed_addresses(changed)
    check_profile(tx, network, changed)
    if not isinstance(fixed_ips, UnsetType) or changed.mac != port.mac:
        changed = replace(changed, fixed_ips=_readdressed(tx, changed, fixed_ips))
    if port.server_id:
        _tell(tx, network, port, changed)
    return views(tx, (tx.ports.put(replace(changed, updated_at=tx.now)),))[0]


def _with_guid(tx: Tx, network: Network, port: Port, changed: Port, changes: PortChanges) -> Port:
    """One that was made of the MAC follows it; null asks for that one."""
    stays = isinstance(changes.guid, UnsetType) and guids.has_own_guid(port)
    given = port.guid if stays else changes.guid or None
    changed = replace(changed, guid=guids.guid_for(network, changed.mac, given))
    if changed.guid == port.guid:
        return changed
    if port.server_id:
        raise _refusal(port, "bound", "guid")
    guids.check_free(tx, changed)
    options = guids.with_client_id(changed.dhcp_options, changed.guid, port.guid)
    return replace(changed, dhcp_options=options)


def _attached(tx: Tx, port: Port, changes: PortChanges) -> Port:
    """The changed port of a server; who has it, and where, is the server's to say and may only be repeated."""
    view = views(tx, (port,))[0]
    said = {"device_id_text": port.server_id, "device_owner": port.device_owner, "wanted_host": view.host}
    for name, value in said.items():
        if getattr(changes, name) not in (UNSET, value):
            raise _refusal(port, "in_use" if name == "device_id_text" else "bound", name)
    rest = replace(changes, device_id_text=UNSET, device_owner=UNSET, wanted_host=UNSET)
    changed = applied(replace, port, rest)
    for name, code in _CLAIMED_FIELDS.items():
        if getattr(changed, name) != getattr(port, name):
            raise _refusal(port, code, name)
    return changed


def _refusal(port: Port, code: Code, name: str) -> Conflict:
    return Conflict(
        code,
        f"Unable to complete operation on port {port.id} for network {port.network_id}: its {_ATTRIBUTES[name]} "
        f"cannot change while server {port.server_id} has it. Detach the port first.",
        field="port",
    )


def _readdressed(tx: Tx, port: Port, wanted: tuple[WantedAddress, ...] | UnsetType) -> tuple[FixedIp, ...]:
    if isinstance(wanted, UnsetType):
        # Another MAC makes other addresses where guests make their own; the others are asked for again.
        wanted = tuple(WantedAddress(ip.subnet_id) for ip in port.fixed_ips)
    return allocate(tx, port.network_id, port.mac, wanted, held=port.fixed_ips)


def _tell(tx: Tx, network: Network, port: Port, changed: Port) -> None:
    """Of addresses a guest learns at its next boot; from which ones it may send, its host sees to at once."""
    if _told_besides(changed) != _told_besides(port):
        retell(tx, (port,))
    after = nic_of(tx, changed, network)
    change_nics(tx, (nic_of(tx, port, network),), lambda _: after)


def _told_besides(port: Port) -> tuple[object, ...]:
    """What a host is told of the port besides its settings."""
    return port.fixed_ips, port.allowed_addresses, port.dhcp_options
