"""NICs for a server that is there, and off it again: each one transaction, as a claim is.

Locks as a claim's: the port with what its settings follow from, the host (all that the port is bound on), the server.
What the host makes of it, and when, its reports say: `detachments`, `guest_reports`.
"""

from dataclasses import replace

from fairlead.access.caller import Caller
from fairlead.control.boundary import Tx
from fairlead.control.bridging import choose_uplinks
from fairlead.control.events import tell_server
from fairlead.control.generations import advance, following
from fairlead.control.holding import bind_port, granted_device, hold_device
from fairlead.control.host_facts import view_of
from fairlead.control.nics import MOST_NICS, BootNic, check, take
from fairlead.control.port_bindings import hold_hosts_of, withdraw_all
from fairlead.control.port_locks import lock_ports
from fairlead.control.requests import nics_of, ports_of, request_for
from fairlead.control.servers import WrongState, locked
from fairlead.control.subjects import of_server
from fairlead.hoststate.observed import GuestState
from fairlead.model.binding import BindingRole, Wiring
from fairlead.model.errors import Conflict, InvalidValue, NotAttached
from fairlead.model.host import Host
from fairlead.model.ids import PortId, ServerId
from fairlead.model.lifecycle import DEVICE, WIRING, after
from fairlead.model.port import Port
from fairlead.model.request import Nic, ServerRequest
from fairlead.model.server import Power, Server, ServerStatus
from fairlead.placement.beside import fits_beside
from fairlead.placement.boundary import Fit

_ATTACHABLE = (ServerStatus.ACTIVE, ServerStatus.SHUTOFF, ServerStatus.PAUSED)
_DETACHABLE = (*_ATTACHABLE, ServerStatus.ERROR)
"""A port that cannot be wired may be why a server is in ERROR: to detach it is the cure."""

_SEES_HOSTS = "os_compute_api:os-extended-server-attributes"
"""The rule by which a caller sees what names hosts, devices and who holds them."""
_NOT_HERE = "its host has nothing free that would do. Its operator can see why."


def attach(tx: Tx, caller: Caller, server_id: ServerId, nic: BootNic) -> PortId:
    """The port that the server has now, its last; its host is told to make it true. Raises NotFound, as `nics.take`
    for the NIC, Conflict `wrong_state`, `cannot_bind` with the host's reasons; then nothing has changed.
    """
    _check_state(tx.servers.fetch(server_id), "attach_interface", _ATTACHABLE)
    check((nic,))
    if nic.port_id:
        lock_ports(tx, (nic.port_id,))
    owner = replace(caller, project_id=tx.servers.fetch(server_id).project_id)
    (port,) = take(tx, owner, server_id, (nic,))
    lock_ports(tx, (port.id,))
    server, host = locked(tx, server_id)
    if host is None:
        raise WrongState("attach_interface", server)
    _check_state(server, "attach_interface", _ATTACHABLE)
    if len(server.ports) >= MOST_NICS:
        raise InvalidValue("interfaceAttachment", len(server.ports) + 1, f"at most {MOST_NICS} NICs")
    server = replace(server, ports=(*server.ports, port.id))
    if nic.tag:
        server = replace(server, nic_tags={**server.nic_tags, port.id: nic.tag})
    _claim(tx, caller, host, server, port)
    host = advance(tx, host)
    saved = tx.servers.put(replace(server, generation=host.generation, updated_at=tx.now))
    message = f"Port {port.name or port.id} is to be attached to server {server.name}."
    tell_server(tx, saved, "interface_attach_asked", message, request_id=caller.request_id)
    return port.id


def detach(tx: Tx, server_id: ServerId, port_id: PortId, request_id: str = "") -> None:
    """The port is the server's until its host has reported that the guest let go of it; then it is free, or gone if it
    was made for the server. Raises NotFound, NotAttached, Conflict `wrong_state`; nothing happens to one that
    is on its way.
    """
    hold_hosts_of(tx, (tx.servers.fetch(server_id),))
    server, host = locked(tx, server_id)
    if port_id not in server.ports:
        raise NotAttached(port_id, server.name)
    _check_state(server, "detach_interface", _DETACHABLE)
    binding = tx.bindings.get((port_id, host.id)) if host else None
    if host is None or binding is None:
        raise WrongState("detach_interface", server)
    if binding.wiring is Wiring.UNWIRING:
        return
    if server.guest_state == GuestState.SAVED.value and tx.ports.fetch(port_id).vnic_type.is_tap:
        # What is saved of it names the tap. It is in ERROR then, for it could not go on.
        raise WrongState("detach_interface", server)
    withdraw_all(tx, (port_id,))
    generation = following(tx, host)
    wiring = after(WIRING, binding.wiring, "unwire")
    tx.bindings.put(replace(binding, wiring=wiring, generation=generation, failure=None))
    if binding.device_id is not None:
        device = tx.devices.fetch(binding.device_id)
        status = after(DEVICE, device.status, "release")
        tx.devices.put(replace(device, status=status, released_generation=generation))
    advance(tx, host)
    saved = tx.servers.put(replace(server, generation=generation, updated_at=tx.now))
    message = f"Port {port_id} is to be detached from server {server.name}."
    tell_server(tx, saved, "interface_detach_asked", message, request_id=request_id)


def _check_state(server: Server, action: str, allowed: tuple[ServerStatus, ...]) -> None:
    # What is saved of a guest names its taps: without one of them it could not go on.
    if server.status not in allowed or server.host_id is None or server.power is Power.SUSPENDED:
        raise WrongState(action, server)


def _claim(tx: Tx, caller: Caller, host: Host, server: Server, port: Port) -> None:
    """Hold a device that the port needs, and bind it. All of the server's NICs and devices count for its limits."""
    whole = request_for(tx, server.flavor, ports_of(tx, server.ports), None)
    (nic,) = nics_of(tx, (port,))
    own = _of_port(whole, nic)
    fit = fits_beside(view_of(tx, host, server.id), own, server.cells)
    if not isinstance(fit, Fit):
        shows = caller.may(_SEES_HOSTS, of_server(server))
        why = f"On host {host.name}: {' '.join(reason.message for reason in fit)}" if shows else _NOT_HERE
        who = "A new port" if port.owned_by_server else f"Port {port.name or port.id}"
        raise Conflict("cannot_bind", f"{who} cannot be attached to server {server.name}: {why.rstrip('.')}.")
    device, heads = None, {}
    for grant in fit.grants:
        known = tx.devices.find(family_id=grant.family_id)
        device = granted_device(known, grant)
        heads = {head.id: head for head in known if head.id == head.family_id}
        hold_device(tx, server.id, grant, device, port.id)
    bind_port(tx, host, nic, device, heads, BindingRole.ACTIVE, following(tx, host))
    choose_uplinks(tx, host.id, own.bridged_networks)


def _of_port(whole: ServerRequest, nic: Nic) -> ServerRequest:
    pci = tuple(request for request in whole.pci if request.port_id == nic.port.id)
    bridged = () if pci else (nic.network.physical_network,)
    return replace(whole, pci=pci, bridged_networks=bridged)
