"""Servers after their boot: change, start, stop, reboot, delete, look. `booting` makes them.

Locks: the server's host first, then the server. A server in BUILD has no host yet, and whoever finds that it
got one meanwhile begins again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from msgspec import UNSET, UnsetType

from fairlead.control import quotas
from fairlead.control.boundary import SCHEDULER, Tx, server_wake
from fairlead.control.changes import applied
from fairlead.control.events import tell_server
from fairlead.control.generations import advance
from fairlead.control.host_rules import zones_by_host
from fairlead.control.hosts import Liveness, liveness
from fairlead.control.migrations import note_lost
from fairlead.control.nics import give_back
from fairlead.control.port_bindings import hold_hosts_of, withdraw_all
from fairlead.model.aggregate import DEFAULT_ZONE
from fairlead.model.binding import Binding, BindingRole
from fairlead.model.device import Device
from fairlead.model.errors import Conflict, Failure
from fairlead.model.host import Host
from fairlead.model.ids import ServerId
from fairlead.model.lifecycle import DEVICE, SERVER, WIRING, after, allows
from fairlead.model.network import Network
from fairlead.model.port import Port
from fairlead.model.quota import Resource
from fairlead.model.server import CALLED_FAILED, Power, Server, ServerStatus
from fairlead.model.server_group import ServerGroup


@dataclass(frozen=True, slots=True)
class ServerChanges:
    """What may change; UNSET stays as it is. Host name and metadata reach the guest with its next boot."""

    name: str | UnsetType = UNSET
    hostname: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    locked: bool | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class ServerNic:
    """A NIC of a server: its port, the port's network, and how it is bound (None: not yet)."""

    port: Port
    network: Network
    binding: Binding | None = None
    device: Device | None = None


