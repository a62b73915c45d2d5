"""From delete to free: a device is nobody's only once its host has reported it clean.

Every rule is asked of each report anew, so that a report that was lost or repeated changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial

from fairlead.control.boundary import Tx
from fairlead.control.detachments import is_away, leaving_ports, note_detached
from fairlead.control.events import tell_device, tell_server
from fairlead.control.fabrics import still_in
from fairlead.control.inventory import Sighting
from fairlead.control.nics import give_back
from fairlead.control.report_parts import Parts, about_device, about_server
from fairlead.drivers.names import tap_name
from fairlead.hoststate.observed import ObservedState
from fairlead.model.binding import Allocation
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.host import Host
from fairlead.model.ids import DeviceId, ServerId
from fairlead.model.lifecycle import DEVICE, after
from fairlead.model.server import Server, ServerStatus
from fairlead.placement.snapshot import label

_WAITING = (DeviceStatus.RELEASING, DeviceStatus.FAULTY)
_UNFREE = (*_WAITING, DeviceStatus.MISSING)


def release(
    tx: Tx,
    host: Host,
    sightings: Mapping[DeviceId, Sighting],
    observed: ObservedState,
    generation: int,
    parts: Parts,
) -> bool:
    """Free what is clean, and let go of servers and detached ports that have nothing left. `sightings` are the host's
    devices as it has just reported them, in `observed`; `generation` is what it had acted on. What a fabric's subnet
    manager still knows by its port's GUID is not free. Whether somebody holds
    less now, or is gone: the host's document names both, so it has to know, and what is free is matched with policies
    by the report that follows.
    """
    guests = frozenset(guest.server_id for guest in observed.guests)
    going = {
        server.id: server
        for server in tx.servers.find(host_id=host.id, status=ServerStatus.DELETING)
        if server.generation <= generation
    }
    unfree = tx.devices.find(host_id=host.id, status=_UNFREE)
    leaving = leaving_ports(tx, host, generation)
    if not (going or unfree or leaving):
        return False
    servers = {server.id: server for server in tx.servers.find(host_id=host.id)}
    allocations = {allocation.device_id: allocation for allocation in tx.allocations.find(host_id=host.id)}
    held = len(allocations)
    known = still_in(tx, [allocations[device.id] for device in unfree if device.id in allocations])
    for device in unfree:
        holder = allocations.get(device.id)
        is_leaving = holder is not None and holder.port_id in leaving
        is_kept = holder and holder.server_id not in going and not is_leaving
        if device.released_generation > generation or is_kept or device.id in known:
            continue
        if holder is not None and _is_open(holder, observed):
            continue
        is_lost = _is_lost(device, holder, guests) or (is_leaving and is_away(device, observed))
        if not (_is_free(device, sightings) or is_lost):
            continue
        own = about_device(device)
        server = servers.get(holder.server_id) if holder else None
        subject = about_server(server) if server else own
        work = partial(_free, tx, device, holder)
        if not parts.leaves_out(own) and parts.apply(subject, f"that {own.who} is clean", work):
            allocations.pop(device.id, None)
    is_any_detached = note_detached(tx, leaving, allocations.keys(), observed, parts)
    is_any_gone = _let_go(tx, [s for s in going.values() if s.id not in guests], allocations, parts)
    return is_any_gone or is_any_detached or len(allocations) < held


def _is_free(device: Device, sightings: Mapping[DeviceId, Sighting]) -> bool:
    """Seen, clean, and with no guest of anybody."""
    sighting = sightings.get(device.id)
    return device.status in _WAITING and sighting is not None and sighting.is_clean and not sighting.user


def _is_open(holder: Allocation, observed: ObservedState) -> bool:
    """Whether a guest that is up names the macvtap on it, be that gone already: it has not let go of it."""
    name = tap_name(holder.port_id) if holder.port_id else None
    return any(name in guest.taps for guest in observed.guests if guest.state.is_up)


def _is_lost(device: Device, holder: Allocation | None, guests: frozenset[ServerId]) -> bool:
    """Away while its server goes: nobody waits for it. It stays MISSING, and is scrubbed if it comes back."""
    return device.status is DeviceStatus.MISSING and holder is not None and holder.server_id not in guests


def _free(tx: Tx, device: Device, holder: Allocation | None) -> bool:
    if holder is not None:
        tx.allocations.remove(device.id)
        tell_device(tx, device.host_id, device.id, "device_released", f"{label(device)} is held by nobody.")
    if device.status is not DeviceStatus.MISSING:
        tx.devices.put(replace(device, status=after(DEVICE, device.status, "scrubbed"), note=""))
    return True


def _let_go(tx: Tx, going: Iterable[Server], left: Mapping[DeviceId, Allocation], parts: Parts) -> bool:
    holding = {allocation.server_id for allocation in left.values()}
    gone = [server for server in going if server.id not in holding]
    told = [
        parts.apply(about_server(each), "that its guest is gone", partial(_gone, tx, each)) for each in gone
    ]
    return any(told)


def _gone(tx: Tx, server: Server) -> bool:
    give_back(tx, server.id)
    tell_server(tx, server, "server_deleted", f"Server {server.name} is gone, and its devices are clean.")
    tx.servers.remove(server.id)
    return True
