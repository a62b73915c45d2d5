"""Whether a device would be given to a server now, by placement's own word; and in people's words why not."""

from collections.abc import Mapping
from dataclasses import dataclass

from fairlead.control.boundary import Tx
from fairlead.control.host_facts import views_of
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.ids import DeviceId
from fairlead.model.pci import DeviceKind
from fairlead.placement.boundary import FamilyView

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
    MANAGEMENT, UNMANAGED, PF_HELD or BEYOND_COUNT (of a VF), VFS_HELD or BRIDGED (of a PF). `why_not` is "" when it is
    offered.
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
    return {device.id: _offer(device, heads, families.get(device.family_id)) for device in devices}


def _heads(devices: tuple[Device, ...]) -> set[DeviceId]:
    return {device.family_id for device in devices}


def _offer(device: Device, heads: Mapping[DeviceId, Device], family: FamilyView | None) -> Offer:
    if family is not None and _is_free(device, family):
        return Offer(is_offered=True, standing=device.status.value, why_not="")
    standing, why_not = _reason(device, heads[device.family_id], family)
    return Offer(is_offered=False, standing=standing, why_not=why_not)


def _is_free(device: Device, family: FamilyView) -> bool:
    if device.kind is DeviceKind.VF:
        return bool(family.free_vfs >> (device.vf_index or 0) & 1)
    return family.is_free


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
