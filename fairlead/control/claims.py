"""The claim: host, devices, bandwidth, bindings for a server in one transaction, or nothing.

The decision was made on a snapshot; here the same rules are asked again, over rows that are held. Locks: the
server's ports with what their settings follow from (`port_locks`), its host, the server.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fairlead.control.boundary import Tx
from fairlead.control.bridging import choose_uplinks
from fairlead.control.events import tell_server
from fairlead.control.generations import advance, following
from fairlead.control.host_facts import view_of
from fairlead.control.port_locks import lock_ports
from fairlead.control.requests import nics_of, ports_of, request_of
from fairlead.drivers.base import BoundPort
from fairlead.drivers.registry import choose
from fairlead.model.binding import Allocation, Binding, BindingRole, Wiring
from fairlead.model.device import Device
from fairlead.model.host import Host
from fairlead.model.ids import DeviceId, HostId, PortId, RequestId, ServerId
from fairlead.model.lifecycle import DEVICE, after
from fairlead.model.pci import DeviceKind, LinkLayer
from fairlead.model.request import Nic
from fairlead.model.server import Server, ServerStatus
from fairlead.placement.boundary import Fit, Grant, HostView
from fairlead.placement.fits import fits


@dataclass(frozen=True, slots=True)
class Claim:
    """What came of it: whether the server has the host, and the host as it is now (None: it is gone)."""

    is_made: bool
    view: HostView | None


def commit(tx: Tx, server_id: ServerId, host_id: HostId) -> Claim:
    """The server has the host and all that it needs there, or nothing has changed: because it no longer fits,
    was deleted, or somebody else has placed it. Raises InvalidValue and Conflict `cannot_bind` where no host
    can ever serve it.
    """
    waiting = tx.servers.get(server_id)
    if waiting is not None:
        lock_ports(tx, waiting.ports)
    host = tx.hosts.hold(host_id)
    if host is None:
        return Claim(is_made=False, view=None)
    server = tx.servers.hold(server_id)
    view = view_of(tx, host)
    if server is None or not is_waiting(server):
        return Claim(is_made=False, view=view)
    request = request_of(tx, server)
    fit = fits(view, request)
    if not isinstance(fit, Fit):
        return Claim(is_made=False, view=view)
    host = _take(tx, host, server, fit)
    choose_uplinks(tx, host.id, request.bridged_networks)
    return Claim(is_made=True, view=view_of(tx, host))


def is_waiting(server: Server) -> bool:
    """Whether the server waits for a host."""
    return server.status is ServerStatus.BUILD and server.host_id is None


def _take(tx: Tx, host: Host, server: Server, fit: Fit) -> Host:
    generation = following(tx, host)
    placed = replace(server, host_id=host.id, cells=fit.cells, generation=generation, updated_at=tx.now)
    placed = tx.servers.put(placed)
    family_ids = tuple({grant.family_id for grant in fit.grants})
    known = tx.devices.find(family_id=family_ids) if family_ids else ()
    granted = {grant.request_id: _device(known, grant) for grant in fit.grants}
    nics = nics_of(tx, ports_of(tx, server.ports))
    ports = {RequestId(nic.port.id): nic.port.id for nic in nics}
    for grant in fit.grants:
        _hold(tx, placed, grant, granted[grant.request_id], ports.get(grant.request_id))
    heads = {device.id: device for device in known if device.id == device.family_id}
    for nic in nics:
        _bind(tx, host, nic, granted.get(RequestId(nic.port.id)), heads, generation)
    _tell(tx, host, placed, [granted[grant.request_id] for grant in fit.grants])
    return advance(tx, host)


def _device(known: Sequence[Device], grant: Grant) -> Device:
    """The very device that was granted: the VF of that index, or the PF or plain device itself."""
    kind_is_vf = grant.vf_index is not None
    return next(
        device
        for device in known
        if device.family_id == grant.family_id
        and device.vf_index == grant.vf_index
        and (device.kind is DeviceKind.VF) is kind_is_vf
    )


def _hold(tx: Tx, server: Server, grant: Grant, device: Device, port_id: PortId | None) -> None:
    tx.devices.put(replace(device, status=after(DEVICE, device.status, "claim"), note=""))
    tx.allocations.add(
        Allocation(
            device_id=device.id,
            family_id=device.family_id,
            host_id=device.host_id,
            server_id=server.id,
            request_id=grant.request_id,
            port_id=port_id,
            egress_kbps=grant.egress_kbps,
        )
    )


def _bind(
    tx: Tx, host: Host, nic: Nic, device: Device | None, heads: Mapping[DeviceId, Device], generation: int
) -> None:
    pf = heads[device.family_id] if device else None
    driver = choose(nic.port.vnic_type, pf.link_layer if pf else LinkLayer.ETHERNET)
    bound = driver.bind(BoundPort(nic.port, nic.network, nic.qos, device, pf))
    tx.bindings.add(
        Binding(
            port_id=nic.port.id,
            host_id=host.id,
            role=BindingRole.ACTIVE,
            wiring=Wiring.PENDING,
            vif_type=bound.vif_type,
            device_id=device.id if device else None,
            vif_details=bound.vif_details,
            profile=bound.profile,
            generation=generation,
        )
    )


def _tell(tx: Tx, host: Host, server: Server, devices: Sequence[Device]) -> None:
    tell_server(tx, server, "server_placed", f"Server {server.name} was placed on host {host.name}.")
    if devices:
        named = ", ".join(f"{device.pci_address}" for device in devices)
        tell_server(tx, server, "devices_claimed", f"Devices of host {host.name} were claimed: {named}.")
