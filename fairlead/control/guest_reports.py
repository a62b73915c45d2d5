"""What a report says of servers: ports wired, chains failed, guests up or down."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial

from fairlead.control.agent_words import storable
from fairlead.control.boundary import Tx
from fairlead.control.events import tell_device, tell_port, tell_server
from fairlead.control.faults import fail, trouble
from fairlead.control.generations import following
from fairlead.control.holds import HELD_BACK
from fairlead.control.report_parts import Parts, about_device, about_server, is_over
from fairlead.control.resize_reports import is_disk_settled, resized
from fairlead.drivers.names import tap_name
from fairlead.hoststate.observed import GuestState, ObservedGuest
from fairlead.hoststate.report import SubjectFailure
from fairlead.model.binding import Allocation, Binding, BindingRole, Wiring
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.errors import Failure
from fairlead.model.host import Host
from fairlead.model.ids import PortId, ServerId
from fairlead.model.lifecycle import DEVICE, SERVER, WIRING, after, allows
from fairlead.model.server import Power, Server, ServerStatus


def note_wired(tx: Tx, host: Host, wired: Iterable[PortId], generation: int, parts: Parts) -> None:
    """The ports that the host read back as wanted, by a document that carries their bindings."""
    ports = frozenset(wired)
    read_back = [
        binding
        for binding in tx.bindings.find(host_id=host.id, role=BindingRole.ACTIVE)
        if binding.port_id in ports
        and binding.generation <= generation
        and allows(WIRING, binding.wiring, "wired")
    ]
    claimed = {device.id: device for device in tx.devices.find(host_id=host.id, status=DeviceStatus.CLAIMED)}
    news = [b for b in read_back if b.wiring is not Wiring.WIRED or b.device_id in claimed]
    servers = tx.servers.find(host_id=host.id) if news else ()
    owners = {port_id: server for server in servers for port_id in server.ports}
    for binding in news:
        server = owners[binding.port_id]
        device = claimed.get(binding.device_id) if binding.device_id else None
        work = partial(_wired, tx, host, server, binding, device)
        parts.apply(about_server(server), f"that port {binding.port_id} is wired", work)


def _wired(tx: Tx, host: Host, server: Server, binding: Binding, device: Device | None) -> None:
    if device is not None:
        _allocated(tx, device)
    if binding.wiring is Wiring.WIRED:
        return
    wiring = after(WIRING, binding.wiring, "wired")
    tx.bindings.put(replace(binding, wiring=wiring, failure=None))
    message = f"Port {binding.port_id} is wired on host {host.name}."
    tell_port(tx, server, binding.port_id, "port_wired", message)


def note_failures(
    tx: Tx, host: Host, failures: Iterable[SubjectFailure], generation: int, parts: Parts
) -> frozenset[ServerId]:
    """Chains that failed: their ports and servers say why, and a device that cannot be scrubbed is FAULTY (of
    the others `holds` tells). Of several the first is its server's fault, while it stands. The servers that have
    failed by a document that carries their last change.
    """
    listed = tuple(failures)
    standing = _by_server(listed)
    grave = _by_server(failure for failure in listed if not failure.spares_server)
    failed: set[ServerId] = set()
    for failure in listed:
        server = tx.servers.get(failure.server_id) if failure.server_id else None
        is_nobodys = server is None and failure.leaves_traces
        device = tx.devices.get(failure.device_id) if failure.device_id and is_nobodys else None
        what = f"that this failed: {failure.failure.doing} {failure.failure.subject}"
        if device is not None and device.host_id == host.id:
            parts.apply(about_device(device), what, partial(_faulty, tx, host, device, failure))
        if server is None or server.host_id != host.id or server.generation > generation:
            continue
        known = grave if not failure.spares_server else standing
        work = partial(_server_failed, tx, host, server, failure, known[server.id], generation)
        if parts.apply(about_server(server), what, work):
            failed.add(server.id)
    return frozenset(failed)


def _server_failed(
    tx: Tx,
    host: Host,
    server: Server,
    failure: SubjectFailure,
    known: AbstractSet[Failure],
    generation: int,
) -> bool:
    """Whether the server is not what it should be: it does not run on with the failure. `known`: what the report says
    of it that is as grave at least, one of which is its fault already if it was told before.
    """
    _port_failed(tx, host, server, failure, generation)
    if server.power is Power.SUSPENDED and server.guest_state in _UP:
        _not_suspended(tx, host, server, failure)
        return False
    if failure.spares_server:
        if server.fault not in known:
            trouble(tx, server, failure.failure, "server_troubled")
        return False
    if server.status is not ServerStatus.ERROR or server.fault not in known:
        fail(tx, server, failure.failure, "server_failed")
    return True


def _by_server(failures: Iterable[SubjectFailure]) -> Mapping[ServerId | None, AbstractSet[Failure]]:
    found: defaultdict[ServerId | None, set[Failure]] = defaultdict(set)
    for failure in failures:
        found[failure.server_id].add(failure.failure)
    return found


Follow = Callable[[Server, ObservedGuest], Server]
"""What becomes of a server by what its guest is."""


def note_guests(
    tx: Tx,
    host: Host,
    seen: Iterable[ObservedGuest],
    failed: frozenset[ServerId],
    generation: int,
    parts: Parts,
) -> bool:
    """The guests' states become their servers'. Whether that changes what the host is to know: a guest went down by
    itself, so that its server is to be down; a server has gone back to its old size; a guest has a disk that this
    database does not know of.
    """
    guests = {guest.server_id: guest for guest in seen}
    bindings = {binding.port_id: binding for binding in tx.bindings.find(host_id=host.id)}
    held = _held(tx, host)
    is_retold = False
    for server in tx.servers.find(host_id=host.id):
        is_current = server.generation <= generation and server.status is not ServerStatus.DELETING
        is_followed = is_current and server.id not in failed and not server.is_called_failed
        follow = partial(_followed, tx, host, bindings=bindings, held=held.get(server.id, ()))
        work = partial(_note_guest, tx, server, guests.get(server.id), follow if is_followed else None)
        changed = parts.apply(about_server(server), "the state of its guest", work)
        if changed is not None:
            is_ahead = server.generation > host.generation
            is_retold |= _told_of(changed) != _told_of(server) or is_ahead
    return is_retold


def _note_guest(tx: Tx, server: Server, guest: ObservedGuest | None, follow: Follow | None) -> Server:
    state = guest.state.value if guest else ""
    changed = server if server.guest_state == state else replace(server, guest_state=state)
    if is_over(server):
        changed = replace(changed, fault=None, fault_at=None)
    if guest is not None and guest.disk_serial > server.disk_serial:
        changed = _of_its_disk(tx, changed, guest)
    if guest is not None and follow is not None:
        changed = follow(changed, guest)
    return changed if changed == server else tx.servers.put(changed)


def _told_of(server: Server) -> tuple[object, ...]:
    """What of a server its guest may change, and its host's document says."""
    return server.power, server.resize is None, server.disk_serial


