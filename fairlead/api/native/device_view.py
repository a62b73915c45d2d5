"""A device as /v1 shows it: the inventory, who holds what, and the settings as read back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from msgspec import Struct

from fairlead.api.native.records import says, viewed
from fairlead.control.boundary import Tx
from fairlead.control.offering import offers
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.ids import DeviceId, HostId, PfKey, PolicyId, PortId, ServerId
from fairlead.model.pci import DeviceKind, LinkLayer, MacAddress, PciAddress
from fairlead.model.vf import VfSettings


class DeviceView(Struct, frozen=True, kw_only=True):
    """A PF, VF or plain PCI device of a host."""

    id: DeviceId
    host_id: HostId
    family_id: Annotated[
        DeviceId, says("The device id of its PF, for a PF and its VFs; of a plain device its own.")
    ]
    kind: DeviceKind
    key: Annotated[str, says("Its lasting identity on the host.")]
    status: DeviceStatus
    pci_address: PciAddress
    vendor: Annotated[str, says("Four hex digits.")]
    product: Annotated[str, says("Four hex digits.")]
    kernel_driver: Annotated[str | None, says("The driver that has it on its host; null: none.")]
    numa_node: Annotated[int | None, says("null: the host does not say.")]
    iommu_group: Annotated[int | None, says("null: it is in none.")]
    link_layer: LinkLayer
    name: Annotated[str | None, says("The network device's name on the host, of a PF or plain NIC.")]
    mac: Annotated[MacAddress | None, says("A PF's permanent MAC address.")]
    pf: Annotated[PfKey | None, says("The lasting identity of its PF; null for plain devices.")]
    vf_index: Annotated[int | None, says("Which of its PF's VFs it is; null: it is no VF.")]
    link_up: bool | None
    speed_mbps: int | None
    mtu: int | None
    total_vfs: Annotated[int, says("How many VFs a PF can have.")]
    num_vfs: Annotated[int, says("How many VFs a PF has.")]
    capabilities: tuple[str, ...]
    serial: str | None
    is_management: Annotated[bool, says("Whether the host's default route leaves through it.")]
    host_use: Annotated[
        str, says('What the host itself does with it ("has address 10.0.0.5/24"); "": nothing.')
    ]
    seen: Annotated[
        VfSettings | None,
        says("A VF's settings as last read back from the kernel; null: nothing was read."),
    ]
    policy_id: Annotated[PolicyId | None, says("The device policy that matches it; null: none does.")]
    physical_network: str | None
    tags: tuple[str, ...]
    egress_mbps: Annotated[
        int | None, says("The bandwidth that may be promised on a PF; null: its link speed.")
    ]
    is_uplink: Annotated[bool, says("Whether the bridge of its physical network leaves the host through it.")]
    released_generation: Annotated[
        int, says("The host's desired state from which on nobody holds it; an older report frees nothing.")
    ]
    note: Annotated[str, says('Why it is FAULTY or held back; "": it is not.')]
    host_name: str
    pf_name: Annotated[str | None, says("The network device's name of its PF.")]
    policy_name: Annotated[str | None, says("The name of the device policy that matches it.")]
    holder: Annotated[str, says('Who has it, in words; "": nobody.')]
    server_id: Annotated[ServerId | None, says("The server that has it; null: none.")]
    server_name: str | None
    port_id: Annotated[
        PortId | None, says("The port that it is bound for; null: none, or a flavor asked for it.")
    ]
    port_name: str | None
    offered: Annotated[bool, says("Whether placement would give it to a server now.")]
    standing: Annotated[
        str,
        says(
            "Why it is not offered, in one word: its `status`, or for an AVAILABLE device MANAGEMENT (the default "
            "route leaves through it), HOST_USES (the host has it in use), UNMANAGED (no device policy matches it), "
            "IOMMU_GROUP (a server, or a driver of the host, has another device of its group), "
            "PF_HELD or BEYOND_COUNT (of a VF: its PF is given whole, or its policy wants fewer), VFS_HELD or BRIDGED "
            "(of a PF: its VFs or its bridge are in use)."
        ),
    ]
    why_not: Annotated[str, says('Why it is not offered, in words; "": it is.')]


@dataclass(frozen=True, slots=True)
class _Holder:
    """Who has a device, in words and by id."""

    holder: str = ""
    server_id: ServerId | None = None
    server_name: str | None = None
    port_id: PortId | None = None
    port_name: str | None = None


_NOBODY = _Holder()


def device_views(tx: Tx, devices: Sequence[Device]) -> list[DeviceView]:
    """Devices with the names of their host, PF, policy and holder; a fixed number of queries."""
    devices = tuple(devices)
    hosts = {host.id: host.name for host in tx.hosts.find()}
    policies = {policy.id: policy.name for policy in tx.policies.find()}
    heads, offered, holders = _heads(tx, devices), offers(tx, devices), _holders(tx, devices)
    found = []
    for device in devices:
        head, offer, holder = heads.get(device.family_id), offered[device.id], holders.get(device.id, _NOBODY)
        view = viewed(
            DeviceView,
            device,
            host_name=hosts[device.host_id],
            pf_name=head.name if head else None,
            policy_name=policies.get(device.policy_id) if device.policy_id else None,
            holder=holder.holder,
            server_id=holder.server_id,
            server_name=holder.server_name,
            port_id=holder.port_id,
            port_name=holder.port_name,
            offered=offer.is_offered,
            standing=offer.standing,
            why_not=offer.why_not,
        )
        found.append(view)
    return found


def _heads(tx: Tx, devices: tuple[Device, ...]) -> dict[str, Device]:
    ids = tuple({device.family_id for device in devices})
    return {head.id: head for head in (tx.devices.find(id=ids) if ids else ())}


def _holders(tx: Tx, devices: tuple[Device, ...]) -> dict[DeviceId, _Holder]:
    """By device, the server and port that hold it."""
    ids = {device.id for device in devices}
    hosts = tuple({device.host_id for device in devices})
    held = [a for a in (tx.allocations.find(host_id=hosts) if hosts else ()) if a.device_id in ids]
    if not held:
        return {}
    servers = {s.id: s for s in tx.servers.find(id=tuple({a.server_id for a in held}))}
    port_ids = tuple({a.port_id for a in held if a.port_id})
    ports = {port.id: port for port in (tx.ports.find(id=port_ids) if port_ids else ())}
    found: dict[DeviceId, _Holder] = {}
    for allocation in held:
        server = servers[allocation.server_id]
        port = ports.get(allocation.port_id) if allocation.port_id else None
        what = f"port {port.name or port.id}" if port else f"flavor request {allocation.request_id}"
        found[allocation.device_id] = _Holder(
            f"server {server.name or server.id} ({what})",
            server.id,
            server.name,
            port.id if port else None,
            port.name if port else None,
        )
    return found
