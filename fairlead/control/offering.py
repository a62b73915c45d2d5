"""Whether a device would be given to a server now, by placement's own word; and in people's words why not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fairlead.control.boundary import Tx
from fairlead.control.host_facts import views_of
from fairlead.model.device import MACVTAP_CAPABILITY, Device, DeviceStatus
from fairlead.model.ids import DeviceId
from fairlead.model.pci import DeviceKind
from fairlead.placement.boundary import FamilyView
from fairlead.placement.iommu_groups import GroupBound, group_bounds
from fairlead.placement.need import vfs_for_driver

_WHY = {
    DeviceStatus.CLAIMED: "a server has it, whose guest does not run on it yet",
    DeviceStatus.ALLOCATED: "a server has it",
    DeviceStatus.RELEASING: "it waits until its host has reported it clean",
    DeviceStatus.FAULTY: "it could not be made clean",
    DeviceStatus.MISSING: "its host reports it no more",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """`standing` is the device's status in one word, and where it is AVAILABLE and offered to nobody, the reason:
    MANAGEMENT, HOST_USES, UNMANAGED, IOMMU_GROUP, PF_HELD or BEYOND_COUNT (of a VF), VFS_HELD or BRIDGED (of a PF).
    `why_not` is "" when it is offered, as a VF for macvtaps alone is where its PF can have some.
    """

    is_offered: bool
    standing: str
    why_not: str


def offers(tx: Tx, devices: tuple[Device, ...]) -> dict[DeviceId, Offer]:
    """By device. That its host takes no servers now is the host's to say; a fixed number of queries."""
    ids = tuple({device.host_id for device in devices})
    hosts = tx.hosts.find(id=ids) if ids else ()
    families = {family.family_id: family for view in views_of(tx, hosts) for family in view.families}
    heads = {device.id: device for device in (tx.devices.find(id=tuple(_heads(devices))) if ids else ())}
    bounds = _bounds(tx, families.values())
    return {
        device.id: _offer(device, heads, families.get(device.family_id), bounds.get(device.id))
        for device in devices
    }


def _bounds(tx: Tx, families: Iterable[FamilyView]) -> Mapping[DeviceId, GroupBound]:
    """By device, on hosts where a group keeps some device back."""
    families = tuple(families)
    kept = tuple(family.family_id for family in families if family.share.kept_vfs or family.share.why_whole)
    if not kept:
        return {}
    ids = tuple({device.host_id for device in tx.devices.find(id=kept)})
    devices, allocations = tx.devices.find(host_id=ids), tx.allocations.find(host_id=ids)
    whole = {family.family_id for family in families if family.is_free or family.share.why_whole}
    return {
        device_id: bound
        for host_id in ids
        for device_id, bound in group_bounds(
            [device for device in devices if device.host_id == host_id],
            [allocation for allocation in allocations if allocation.host_id == host_id],
            whole,
        ).items()
    }


def _heads(devices: tuple[Device, ...]) -> set[DeviceId]:
    return {device.family_id for device in devices}


def _offer(
    device: Device, heads: Mapping[DeviceId, Device], family: FamilyView | None, bound: GroupBound | None
) -> Offer:
    if family is not None and _is_free(device, family):
        return Offer(is_offered=True, standing=device.status.value, why_not="")
    if family is not None and bound is not None and _is_kept(device, family, bound):
        return Offer(is_offered=False, standing="IOMMU_GROUP", why_not=bound.not_passed)
    standing, why_not = _reason(device, heads[device.family_id], family)
    return Offer(is_offered=False, standing=standing, why_not=why_not)


def _is_free(device: Device, family: FamilyView) -> bool:
    if device.kind is DeviceKind.VF:
        is_for_macvtaps = MACVTAP_CAPABILITY in family.capabilities
        free = family.free_vfs | (vfs_for_driver(family) if is_for_macvtaps else 0)
        return bool(free >> (device.vf_index or 0) & 1)
    return family.is_free


def _is_kept(device: Device, family: FamilyView, bound: GroupBound) -> bool:
    """Whether its group is what keeps it back, and nothing else."""
    if device.kind is DeviceKind.VF:
        return bool(family.share.kept_vfs >> (device.vf_index or 0) & 1)
    return family.share.why_whole != "" and bound.not_passed != ""


def _reason(device: Device, head: Device, family: FamilyView | None) -> tuple[str, str]:
    if device.status is not DeviceStatus.AVAILABLE:
        return device.status.value, device.note or _WHY[device.status]
    if head.is_management:
        return "MANAGEMENT", "the host's default route leaves through it"
    if device.host_use:
        return "HOST_USES", f"the host uses it: it {device.host_use}"
    if family is None:
        return "UNMANAGED", "no device policy matches it"
    if device.kind is DeviceKind.VF:
        if head.status is DeviceStatus.AVAILABLE:
            return "BEYOND_COUNT", "its policy wants fewer VFs: it goes once nobody has one of its PF"
        return "PF_HELD", f"its PF is {head.status.value}"
    if family.held_vfs or family.unclean_vfs:
        why_not = (
            f"{family.held_vfs} of its VFs are held, {family.unclean_vfs} wait for a scrub or are faulty"
        )
        return "VFS_HELD", why_not
    return "BRIDGED", "ordinary vNICs leave the host through it"
