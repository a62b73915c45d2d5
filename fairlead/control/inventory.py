"""The devices of a host as it has just reported them, beside those that are known: what came, changed, went.

Pure. A device is known again by its lasting identity (its key), never by where it is plugged in.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from operator import attrgetter

from fairlead.hoststate.lookup import STRANGER, unnamed_guest
from fairlead.hoststate.observed import ObservedPci, ObservedPf, ObservedState, ObservedVf
from fairlead.hoststate.possession import guests_with_all_devices
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.ids import DeviceId, HostId, PfKey, ServerId, device_id, vf_key
from fairlead.model.lifecycle import DEVICE, after
from fairlead.model.pci import DeviceKind, LinkLayer, PciAddress
from fairlead.model.vf import baseline_of, differences

_TOLD_OF_VF = attrgetter(
    *(f.name for f in fields(ObservedVf) if f.name not in {"index", "is_dirty", "is_borrowed", "settings"})
)
"""What is told of a VF and kept in its row under the same name; a field that is told and not kept fails loudly."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A device of the report. `is_clean`: it carries nothing of an owner. `user`: who has it now, in words for
    people; "" nobody.
    """

    device: Device
    is_clean: bool
    user: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """`sightings` by device id, PFs before their VFs. `gone`: known devices that the host has no more."""

    sightings: Mapping[DeviceId, Sighting]
    gone: tuple[Device, ...]


def inventory(
    host_id: HostId,
    observed: ObservedState,
    known: Mapping[DeviceId, Device],
    servers: Collection[ServerId],
) -> Inventory:
    """What the host has, each device as its row shall be but for status and policy, which are the known ones'
    (AVAILABLE and none for a new device). `servers` are those on the host, by control's word.
    """
    users = _users(observed, servers)
    by_key = {device.key: device for device in known.values()}
    sightings = {s.device.id: s for s in _sightings(host_id, observed, by_key, users)}
    gone = tuple(device for device in known.values() if device.id not in sightings)
    return Inventory(sightings, gone)


def with_status(
    device: Device, sighting: Sighting, known: Device | None, *, is_held: bool, acted_on: int, next_one: int
) -> Device:
    """The device in the status that follows from that sighting; `acted_on` is the host's generation that the report is
    of, `next_one` the one after its own. One that nobody holds and that carries something of somebody waits for its
    scrub; one that was away comes back as its life cycle says, and one that a domain of others has, or a guest that
    is no server's, is kept back.
    """
    if known is not None and known.status is DeviceStatus.MISSING:
        event = "returned_held" if is_held else "returned"
        status = after(DEVICE, known.status, event)
        released = known.released_generation if is_held else max(known.released_generation, acted_on)
        return replace(device, status=status, released_generation=released, note="")
    if device.status is not DeviceStatus.AVAILABLE:
        return device
    if sighting.user:
        kept_back = after(DEVICE, device.status, "scrub_failed")
        return replace(device, status=kept_back, note=f"{sighting.user} has it")
    return _offered(device, sighting, next_one, is_anew=known is None or known.policy_id is None)


def _offered(device: Device, sighting: Sighting, next_one: int, *, is_anew: bool) -> Device:
    """One that nobody has. What the host uses is not given anyway, and comes here when it does no more. A host tells
    whether a plain device is clean only of those that it was told to offer, so of a new one by its next document.
    """
    if device.policy_id is None or device.host_use:
        return device
    is_untold = is_anew and device.kind is DeviceKind.PCI
    if sighting.is_clean and not is_untold:
        return device
    released = next_one if is_untold else device.released_generation
    return replace(device, status=after(DEVICE, device.status, "doubted"), released_generation=released)


def _users(observed: ObservedState, servers: Collection[ServerId]) -> dict[PciAddress, str]:
    """Who has which PCI address now. A guest without a server here has all that its domain names, up or down: nobody
    sees to it that it stays down.
    """
    users: dict[PciAddress, str] = {}
    for guest in guests_with_all_devices(observed):
        is_known = guest.server_id in servers
        if not is_known or guest.state.is_up:
            who = f"guest {guest.server_id}" if is_known else unnamed_guest(guest.server_id)
            users |= dict.fromkeys(guest.hostdevs, who)
    return users | dict.fromkeys(observed.foreign_hostdevs, STRANGER)


def _sightings(
    host_id: HostId,
    observed: ObservedState,
    known: Mapping[str, Device],
    users: Mapping[PciAddress, str],
) -> Iterator[Sighting]:
    for pf in observed.pfs:
        head = _pf(host_id, pf, known)
        is_whole = pf.name is not None and not pf.is_dirty
        yield Sighting(head, is_clean=is_whole, user=users.get(pf.pci_address, ""))
        for vf in pf.vfs:
            device = _vf(head, vf, known)
            is_clean = not vf.is_dirty and not differences(baseline_of(pf.link_layer), vf.settings)
            yield Sighting(device, is_clean=is_clean, user=users.get(vf.pci_address, ""))
    for pci in observed.pcis:
        yield Sighting(
            _pci(host_id, pci, known), is_clean=not pci.is_dirty, user=users.get(pci.pci_address, "")
        )


def _pf(host_id: HostId, pf: ObservedPf, known: Mapping[str, Device]) -> Device:
    own = device_id(host_id, pf.key)
    seen = Device(
        id=own,
        host_id=host_id,
        family_id=own,
        kind=DeviceKind.PF,
        key=pf.key,
        status=DeviceStatus.AVAILABLE,
        pci_address=pf.pci_address,
        vendor=pf.vendor,
        product=pf.product,
        kernel_driver=pf.kernel_driver,
        numa_node=pf.numa_node,
        iommu_group=pf.iommu_group,
        link_layer=pf.link_layer,
        name=pf.name,
        mac=pf.mac,
        link_up=pf.link_up,
        speed_mbps=pf.speed_mbps,
        mtu=pf.mtu,
        total_vfs=pf.total_vfs,
        num_vfs=pf.num_vfs,
        capabilities=pf.capabilities,
        serial=pf.serial,
        is_management=pf.is_management,
        host_use=pf.host_use,
    )
    old = known.get(pf.key)
    if old is None:
        return seen
    return _lasting(_as_a_nic(seen, old) if pf.name is None else seen, old)


def _as_a_nic(seen: Device, old: Device) -> Device:
    """A PF that is passed through is no network device meanwhile: what it was as one is what it will be."""
    return replace(
        seen,
        name=old.name,
        mac=old.mac,
        kernel_driver=old.kernel_driver,
        link_layer=old.link_layer,
        speed_mbps=old.speed_mbps,
        mtu=old.mtu,
        capabilities=old.capabilities,
        serial=seen.serial or old.serial,
    )


def _vf(head: Device, vf: ObservedVf, known: Mapping[str, Device]) -> Device:
    """Its row itself where nothing is new: there are many VFs, and making one's row costs more than looking."""
    pf = PfKey(head.key)
    key = vf_key(pf, vf.index)
    old = known.get(key)
    if old is not None and (_TOLD_OF_VF(old), old.seen, old.link_layer) == (
        _TOLD_OF_VF(vf),
        vf.settings,
        head.link_layer,
    ):
        return old
    seen = Device(
        id=device_id(head.host_id, key),
        host_id=head.host_id,
        family_id=head.id,
        kind=DeviceKind.VF,
        key=key,
        status=DeviceStatus.AVAILABLE,
        pci_address=vf.pci_address,
        vendor=vf.vendor,
        product=vf.product,
        kernel_driver=vf.kernel_driver,
        numa_node=vf.numa_node,
        iommu_group=vf.iommu_group,
        link_layer=head.link_layer,
        pf=pf,
        vf_index=vf.index,
        seen=vf.settings,
        host_use=vf.host_use,
    )
    return _lasting(seen, old)


def _pci(host_id: HostId, pci: ObservedPci, known: Mapping[str, Device]) -> Device:
    own = device_id(host_id, pci.key)
    seen = Device(
        id=own,
        host_id=host_id,
        family_id=own,
        kind=DeviceKind.PCI,
        key=pci.key,
        status=DeviceStatus.AVAILABLE,
        pci_address=pci.pci_address,
        vendor=pci.vendor,
        product=pci.product,
        kernel_driver=pci.kernel_driver,
        numa_node=pci.numa_node,
        iommu_group=pci.iommu_group,
        link_layer=LinkLayer.NONE,
    )
    return _lasting(seen, known.get(pci.key))


def _lasting(seen: Device, old: Device | None) -> Device:
    """What a report does not say stays: status, policy, since when nobody holds it."""
    if old is None:
        return seen
    return replace(
        seen,
        status=old.status,
        policy_id=old.policy_id,
        physical_network=old.physical_network,
        tags=old.tags,
        egress_mbps=old.egress_mbps,
        is_uplink=old.is_uplink,
        released_generation=old.released_generation,
        note=old.note,
    )