@dataclass(frozen=True, slots=True)
class ServerView:
    """A server with what is derived for readers. `host` None: none has it yet."""

    server: Server
    host: Host | None = None
    is_host_alive: bool = False
    nics: tuple[ServerNic, ...] = ()
    zone: str = ""
    """The availability zone that it is in; "" while no host has it."""
    group: ServerGroup | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is wanted of a part of all servers. `last`: the last one that was looked at; None: there are no more."""

    views: tuple[ServerView, ...]
    last: Server | None


_REBOOTED_HARD = (
    ServerStatus.ACTIVE,
    ServerStatus.SHUTOFF,
    ServerStatus.PAUSED,
    ServerStatus.SUSPENDED,
    ServerStatus.ERROR,
)


class WrongState(Conflict):
    """What was asked for is not possible for the server as it is, or while something else is under way."""

    def __init__(self, action: str, server: Server) -> None:
        nowhere = "" if server.host_id else ", and no host has it"
        cure = (
            " Reboot it hard to have it placed once more, or delete it."
            if nowhere and server.status is ServerStatus.ERROR
            else ""
        )
        who = server.name or server.id
        state = f"{server.status.value}{nowhere}{_under_way(server)}"
        super().__init__("wrong_state", f"Cannot '{action}' server {who} while it is {state}.{cure}")
        self.action = action
        self.server = server


def _under_way(server: Server) -> str:
    """In words for its owner; "" where nothing is."""
    if server.host_id is None or server.is_at_rest:
        return ""
    return ", and reboots" if server.is_rebooting else f", and is to be {server.power.value}"


def newest(
    tx: Tx, most: int, before: Server | None, is_wanted: Callable[[Server], bool], **where: object
) -> Stretch:
    """Of the newest servers whose columns equal the values, `most` of them and older than `before`, those that are
    wanted, the newest first.
    """
    servers = tx.servers.newest(most, before, **where)
    last = servers[-1] if len(servers) == most else None
    return Stretch(views(tx, tuple(filter(is_wanted, servers))), last)


def show(tx: Tx, server_id: ServerId) -> ServerView:
    """The server; raises NotFound."""
    return views(tx, (tx.servers.fetch(server_id),))[0]


def views(tx: Tx, servers: tuple[Server, ...]) -> tuple[ServerView, ...]:
    """The servers with what is derived for readers, in their order; a fixed number of queries."""
    host_ids = tuple({server.host_id for server in servers if server.host_id})
    hosts = {host.id: host for host in (tx.hosts.find(id=host_ids) if host_ids else ())}
    nics = _nics(tx, servers)
    zones = zones_by_host(tx.aggregates.find()) if hosts else {}
    group_ids = tuple({server.group_id for server in servers if server.group_id})
    groups = {group.id: group for group in (tx.server_groups.find(id=group_ids) if group_ids else ())}

    def view(server: Server) -> ServerView:
        host = hosts.get(server.host_id) if server.host_id else None
        is_alive = host is not None and liveness(host, tx.now) is Liveness.ALIVE
        own = tuple(nics[port_id] for port_id in server.ports if port_id in nics)
        zone = zones.get(host.id, DEFAULT_ZONE) if host else ""
        group = groups.get(server.group_id) if server.group_id else None
        return ServerView(server, host, is_alive, own, zone, group)

    return tuple(map(view, servers))


def update(tx: Tx, server_id: ServerId, changes: ServerChanges) -> ServerView:
    """The changed server; raises NotFound."""
    server, host = locked(tx, server_id)
    changed = applied(replace, server, changes, updated_at=tx.now)
    quotas.check_value(tx, server.project_id, Resource.METADATA_ITEMS, lambda: len(changed.metadata))
    is_told = host is not None and any(
        getattr(changed, name) != getattr(server, name) for name in ("name", "hostname", "metadata")
    )
    saved = tx.servers.put(changed)
    if host is not None and is_told:
        advance(tx, host)
    tx.wakes.add(server_wake(server_id))
    return views(tx, (saved,))[0]


def stop(tx: Tx, server_id: ServerId, request_id: str = "") -> Server:
    """The guest is asked to shut down, then powered off. A reboot that is not over ends so, for what it waits for may
    never come. Raises NotFound, Conflict `wrong_state`.
    """
    server, host = acted_on(
        tx, server_id, "stop", ServerStatus.ACTIVE, ServerStatus.ERROR, crosses_reboot=True
    )
    stopped = replace(server, power=Power.STOPPED, hard_reboot=False)
    return told(tx, stopped, host, "server_stop_asked", "Server {} is to stop.", request_id)


def start(tx: Tx, server_id: ServerId, request_id: str = "") -> Server:
    """The guest is started. Raises NotFound, Conflict `wrong_state`."""
    server, host = acted_on(tx, server_id, "start", ServerStatus.SHUTOFF)
    # A guest that went down with its serial by itself stays down: this is another start.
    started = replace(server, power=Power.RUNNING, boot_serial=server.boot_serial + 1, hard_reboot=False)
    return told(tx, started, host, "server_start_asked", "Server {} is to start.", request_id)


def reboot(tx: Tx, server_id: ServerId, *, is_hard: bool, request_id: str = "") -> Server:
    """The guest goes down (softly: it is asked to) and is started anew, from what its host should be now. A
    hard reboot of a server that no host could take looks for a host again. Raises NotFound, Conflict
    `wrong_state`.
    """
    if is_hard and tx.servers.fetch(server_id).host_id is None:
        return _placed_again(tx, server_id, request_id)
    allowed = _REBOOTED_HARD if is_hard else (ServerStatus.ACTIVE,)
    server, host = acted_on(tx, server_id, "reboot", *allowed, crosses=is_hard)
    again = replace(
        server,
        power=Power.RUNNING,
        boot_serial=server.boot_serial + 1,
        hard_reboot=is_hard,
        updated_at=tx.now,
    )
    how = "hard" if is_hard else "softly"
    return told(tx, again, host, "server_reboot_asked", f"Server {{}} is to reboot {how}.", request_id)


def reset_state(tx: Tx, server_id: ServerId, *, is_error: bool, request_id: str = "") -> Server:
    """The server is called ERROR until it is reset or made to stop or reboot, or to go back to its old size, or its
    fault is forgotten and the next report says how it is. It cures nothing. Raises NotFound, Conflict `wrong_state` for
    one that no host has or that is going, and for one with a resize, or that is being made of its image, that is to be
    called anything but ERROR.
    """
    server, host = locked(tx, server_id)
    why = _not_to_be_reset(server, is_error=is_error)
    if host is None or why:
        raise Conflict("wrong_state", f"Cannot 'os-resetState' server {server.name or server_id}: {why}.")
    if is_error:
        failure = Failure(
            CALLED_FAILED, "Looking after", f"server {server.name}", "an operator called it failed"
        )
        status = after(SERVER, server.status, "failed")
        reset = replace(server, status=status, fault=failure, fault_at=tx.now)
    else:
        event = server.power.value
        status = (
            after(SERVER, server.status, event) if allows(SERVER, server.status, event) else server.status
        )
        # He who calls it active calls its reboot over as well.
        reset = replace(server, status=status, fault=None, fault_at=None, up_serial=server.boot_serial)
    said = f"Server {{}} was called {reset.status.value} by an operator."
    return told(tx, reset, host, "server_state_reset", said, request_id)


def _not_to_be_reset(server: Server, *, is_error: bool) -> str:
    """Why not; "" where nothing is in the way."""
    if server.host_id is None:
        return "no host has it"
    if server.status is ServerStatus.DELETING:
        return "it is going"
    if server.resize is not None and not is_error:
        return "its resize is neither confirmed nor reverted"
    if server.status in (ServerStatus.BUILD, ServerStatus.REBUILD) and not is_error:
        return "it is still being made of its image"
    return ""


def delete(tx: Tx, server_id: ServerId, request_id: str = "") -> None:
    """The server goes: at once if no host has it, else when its host has reported its devices clean. Raises
    NotFound; nothing happens to one that is going already.
    """
    hold_hosts_of(tx, (tx.servers.fetch(server_id),))
    server, host = locked(tx, server_id)
    withdraw_all(tx, server.ports)
    if server.status is not ServerStatus.DELETING:
        note_lost(tx, server)
    if host is None:
        give_back(tx, server_id)
        tell_server(tx, server, "server_deleted", f"Server {server.name} is gone.", request_id=request_id)
        tx.servers.remove(server_id)
        return
    if server.status is ServerStatus.DELETING:
        return
    generation = advance(tx, host).generation
    going = replace(
        server,
        status=after(SERVER, server.status, "delete"),
        power=Power.STOPPED,
        updated_at=tx.now,
        generation=generation,
    )
    tx.servers.put(going)
    _unwire(tx, going, host, generation)
    tell_server(tx, going, "server_delete_asked", f"Server {server.name} is to go.", request_id=request_id)


def locked(tx: Tx, server_id: ServerId) -> tuple[Server, Host | None]:
    """The server and its host (None: none has it), both held. Raises NotFound."""
    seen = tx.servers.fetch(server_id)
    host = tx.hosts.hold(seen.host_id) if seen.host_id else None
    server = tx.servers.lock(server_id)
    if server.host_id != (host.id if host else None):
        raise Conflict("stale", f"Server {server_id} was placed meanwhile.")
    return server, host


def acted_on(
    tx: Tx,
    server_id: ServerId,
    action: str,
    *allowed: ServerStatus,
    crosses: bool = False,
    crosses_reboot: bool = False,
) -> tuple[Server, Host]:
    """The server and its host, both held, where its status allows the action. `crosses`: be it that something else is
    under way; `crosses_reboot`: be it that a reboot is. Raises NotFound, WrongState.
    """
    server, host = locked(tx, server_id)
    is_free = server.is_at_rest or crosses or (crosses_reboot and server.is_rebooting)
    if server.status not in allowed or host is None or not is_free:
        raise WrongState(action, server)
    return replace(server, fault=None, fault_at=None) if server.is_called_failed else server, host


def told(tx: Tx, server: Server, host: Host, kind: str, message: str, request_id: str) -> Server:
    """The server as saved, with what its host now has to know, and the event of who asked for it."""
    generation = advance(tx, host).generation
    saved = tx.servers.put(replace(server, updated_at=tx.now, generation=generation))
    tell_server(tx, saved, kind, message.replace("{}", server.name), request_id=request_id)
    return saved


def _placed_again(tx: Tx, server_id: ServerId, request_id: str) -> Server:
    server, host = locked(tx, server_id)
    if host is not None:
        raise Conflict("stale", f"Server {server_id} was placed meanwhile.")
    # Another boot: a guest of the last one may run where it is placed now, on devices that are not its own any more.
    again = replace(
        server,
        status=after(SERVER, server.status, "place_again"),
        fault=None,
        fault_at=None,
        power=Power.RUNNING,
        boot_serial=server.boot_serial + 1,
        hard_reboot=True,
        updated_at=tx.now,
    )
    saved = tx.servers.put(again)
    message = f"A host is looked for again for server {server.name}."
    tell_server(tx, saved, "server_placing_again", message, request_id=request_id)
    tx.wakes.add(SCHEDULER)
    return saved


def _unwire(tx: Tx, server: Server, host: Host, generation: int) -> None:
    """Its bindings end and its devices are to be scrubbed; they stay held until the host has reported that."""
    for binding in tx.bindings.find(port_id=server.ports, host_id=host.id) if server.ports else ():
        wiring = after(WIRING, binding.wiring, "unwire")
        tx.bindings.put(replace(binding, wiring=wiring, generation=generation))
    for allocation in tx.allocations.find(server_id=server.id):
        device = tx.devices.fetch(allocation.device_id)
        status = after(DEVICE, device.status, "release")
        tx.devices.put(replace(device, status=status, released_generation=generation))


def _nics(tx: Tx, servers: tuple[Server, ...]) -> dict[str, ServerNic]:
    port_ids = tuple(port_id for server in servers for port_id in server.ports)
    ports = tx.ports.find(id=port_ids) if port_ids else ()
    if not ports:
        return {}
    networks = {network.id: network for network in tx.networks.find(id=tuple({p.network_id for p in ports}))}
    active = tx.bindings.find(port_id=port_ids, role=BindingRole.ACTIVE)
    bindings = {binding.port_id: binding for binding in active}
    device_ids = tuple(binding.device_id for binding in active if binding.device_id)
    devices = {device.id: device for device in (tx.devices.find(id=device_ids) if device_ids else ())}

    def nic(port: Port) -> ServerNic:
        binding = bindings.get(port.id)
        device = devices.get(binding.device_id) if binding and binding.device_id else None
        return ServerNic(port, networks[port.network_id], binding, device)

    return {port.id: nic(port) for port in ports}
