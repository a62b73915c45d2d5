"""All rows of a host or of many, gathered at once, and the scheduler's view of each."""

from collections import defaultdict
from dataclasses import replace

from fairlead.control.boundary import Tx
from fairlead.control.hosts import why_not
from fairlead.model.binding import Allocation, VifType
from fairlead.model.device import Device
from fairlead.model.host import Host
from fairlead.model.ids import HostId, ServerId
from fairlead.model.server import Server
from fairlead.placement.boundary import HostView
from fairlead.placement.snapshot import host_view


def view_of(tx: Tx, host: Host, own: ServerId | None = None) -> HostView:
    """The view of one host as it is now: what a claim decides on. `own` as `host_view`'s."""
    return views_of(tx, (host,), own)[0]


def views_of(tx: Tx, hosts: tuple[Host, ...], own: ServerId | None = None) -> tuple[HostView, ...]:
    """The views of these hosts, in their order; the number of queries does not grow with them."""
    ids = tuple(host.id for host in hosts)
    if not ids:
        return ()
    devices: defaultdict[HostId, list[Device]] = defaultdict(list)
    for device in tx.devices.find(host_id=ids):
        devices[device.host_id].append(device)
    allocations: defaultdict[HostId, list[Allocation]] = defaultdict(list)
    for allocation in tx.allocations.find(host_id=ids):
        allocations[allocation.host_id].append(allocation)
    servers: defaultdict[HostId, list[Server]] = defaultdict(list)
    for server in tx.servers.find(host_id=ids):
        if server.host_id is not None:
            servers[server.host_id].append(server)
    bridged = bridged_networks(tx, ids)
    policies = {policy.id: policy for policy in tx.policies.find()}
    return tuple(
        replace(
            host_view(
                host,
                devices[host.id],
                allocations[host.id],
                servers[host.id],
                bridged_now=bridged.get(host.id, frozenset()),
                policies=policies,
                own=own,
            ),
            why_not=why_not(host, tx.now),
        )
        for host in hosts
    )


def view_without(tx: Tx, host: Host, server: Server) -> HostView:
    """The view of one host, where the server takes no room but that of the disk that it has."""
    devices, allocations = tx.devices.find(host_id=host.id), tx.allocations.find(host_id=host.id)
    others = [each for each in tx.servers.find(host_id=host.id) if each.id != server.id]
    view = host_view(
        host,
        devices,
        allocations,
        others,
        bridged_now=bridged_networks(tx, (host.id,)).get(host.id, frozenset()),
        policies={policy.id: policy for policy in tx.policies.find()},
        own=server.id,
    )
    disk_gib_used = view.disk_gib_used + server.held_disk_gib
    return replace(view, disk_gib_used=disk_gib_used, why_not=why_not(host, tx.now))


def bridged_networks(tx: Tx, host_ids: tuple[HostId, ...]) -> dict[HostId, frozenset[str]]:
    """By host, the physical networks that ordinary vNICs bound there are on."""
    bindings = tx.bindings.find(host_id=host_ids, vif_type=VifType.BRIDGE)
    if not bindings:
        return {}
    ports = {port.id: port for port in tx.ports.find(id=tuple(binding.port_id for binding in bindings))}
    network_ids = tuple({port.network_id for port in ports.values()})
    networks = {network.id: network for network in tx.networks.find(id=network_ids)}
    found: dict[HostId, set[str]] = defaultdict(set)
    for binding in bindings:
        port = ports[binding.port_id]
        found[binding.host_id].add(networks[port.network_id].physical_network)
    return {host_id: frozenset(names) for host_id, names in found.items()}