def _of_its_disk(tx: Tx, server: Server, guest: ObservedGuest) -> Server:
    """It was rebuilt since the copy was made that this database was restored from: the disk that it has is its own."""
    message = f"Server {server.name} has a newer disk than was known of. It keeps that."
    tell_server(tx, server, "server_disk_kept", message)
    return replace(server, disk_serial=guest.disk_serial)


def _held(tx: Tx, host: Host) -> dict[ServerId, list[tuple[Allocation, Device]]]:
    allocations = tx.allocations.find(host_id=host.id)
    held = tuple(allocation.device_id for allocation in allocations)
    devices = {device.id: device for device in tx.devices.find(id=held)}
    found: defaultdict[ServerId, list[tuple[Allocation, Device]]] = defaultdict(list)
    for allocation in allocations:
        found[allocation.server_id].append((allocation, devices[allocation.device_id]))
    return found


def _followed(
    tx: Tx,
    host: Host,
    server: Server,
    guest: ObservedGuest,
    bindings: Mapping[PortId, Binding],
    held: Sequence[tuple[Allocation, Device]],
) -> Server:
    """The server's status after its guest's: only of the boot that is wanted, for an older one is on its way."""
    if guest.state is GuestState.SAVED:
        return _saved(tx, server)
    is_wanted_boot = guest.boot_serial == server.boot_serial
    wants_up = server.power.is_up
    if server.resize is not None:
        held = [(row, device) for row, device in held if device.id not in server.resize.aside]
    if wants_up and _STATES[server.power] is guest.state and is_wanted_boot:
        server = _booted(tx, server)
        own = [bindings[port_id] for port_id in server.ports if port_id in bindings]
        leaving = {binding.port_id for binding in own if binding.wiring is Wiring.UNWIRING}
        kept = [(allocation, device) for allocation, device in held if allocation.port_id not in leaving]
        staying = [binding for binding in own if binding.port_id not in leaving]
        is_told = all(b.wiring in _SETTLED or _is_to_be_renewed(guest, b.port_id) for b in staying)
        given = [each for each in kept if not _is_told_lacking(server, bindings, each[0])]
        if is_told and all(_has(guest, *each) for each in given):
            _alias_devices_allocated(tx, kept)
            return _untroubled(server, _up(tx, server), own)
    elif not guest.state.is_up and server.power is Power.STOPPED and is_disk_settled(server, guest):
        return _moved(tx, server, "stopped", ServerStatus.SHUTOFF, "server_stopped", "Server {} is down.")
    elif not guest.state.is_up and (is_wanted_boot or server.power is Power.SUSPENDED):
        why = f": {guest.reason}" if guest.reason else ""
        down = replace(server, power=Power.STOPPED, generation=following(tx, host))
        message = f"The guest of server {{}} went down by itself{why}."
        return _moved(tx, down, "stopped", ServerStatus.SHUTOFF, "server_went_down", message)
    return server


def _saved(tx: Tx, server: Server) -> Server:
    """One that is to go on, or down, is on its way."""
    if server.power is not Power.SUSPENDED:
        return server
    return _moved(
        tx, server, "suspended", ServerStatus.SUSPENDED, "server_suspended", "Server {} is suspended."
    )


