"""Bindings of a port beside the one in force: a claim on another host, for the server's coming there.

An INACTIVE binding holds a device of that host for the port, as a claim does; the port's addresses stay its own; the
host is told nothing. `activate` makes it the one in force, once the server is there: a binding moves no server. See
docs/decisions/0013.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fairlead.control.boundary import Tx
from fairlead.control.bridging import choose_uplinks
from fairlead.control.generations import advance, following
from fairlead.control.holding import adopt_mac, bind_port, give_up_device, granted_device, hold_device
from fairlead.control.host_facts import view_of
from fairlead.control.macs import with_macs_taken
from fairlead.control.nics import unbind
from fairlead.control.port_locks import lock_ports
from fairlead.control.requests import nics_of
from fairlead.model.binding import Binding, BindingRole, Wiring
from fairlead.model.errors import Conflict, InvalidValue, NotFound
from fairlead.model.host import Host
from fairlead.model.ids import PortId
from fairlead.model.port import Port
from fairlead.model.request import ServerRequest, server_request
from fairlead.model.server import Server, ServerStatus
from fairlead.placement.boundary import Fit
from fairlead.placement.fits import fits

_COMPUTE = "compute:"


@dataclass(frozen=True, slots=True)
class BindingView:
    """A binding with its port and the name of its host."""

    binding: Binding
    port: Port
    host: str


def find(tx: Tx, port_id: PortId) -> tuple[BindingView, ...]:
    """The bindings of a port, the active one first; raises NotFound for the port."""
    port = tx.ports.fetch(port_id)
    bindings = tx.bindings.find(port_id=port_id)
    hosts = {host.id: host.name for host in tx.hosts.find(id=tuple(b.host_id for b in bindings))}
    in_order = sorted(bindings, key=lambda binding: (binding.role.value, hosts[binding.host_id]))
    return tuple(BindingView(binding, port, hosts[binding.host_id]) for binding in in_order)


def show(tx: Tx, port_id: PortId, host_name: str) -> BindingView:
    """The binding on that host; raises NotFound."""
    for view in find(tx, port_id):
        if view.host == host_name:
            return view
    raise NotFound("port binding", f"of port {port_id} on host {host_name}")


def prepare(tx: Tx, port_id: PortId, host_name: str) -> BindingView:
    """Hold on that host what the port needs there. Raises NotFound, InvalidValue for a port that no server has,
    Conflict `binding_exists`, `wrong_state` for a server that is on no host and for a port that is being detached,
    `cannot_bind` with the host's reasons.
    """
    host_id = _host(tx, host_name).id
    (port,) = lock_ports(tx, (tx.ports.fetch(port_id).id,))
    if port.server_id is None or not port.device_owner.startswith(_COMPUTE):
        raise InvalidValue(
            "device_owner", port.device_owner, "that of a server: only those ports are bound twice"
        )
    host, server = tx.hosts.lock(host_id), tx.servers.lock(port.server_id)
    if tx.bindings.get((port_id, host_id)) is not None:
        raise Conflict("binding_exists", f"Binding for port {port_id} on host {host.name} already exists.")
    if server.host_id is None or server.status is ServerStatus.DELETING:
        raise Conflict(
            "wrong_state", f"Server {server.name} of port {port_id} is {server.status.value} on no host."
        )
    in_force = tx.bindings.get((port_id, server.host_id))
    if in_force is None or in_force.wiring is Wiring.UNWIRING:
        raise Conflict("wrong_state", f"Port {port_id} is being detached from server {server.name}.")
    binding = _claim(tx, host, server, port)
    return BindingView(binding, port, host.name)


def activate(tx: Tx, port_id: PortId, host_name: str) -> BindingView:
    """The binding on that host is the one in force, and the other waits. Raises NotFound, Conflict `binding_active`,
    `wrong_state` where the server is elsewhere, `mac_in_use` for a PF whose MAC another port has.
    """
    view = show(tx, port_id, host_name)
    lock_ports(tx, (port_id,))
    known = tx.bindings.find(port_id=port_id)
    hosts = {host_id: tx.hosts.lock(host_id) for host_id in sorted(binding.host_id for binding in known)}
    server = tx.servers.lock(view.port.server_id or "")
    binding = tx.bindings.fetch((port_id, view.binding.host_id))
    if binding.role is BindingRole.ACTIVE:
        raise Conflict("binding_active", f"Binding for port {port_id} on host {host_name} is already active.")
    if server.host_id != binding.host_id:
        raise Conflict(
            "wrong_state",
            f"Binding for port {port_id} on host {host_name} cannot be activated: server {server.name} is on another "
            "host, and its binding does not move it. Migrate the server; its bindings follow.",
        )
    for other in known:
        if other.role is BindingRole.ACTIVE:
            waiting = replace(other, role=BindingRole.INACTIVE, wiring=Wiring.PENDING, failure=None)
            tx.bindings.put(waiting)
            advance(tx, hosts[other.host_id])
    host = hosts[binding.host_id]
    active = replace(binding, role=BindingRole.ACTIVE, wiring=Wiring.PENDING, generation=following(tx, host))
    tx.bindings.put(active)
    adopt_mac(tx, active)
    advance(tx, host)
    return BindingView(active, view.port, host_name)


def withdraw(tx: Tx, port_id: PortId, host_name: str) -> None:
    """The port waits on that host no longer; its device is free once the host reports it clean. Raises NotFound,
    Conflict `in_use` for the binding in force.
    """
    view = show(tx, port_id, host_name)
    lock_ports(tx, (port_id,))
    tx.hosts.lock(view.binding.host_id)
    binding = tx.bindings.get((port_id, view.binding.host_id))
    if binding is None:
        raise Conflict("stale", f"The binding of port {port_id} on host {host_name} went meanwhile.")
    if binding.role is BindingRole.ACTIVE:
        raise Conflict(
            "in_use",
            f"Port {port_id} is bound on host {host_name}, where its server is.",
            field="port binding",
        )
    _end(tx, binding)


def hold_hosts_of(tx: Tx, servers: Iterable[Server]) -> None:
    """Hold every host that these servers are on or that a port of theirs waits on, by id: before `withdraw_all`."""
    listed = tuple(servers)
    ports = tuple(port_id for server in listed for port_id in server.ports)
    waiting = {binding.host_id for binding in (tx.bindings.find(port_id=ports) if ports else ())}
    for host_id in sorted(waiting | {server.host_id for server in listed if server.host_id}):
        tx.hosts.hold(host_id)


def withdraw_all(tx: Tx, port_ids: tuple[PortId, ...]) -> None:
    """The ports wait nowhere any longer: their server goes, or has lost its host."""
    for binding in tx.bindings.find(port_id=port_ids, role=BindingRole.INACTIVE) if port_ids else ():
        _end(tx, binding)


def _end(tx: Tx, binding: Binding) -> None:
    """Nobody holds the device, and nobody gets it before its host, by a later document, has reported it clean."""
    host = tx.hosts.lock(binding.host_id)
    generation = following(tx, host)
    unbind(tx, (binding,))
    if binding.device_id is not None:
        give_up_device(tx, binding.device_id, generation)
    advance(tx, host)


def _claim(tx: Tx, host: Host, server: Server, port: Port) -> Binding:
    """Only the port's device and bridge: room for the guest itself is the migration's to claim."""
    (nic,) = nics_of(tx, (port,))
    aliases = {alias.name: alias for alias in tx.aliases.find()}
    whole = with_macs_taken(tx, server_request(server.flavor, (nic,), aliases), (port,))
    own = tuple(request for request in whole.pci if request.port_id == port.id)
    request = ServerRequest(0, 0, 0, pci=own, bridged_networks=whole.bridged_networks)
    fit = fits(view_of(tx, host, server.id), request)
    if not isinstance(fit, Fit):
        reasons = " ".join(reason.message for reason in fit)
        raise Conflict("cannot_bind", f"Port {port.id} cannot be bound on host {host.name}: {reasons}")
    device, heads = None, {}
    for grant in fit.grants:
        known = tx.devices.find(family_id=grant.family_id)
        device = granted_device(known, grant)
        heads = {head.id: head for head in known if head.id == head.family_id}
        hold_device(tx, server.id, grant, device, port.id)
    binding = bind_port(tx, host, nic, device, heads, BindingRole.INACTIVE, following(tx, host))
    choose_uplinks(tx, host.id, request.bridged_networks)
    advance(tx, host)
    return binding


def _host(tx: Tx, name: str) -> Host:
    found = tx.hosts.find(name=name)
    if not found:
        raise NotFound("host", name)
    return found[0]
