"""Devices as people see them: where each is, which policy has it, who holds it."""

from dataclasses import dataclass

from fairlead.control.boundary import Tx
from fairlead.control.events import tell_device
from fairlead.control.generations import advance
from fairlead.control.policy_matches import vnic_servers
from fairlead.model.binding import Allocation
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.errors import Conflict
from fairlead.model.ids import DeviceId
from fairlead.model.port import Port
from fairlead.model.server import Server
from fairlead.placement.snapshot import label


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A device with what is derived for readers. `policy` is a name; `holder` is in words, "" for nobody."""

    device: Device
    host_name: str
    policy: str | None = None
    allocation: Allocation | None = None
    holder: str = ""


def find(tx: Tx, **where: object) -> tuple[DeviceView, ...]:
    """Devices whose columns equal the values, by host and PCI address."""
    return views(tx, tx.devices.find(**where))


def show(tx: Tx, device_id: DeviceId) -> DeviceView:
    """The device; raises NotFound."""
    return views(tx, (tx.devices.fetch(device_id),))[0]


def forget(tx: Tx, device_id: DeviceId) -> None:
    """A device that is gone for good leaves the inventory, its VFs with it; should it come back, it is a new one.
    Raises NotFound, Conflict `wrong_state` for one that its host still has, `in_use` that names who holds it.
    """
    host = tx.hosts.lock(tx.devices.fetch(device_id).host_id)
    device = tx.devices.fetch(device_id)
    family = tx.devices.find(family_id=device_id) if device.id == device.family_id else (device,)
    if any(member.status is not DeviceStatus.MISSING for member in family):
        raise Conflict(
            "wrong_state",
            f"Device {label(device)} of host {host.name} is not MISSING: its host reports it.",
            field="device",
        )
    if holders := _all_holders(tx, device, family):
        raise Conflict(
            "in_use",
            f"Device {label(device)} of host {host.name} cannot be forgotten: {', '.join(holders)} has it. Delete "
            "what has it first; that needs no device.",
            field="device",
        )
    for member in sorted(family, key=lambda member: member.id == member.family_id):
        tx.devices.remove(member.id)
    tell_device(tx, host.id, device_id, "device_forgotten", f"{label(device)} was forgotten.")
    advance(tx, host)


def views(tx: Tx, devices: tuple[Device, ...]) -> tuple[DeviceView, ...]:
    """The devices with what is derived for readers, in their order; a fixed number of queries."""
    if not devices:
        return ()
    hosts = {host.id: host.name for host in tx.hosts.find(id=tuple({device.host_id for device in devices}))}
    policies = {policy.id: policy.name for policy in tx.policies.find()}
    ids = tuple(device.id for device in devices)
    allocations = {allocation.device_id: allocation for allocation in tx.allocations.find(device_id=ids)}
    servers, ports = _holders(tx, tuple(allocations.values()))

    def view(device: Device) -> DeviceView:
        allocation = allocations.get(device.id)
        holder = _said(allocation, servers, ports) if allocation else ""
        policy = policies.get(device.policy_id) if device.policy_id else None
        return DeviceView(device, hosts[device.host_id], policy, allocation, holder)

    return tuple(map(view, devices))


def _all_holders(tx: Tx, device: Device, family: tuple[Device, ...]) -> list[str]:
    """In words, also the servers whose vNICs leave through it, and whoever has its PF whole: its VFs come back then."""
    head = () if device.id == device.family_id else (tx.devices.fetch(device.family_id),)
    holding = [view.holder for view in views(tx, family) if view.holder]
    holding += [f"{view.holder} (its PF, whole)" for view in views(tx, head) if view.holder]
    network = device.physical_network
    bridged = vnic_servers(tx, device.host_id, {network}) if device.is_uplink and network else set()
    names = [server.name or server.id for server in tx.servers.find(id=tuple(bridged))]
    return holding + [f"server {name} (vNIC on the bridge of {network})" for name in names]


def _holders(tx: Tx, allocations: tuple[Allocation, ...]) -> tuple[dict[str, Server], dict[str, Port]]:
    server_ids = tuple({allocation.server_id for allocation in allocations})
    port_ids = tuple({allocation.port_id for allocation in allocations if allocation.port_id})
    servers: dict[str, Server] = {s.id: s for s in (tx.servers.find(id=server_ids) if server_ids else ())}
    ports: dict[str, Port] = {p.id: p for p in (tx.ports.find(id=port_ids) if port_ids else ())}
    return servers, ports


def _said(allocation: Allocation, servers: dict[str, Server], ports: dict[str, Port]) -> str:
    server = servers[allocation.server_id]
    port = ports.get(allocation.port_id) if allocation.port_id else None
    what = f"port {port.name or port.id}" if port else f"flavor request {allocation.request_id}"
    return f"server {server.name or server.id} ({what})"