_UP = frozenset({GuestState.RUNNING.value, GuestState.PAUSED.value})


def _not_suspended(tx: Tx, host: Host, server: Server, failure: SubjectFailure) -> None:
    """It runs on with all that it had: half a server without its NICs is nobody's wish."""
    running = replace(server, power=Power.RUNNING, generation=following(tx, host))
    trouble(tx, tx.servers.put(running), failure.failure, "server_not_suspended")


def _has(guest: ObservedGuest, allocation: Allocation, device: Device) -> bool:
    """One that its guest runs without is away (its holder was told so), or about to be given to it."""
    if device.status is DeviceStatus.MISSING:
        return False
    return device.pci_address in guest.hostdevs or _is_to_be_renewed(guest, allocation.port_id)


def _is_told_lacking(server: Server, bindings: Mapping[PortId, Binding], allocation: Allocation) -> bool:
    """What a running guest could not be given is its port's failure; its server is paused and goes on without."""
    binding = bindings.get(allocation.port_id) if allocation.port_id else None
    is_up = server.status in {ServerStatus.ACTIVE, ServerStatus.PAUSED}
    return is_up and binding is not None and binding.wiring is Wiring.FAILED


def _is_to_be_renewed(guest: ObservedGuest, port_id: PortId | None) -> bool:
    """A macvtap that was deleted under a paused guest is given anew when it goes on: until then that is as paused as it
    can be.
    """
    return guest.state is GuestState.PAUSED and port_id is not None and tap_name(port_id) in guest.taps


def _untroubled(before: Server, now: Server, own: Sequence[Binding]) -> Server:
    """It runs with all that it should have: what was amiss while it ran is over, unless a port of it says more."""
    if any(binding.failure for binding in own):
        return replace(now, fault=before.fault, fault_at=before.fault_at)
    if now.fault is None or now.fault.code == HELD_BACK:
        return now
    return replace(now, fault=None, fault_at=None)


_SETTLED = frozenset({Wiring.WIRED, Wiring.FAILED})
"""A guest was started once all was wired: what fails under it since is its port's, and it runs on."""
_STATES = {Power.RUNNING: GuestState.RUNNING, Power.PAUSED: GuestState.PAUSED}


def _booted(tx: Tx, server: Server) -> Server:
    """Its guest is up in the boot that is wanted. No guest starts before all its devices are as they should be, so what
    is changed of them since is not waited for.
    """
    if server.up_serial == server.boot_serial:
        return server
    if server.is_rebooting:
        tell_server(tx, server, "server_rebooted", f"Server {server.name} has rebooted.")
    return replace(server, up_serial=server.boot_serial, updated_at=tx.now)


def _up(tx: Tx, server: Server) -> Server:
    if server.power is Power.PAUSED:
        return _moved(tx, server, "paused", ServerStatus.PAUSED, "server_paused", "Server {} is paused.")
    active = _moved(tx, server, "running", ServerStatus.ACTIVE, "server_active", "Server {} runs.")
    if active.launched_at or active.status is not ServerStatus.ACTIVE:
        return active
    return replace(active, launched_at=tx.now)


def _moved(tx: Tx, server: Server, event: str, status: ServerStatus, kind: str, message: str) -> Server:
    if server.resize is not None:
        return resized(tx, server, server.resize, event)
    if server.status is status:
        return server
    moved = replace(
        server,
        status=after(SERVER, server.status, event),
        fault=None,
        fault_at=None,
        updated_at=tx.now,
    )
    tell_server(tx, moved, kind, message.format(server.name))
    return moved


def _alias_devices_allocated(tx: Tx, held: Sequence[tuple[Allocation, Device]]) -> None:
    """A flavor's devices have no wiring to wait for: they are its guest's once that runs."""
    for allocation, device in held:
        if allocation.port_id is None:
            _allocated(tx, device)


def _allocated(tx: Tx, device: Device) -> None:
    if device.status is DeviceStatus.CLAIMED:
        tx.devices.put(replace(device, status=after(DEVICE, device.status, "wired")))


def _port_failed(tx: Tx, host: Host, server: Server, failure: SubjectFailure, generation: int) -> None:
    binding = tx.bindings.get((failure.port_id, host.id)) if failure.port_id else None
    if binding is None or binding.generation > generation or not allows(WIRING, binding.wiring, "failed"):
        return
    wiring = after(WIRING, binding.wiring, "failed")
    if (wiring, failure.failure) == (binding.wiring, binding.failure):
        return
    tx.bindings.put(replace(binding, wiring=wiring, failure=failure.failure))
    tell_port(tx, server, binding.port_id, "port_failed", str(failure.failure), is_failure=True)


def _faulty(tx: Tx, host: Host, device: Device, failure: SubjectFailure) -> None:
    if not allows(DEVICE, device.status, "scrub_failed"):
        return
    said = storable(str(failure.failure))
    tx.devices.put(replace(device, status=after(DEVICE, device.status, "scrub_failed"), note=said))
    tell_device(tx, host.id, device.id, "device_faulty", said)
