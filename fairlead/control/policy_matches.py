"""Which device policy each device of a host has: matched again whenever policies, labels or devices change.

What a policy gives to a device that somebody holds does not vanish under its holder: such a change is refused.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from fairlead.control.boundary import SCHEDULER, Tx
from fairlead.control.generations import advance, following
from fairlead.model.binding import VifType
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.errors import Conflict
from fairlead.model.host import Host
from fairlead.model.ids import DeviceId, HostId, PolicyId, ServerId
from fairlead.model.lifecycle import DEVICE, after
from fairlead.model.matching import families, policy_for
from fairlead.model.policy import DevicePolicy
from fairlead.model.uplink import uplinks
from fairlead.placement.snapshot import label

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A PF or plain device that cannot be taken from its policy now, for these servers, by name, have it."""

    device: Device
    host_name: str
    servers: tuple[str, ...]


def rematch(tx: Tx, host: Host, policies: Sequence[DevicePolicy], touched: PolicyId | None = None) -> Host:
    """The locked host after its devices were matched anew; `touched` is a policy that itself has changed. The
    host gets a new generation where it has to know. Raises Conflict `in_use`.
    """
    devices = tx.devices.find(host_id=host.id)
    changed = {device.id: device for device in matched(host, devices, policies, following(tx, host))}
    then = [changed.get(device.id, device) for device in devices]
    if why := refusal(obstacles(tx, host, devices, then)):
        raise Conflict("in_use", why, field="policy")
    for device in changed.values():
        tx.devices.put(device)
    if not changed and (touched is None or all(device.policy_id != touched for device in devices)):
        return host
    tx.wakes.add(SCHEDULER)
    return advance(tx, host)


def matched(
    host: Host, devices: Iterable[Device], policies: Sequence[DevicePolicy], generation: int
) -> Iterator[Device]:
    """The devices whose policy fields are to change, with what they are to be. VFs have their PF's policy. One that was
    offered to nobody may have been anybody's: it waits until its host, which has heard of the policy by the document
    of `generation`, reports it clean.
    """
    for members in families(devices).values():
        policy = policy_for(policies, host, members[0])
        for device in members:
            given = governed(device, policy)
            if policy is not None and device.policy_id is None and device.status is DeviceStatus.AVAILABLE:
                status = after(DEVICE, device.status, "doubted")
                given = replace(given, status=status, released_generation=generation)
            if given != device:
                yield given


def governed(device: Device, policy: DevicePolicy | None) -> Device:
    """The device as the policy has it; None: offered to nobody."""
    return replace(
        device,
        policy_id=policy.id if policy else None,
        physical_network=policy.physical_network if policy else None,
        tags=policy.tags if policy else (),
        egress_mbps=policy.egress_mbps if policy else None,
    )


def obstacles(tx: Tx, host: Host, before: Iterable[Device], now: Sequence[Device]) -> tuple[Obstacle, ...]:
    """What the change from `before` to `now` would take from under servers, by PCI address: families that they
    hold which would lose their policy or be on another physical network, and uplinks of bridges with vNICs on them
    which would be another device. Empty: the change may be made.
    """
    known, new = {device.id: device for device in before}, {device.id: device for device in now}
    lost = tuple(
        device.id
        for device in known.values()
        if device.id == device.family_id
        and device.policy_id is not None
        and (new[device.id].policy_id is None or new[device.id].physical_network != device.physical_network)
    )
    in_use: dict[DeviceId, set[ServerId]] = {}
    for allocation in tx.allocations.find(family_id=lost) if lost else ():
        in_use.setdefault(allocation.family_id, set()).add(allocation.server_id)
    then = uplinks(now)
    for network, device in uplinks(known.values()).items():
        if network not in then or then[network].id != device.id:
            in_use.setdefault(device.id, set()).update(vnic_servers(tx, host.id, (network,)))
    ids = tuple(set().union(*in_use.values()))
    named = {server.id: server.name or server.id for server in (tx.servers.find(id=ids) if ids else ())}
    found = (
        Obstacle(known[at], host.name, tuple(sorted(named[server] for server in servers)))
        for at, servers in in_use.items()
        if servers
    )
    return tuple(sorted(found, key=lambda obstacle: obstacle.device.pci_address))


def refusal(found: Sequence[Obstacle]) -> str:
    """Why the change is refused: the devices, and the servers that would have to go first; "": it is not."""
    where = [f"{label(one.device)} on host {one.host_name} ({_listed(one.servers)})" for one in found]
    servers = sorted({server for one in found for server in one.servers})
    if not servers:
        return ""
    return (
        "Devices that servers have, or have vNICs on, would be given up or be on another physical network: "
        f"{_listed(where)}. Delete these servers first: {_listed(servers)}."
    )


def vnic_servers(tx: Tx, host_id: HostId, physical_networks: Collection[str]) -> set[ServerId]:
    """The ids of servers with an ordinary vNIC on the host's bridges of these physical networks."""
    bindings = tx.bindings.find(host_id=host_id, vif_type=VifType.BRIDGE)
    ports = tx.ports.find(id=tuple(binding.port_id for binding in bindings)) if bindings else ()
    networks = {network.id for network in tx.networks.find(physical_network=tuple(physical_networks))}
    return {port.server_id for port in ports if port.server_id and port.network_id in networks}


def holders(tx: Tx, family_ids: Iterable[DeviceId]) -> dict[DeviceId, tuple[str, ...]]:
    """By family, who holds devices of it, in words: `server web-1 (port p1)`."""
    ids = tuple(family_ids)
    allocations = tx.allocations.find(family_id=ids) if ids else ()
    if not allocations:
        return {}
    servers = {s.id: s for s in tx.servers.find(id=tuple({a.server_id for a in allocations}))}
    port_ids = tuple({a.port_id for a in allocations if a.port_id})
    ports = {port.id: port for port in (tx.ports.find(id=port_ids) if port_ids else ())}
    found: dict[DeviceId, list[str]] = {}
    for allocation in allocations:
        server = servers[allocation.server_id]
        port = ports.get(allocation.port_id) if allocation.port_id else None
        what = f"port {port.name or port.id}" if port else f"flavor request {allocation.request_id}"
        found.setdefault(allocation.family_id, []).append(f"server {server.name or server.id} ({what})")
    return {family: tuple(names) for family, names in found.items()}


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
