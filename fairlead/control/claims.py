"""The claim: host, devices, bandwidth, bindings for a server in one transaction, or nothing.

The decision was made on a snapshot; here the same rules are asked again, over rows that are held. Locks: the
server's group, its ports with what their settings follow from (`port_locks`), its host, the server.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fairlead.control.boundary import Tx
from fairlead.control.bridging import choose_uplinks
from fairlead.control.events import tell_server
from fairlead.control.generations import advance, following
from fairlead.control.holding import bind_port, granted_device, hold_device
from fairlead.control.host_facts import view_of
from fairlead.control.port_locks import lock_ports
from fairlead.control.requests import nics_of, ports_of, request_of
from fairlead.model.binding import BindingRole
from fairlead.model.device import Device
from fairlead.model.host import Host
from fairlead.model.ids import HostId, RequestId, ServerId
from fairlead.model.server import Server, ServerStatus
from fairlead.placement.boundary import Fit, HostView
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
    if waiting is not None and waiting.group_id is not None:
        tx.server_groups.hold(waiting.group_id)
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
    granted = {grant.request_id: granted_device(known, grant) for grant in fit.grants}
    nics = nics_of(tx, ports_of(tx, server.ports))
    ports = {RequestId(nic.port.id): nic.port.id for nic in nics}
    for grant in fit.grants:
        hold_device(tx, placed.id, grant, granted[grant.request_id], ports.get(grant.request_id))
    heads = {device.id: device for device in known if device.id == device.family_id}
    for nic in nics:
        device = granted.get(RequestId(nic.port.id))
        bind_port(tx, host, nic, device, heads, BindingRole.ACTIVE, generation)
    _tell(tx, host, placed, [granted[grant.request_id] for grant in fit.grants])
    return advance(tx, host)


def _tell(tx: Tx, host: Host, server: Server, devices: Sequence[Device]) -> None:
    tell_server(tx, server, "server_placed", f"Server {server.name} was placed on host {host.name}.")
    if devices:
        named = ", ".join(f"{device.pci_address}" for device in devices)
        tell_server(tx, server, "devices_claimed", f"Devices of host {host.name} were claimed: {named}.")
