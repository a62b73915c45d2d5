"""Brings the inventory of a host to what it has just reported: what came, changed, went, came back.

Device policies are matched each time anew, but for devices that somebody holds: they keep theirs until they are
free, and are then matched as what they are by then. Who holds a device that went away is told.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from fairlead.control.boundary import Tx
from fairlead.control.events import tell_device, tell_port
from fairlead.control.faults import fail
from fairlead.control.generations import following
from fairlead.control.inventory import Inventory, Sighting, inventory, with_status
from fairlead.control.policy_matches import governed
from fairlead.control.report_parts import Parts, Subject, about_device, about_server
from fairlead.hoststate.observed import ObservedState
from fairlead.model.binding import Allocation, BindingRole, Wiring
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.errors import Failure
from fairlead.model.host import Host
from fairlead.model.ids import DeviceId, PortId
from fairlead.model.lifecycle import DEVICE, WIRING, after, allows
from fairlead.model.matching import policy_for
from fairlead.model.pci import DeviceKind
from fairlead.model.server import Server, ServerStatus
from fairlead.placement.snapshot import label


@dataclass(frozen=True, slots=True)
class Stock:
    """The host's devices as it reported them, by id. `is_news`: one has another policy than before, or came back
    to who holds it, which the host has to know, by the generation after its own.
    """

    sightings: Mapping[DeviceId, Sighting]
    is_news: bool


def take_stock(tx: Tx, host: Host, observed: ObservedState, generation: int, parts: Parts) -> Stock:
    """The locked host's inventory, brought to what it reports; `generation` is what it had acted on. A device that is
    left out stays in it as it was, the VFs of such a PF as well, and counts as not seen.
    """
    known = {device.id: device for device in tx.devices.find(host_id=host.id)}
    allocations = tx.allocations.find(host_id=host.id)
    servers = tx.servers.find(host_id=host.id)
    unwiring = tx.bindings.find(host_id=host.id, wiring=Wiring.UNWIRING) if allocations else ()
    held = _held(servers, allocations, frozenset(binding.port_id for binding in unwiring))
    next_one = following(tx, host)
    seen = inventory(host.id, observed, known, frozenset(server.id for server in servers))
    devices = {
        device.id: with_status(
            device,
            seen.sightings[device.id],
            known.get(device.id),
            is_held=device.id in held,
            acted_on=generation,
            next_one=next_one,
        )
        for device in _governed(tx, host, seen, known, allocations)
    }
    named = {server.id: server for server in servers}
    holders = {a.device_id: about_server(named[a.server_id]) for a in allocations if a.server_id in named}
    is_news, left_out = False, set[DeviceId]()
    for device in devices.values():
        work = partial(_noted, tx, host, device, known.get(device.id), held.get(device.id))
        is_told = None if device.family_id in left_out else _part(parts, holders, device, work)
        is_news |= is_told is True
        left_out |= {device.id} if is_told is None else set()
    needed = _needed(tx, host, allocations) if seen.gone else frozenset()
    for device in seen.gone:
        is_beyond = _is_beyond_count(device, seen.sightings) and not {device.id, device.family_id} & needed
        _part(parts, holders, device, partial(_gone, tx, device, held.get(device.id), is_beyond=is_beyond))
    sightings = {key: sighting for key, sighting in seen.sightings.items() if key not in left_out}
    return Stock(sightings, is_news)


def _part(
    parts: Parts, holders: Mapping[DeviceId, Subject], device: Device, work: Callable[[], bool]
) -> bool | None:
    """What a device that is held becomes, its holder goes with it: that is one part."""
    own = about_device(device)
    if parts.leaves_out(own):
        return None
    return parts.apply(holders.get(device.id, own), f"what became of {own.who}", work)


def _noted(tx: Tx, host: Host, device: Device, old: Device | None, holder: Allocation | None) -> bool:
    """Whether the host is to know of it: the device has another policy, or is back with who holds it."""
    _write(tx, device, old)
    is_back = holder is not None and _was_missing(old)
    if holder is not None and is_back:
        _wire_again(tx, host, holder)
    return is_back or device.policy_id != _policy_of(old)


def _held(
    servers: Sequence[Server], allocations: Sequence[Allocation], unwiring: frozenset[PortId]
) -> dict[DeviceId, Allocation]:
    """What is held for servers and ports that stay, by device."""
    going = {server.id for server in servers if server.status is ServerStatus.DELETING}
    return {a.device_id: a for a in allocations if a.server_id not in going and a.port_id not in unwiring}


def _needed(tx: Tx, host: Host, allocations: Sequence[Allocation]) -> frozenset[DeviceId]:
    """What is held, or named by a binding: one that is being unwired names its device longer than that is held."""
    bound = (binding.device_id for binding in tx.bindings.find(host_id=host.id))
    return frozenset({*(allocation.device_id for allocation in allocations), *filter(None, bound)})


def _governed(
    tx: Tx,
    host: Host,
    seen: Inventory,
    known: Mapping[DeviceId, Device],
    allocations: Sequence[Allocation],
) -> Iterator[Device]:
    """The sighted devices with the policies that they have now, PFs before their VFs."""
    policies = tx.policies.find()
    kept = {allocation.family_id for allocation in allocations}
    heads: dict[DeviceId, Device] = {}
    for sighting in seen.sightings.values():
        device = sighting.device
        if device.kind is DeviceKind.VF:
            yield _as_its_family(device, heads[device.family_id])
            continue
        old = known.get(device.id)
        is_held = old is not None and (device.id in kept or device.is_uplink)
        heads[device.id] = device if is_held else governed(device, policy_for(policies, host, device))
        yield heads[device.id]


def _as_its_family(vf: Device, head: Device) -> Device:
    governing = (head.policy_id, head.physical_network, head.tags, head.egress_mbps)
    if (vf.policy_id, vf.physical_network, vf.tags, vf.egress_mbps) == governing:
        return vf
    return replace(
        vf,
        policy_id=head.policy_id,
        physical_network=head.physical_network,
        tags=head.tags,
        egress_mbps=head.egress_mbps,
    )


def _write(tx: Tx, device: Device, old: Device | None) -> None:
    if old is None:
        tx.devices.add(device)
    elif device != old:
        tx.devices.put(device)
    if device.kind is DeviceKind.VF and (old is None or old.status is not DeviceStatus.MISSING):
        return
    if old is None:
        tell_device(tx, device.host_id, device.id, "device_found", f"{label(device)} was found.")
    elif old.status is DeviceStatus.MISSING:
        tell_device(tx, device.host_id, device.id, "device_returned", f"{label(device)} came back.")


def _is_beyond_count(device: Device, sightings: Mapping[DeviceId, Sighting]) -> bool:
    """A VF whose PF is there and has fewer: nothing is broken, and nobody misses it. (While a PF is
    given whole its VFs are only away.)
    """
    head = sightings.get(device.family_id)
    return head is not None and device.vf_index is not None and device.vf_index >= head.device.num_vfs


def _gone(tx: Tx, device: Device, allocation: Allocation | None, *, is_beyond: bool) -> bool:
    """Nothing of which the host is to know."""
    if is_beyond:
        tx.devices.remove(device.id)
        return False
    if device.status is DeviceStatus.MISSING:
        return False
    missing = replace(
        device, status=after(DEVICE, device.status, "vanished"), note="its host reports it no more"
    )
    tx.devices.put(missing)
    if allocation is not None:
        _tell_holder(tx, missing, allocation)
    elif device.kind is not DeviceKind.VF:
        tell_device(tx, device.host_id, device.id, "device_vanished", f"{label(device)} is gone.")
    return False


def _tell_holder(tx: Tx, device: Device, allocation: Allocation) -> None:
    failure = Failure(
        "device_missing",
        "Keeping",
        f"device {label(device)}",
        "its host reports it no more",
        "Was the card taken out, or its number of VFs changed by hand?",
    )
    server = tx.servers.lock(allocation.server_id)
    binding = tx.bindings.get((allocation.port_id, device.host_id)) if allocation.port_id else None
    if binding is not None and allows(WIRING, binding.wiring, "failed"):
        wiring = after(WIRING, binding.wiring, "failed")
        tx.bindings.put(replace(binding, wiring=wiring, failure=failure))
        tell_port(tx, server, binding.port_id, "port_failed", str(failure), is_failure=True)
    if binding is None or binding.role is BindingRole.ACTIVE:
        fail(tx, server, failure, "server_failed")


def _wire_again(tx: Tx, host: Host, allocation: Allocation) -> None:
    """What the port's device was told went with it: only a later document than the host's own can be obeyed."""
    binding = tx.bindings.get((allocation.port_id, host.id)) if allocation.port_id else None
    if binding is not None and allows(WIRING, binding.wiring, "changed"):
        wiring = after(WIRING, binding.wiring, "changed")
        tx.bindings.put(replace(binding, wiring=wiring, failure=None, generation=following(tx, host)))


def _was_missing(device: Device | None) -> bool:
    return device is not None and device.status is DeviceStatus.MISSING


def _policy_of(device: Device | None) -> str | None:
    return device.policy_id if device else None
