"""IOMMU groups that several devices of a host share: vfio gives such a group whole to one user, or not at all.

What a guest is given by vfio takes its group: no other guest and no driver of the host can have a device of it
(Documentation/driver-api/vfio.rst; drivers/vfio/group.c). A device that a driver of the host has makes the group the
host's, also below a macvtap (drivers/iommu/iommu.c, iommu_group_claim_dma_owner and iommu_device_use_default_domain).
So it keeps back those of its group, unless it is given whole to the same server: libvirt takes all of a guest's
devices from their drivers before it starts.

A group's number does not last: it follows from the order in which a boot finds devices, and VFs are made. What shares
a group is read each time from the devices as their host has last reported them, and no row says whose a group is.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from fairlead.model.binding import Allocation
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.ids import DeviceId, ServerId
from fairlead.model.pci import STAND_INS, DeviceKind
from fairlead.placement.boundary import FamilyView, GroupShare, HostView
from fairlead.placement.need import Need

_UNCLEAN = (DeviceStatus.RELEASING, DeviceStatus.FAULTY)


@dataclass(frozen=True, slots=True)
class GroupBound:
    """What its group means for a device that shares one and that nobody has. `not_passed` says what of the group keeps
    vfio from it, "" nothing; `is_drivable`: a driver of the host can have it. `ties`: what is only given with it.
    """

    group: int
    not_passed: str
    is_drivable: bool
    ties: tuple[DeviceId, ...] = ()


@dataclass(slots=True)
class _Group:
    """Who has which devices of a group. `driven`: a driver of the host has them; `tied`: it does, and they may be given
    whole.
    """

    others: list[Device] = field(default_factory=list)
    driven: list[Device] = field(default_factory=list)
    unclean: list[Device] = field(default_factory=list)
    tied: list[Device] = field(default_factory=list)
    is_own: bool = False


def group_bounds(
    devices: Iterable[Device],
    allocations: Iterable[Allocation],
    whole: Collection[DeviceId],
    own: ServerId | None = None,
) -> Mapping[DeviceId, GroupBound]:
    """By device, for those of a host that share a group. `whole`: PFs and plain devices that could be given, groups
    aside. What the server `own` has is in nobody's way but its own macvtaps'.
    """
    held = {allocation.device_id: allocation for allocation in allocations}
    return {
        device.id: _bound(device, number, group, is_whole=device.id in whole)
        for number, members in _shared(devices, held).items()
        for group in (_group(members, held, whole, own),)
        for device in members
    }


def within_groups(
    families: Iterable[FamilyView], devices: Iterable[Device], bounds: Mapping[DeviceId, GroupBound]
) -> Iterator[FamilyView]:
    """The families, less what their groups keep back; `devices` are those of the host."""
    vfs: dict[DeviceId, list[tuple[int, GroupBound]]] = {}
    for device in devices:
        if device.kind is DeviceKind.VF and device.id in bounds:
            vfs.setdefault(device.family_id, []).append((device.vf_index or 0, bounds[device.id]))
    for family in families:
        yield _within(family, bounds.get(family.family_id), vfs.get(family.family_id, ()))


def ways(view: HostView, need: Need) -> Iterator[HostView]:
    """The host, in each way to give the groups that are nobody's to vfio or to the host's driver, for a server that
    wants devices by both; for others, as it is.
    """
    kinds = {demand.sample.is_host_driven for demand in need.demands}
    if kinds != {False, True}:
        yield view
        return
    groups = sorted({group for family in view.families for group in _undecided(family)})
    for way in product((False, True), repeat=len(groups)):
        is_hosts = dict(zip(groups, way, strict=True))
        families = tuple(_decided(family, is_hosts) for family in view.families) if groups else view.families
        yield replace(view, families=families)


def _within(family: FamilyView, head: GroupBound | None, vfs: Sequence[tuple[int, GroupBound]]) -> FamilyView:
    if head is None and not vfs:
        return family
    free, host_only, passed_only, why = family.free_vfs, 0, 0, ""
    open_vfs: dict[int, int] = {}
    for index, bound in vfs:
        bit = 1 << index & family.free_vfs
        if bit and bound.is_drivable:
            open_vfs[bound.group] = open_vfs.get(bound.group, 0) | bit
        elif not bound.not_passed:
            passed_only |= bit
        if bit and bound.not_passed:
            why = why or bound.not_passed
            free ^= bit
            host_only |= bit if bound.is_drivable else 0
    is_free = family.is_free and not (head and head.not_passed)
    share = GroupShare(
        host_only_vfs=host_only,
        passed_only_vfs=passed_only,
        kept_vfs=family.free_vfs ^ free,
        why_vfs=why,
        why_whole=head.not_passed if head and family.is_free else "",
        ties=head.ties if head and is_free else (),
        open_vfs=tuple(sorted(open_vfs.items())),
        open_whole=head.group if head and is_free and head.is_drivable else None,
    )
    return replace(family, free_vfs=free, is_free=is_free, share=share)


def _undecided(family: FamilyView) -> Iterator[int]:
    """Groups that vfio could take by this family, and the host's driver by this or another."""
    yield from (group for group, vfs in family.share.open_vfs if vfs & family.free_vfs)
    if family.share.open_whole is not None:
        yield family.share.open_whole


def _decided(family: FamilyView, is_hosts: Mapping[int, bool]) -> FamilyView:
    """The family, its groups given to the host's driver or to vfio."""
    share, free, is_free = family.share, family.free_vfs, family.is_free
    host_only, passed_only = share.host_only_vfs, share.passed_only_vfs
    for group, vfs in share.open_vfs:
        if is_hosts.get(group):
            host_only |= vfs
            free &= ~vfs
        elif group in is_hosts:
            host_only &= ~vfs
            passed_only |= vfs & free
    if share.open_whole is not None and is_hosts[share.open_whole]:
        is_free = False
    share = replace(share, host_only_vfs=host_only, passed_only_vfs=passed_only)
    return replace(family, free_vfs=free, is_free=is_free, share=share)


def _shared(devices: Iterable[Device], held: Collection[DeviceId]) -> dict[int, list[Device]]:
    """Devices by group, where they are several. One that its host reports no more is in it if somebody has it: it may
    be back any time.
    """
    groups: dict[int, list[Device]] = {}
    for device in devices:
        if device.iommu_group is not None and (
            device.status is not DeviceStatus.MISSING or device.id in held
        ):
            groups.setdefault(device.iommu_group, []).append(device)
    return {number: members for number, members in groups.items() if len(members) > 1}


def _group(
    members: Iterable[Device],
    held: Mapping[DeviceId, Allocation],
    whole: Collection[DeviceId],
    own: ServerId | None,
) -> _Group:
    group = _Group()
    for device in members:
        allocation = held.get(device.id)
        if allocation is not None and allocation.is_host_driven:
            group.driven.append(device)
        elif allocation is not None and allocation.server_id == own:
            group.is_own = True
        elif allocation is not None:
            group.others.append(device)
        elif device.status in _UNCLEAN:
            group.unclean.append(device)
        elif device.kernel_driver not in STAND_INS:
            (group.tied if device.id in whole else group.driven).append(device)
    return group


def _bound(device: Device, number: int, group: _Group, *, is_whole: bool) -> GroupBound:
    # Where a driver of the host has a device of the group now, vfio has none of it, unclean or not.
    is_hosts = bool(group.driven or group.tied)
    return GroupBound(
        number,
        _not_passed(device, group, is_whole=is_whole),
        is_drivable=not (group.others or group.is_own or (group.unclean and not is_hosts)),
        ties=tuple(sorted(tied.id for tied in group.tied if tied.id != device.id)) if is_whole else (),
    )


def _not_passed(device: Device, group: _Group, *, is_whole: bool) -> str:
    for members, why in (
        (group.others, "a server has {}"),
        (group.driven, "the host's driver has {}"),
        (group.tied if not is_whole else (), "the host's driver has {}"),
        (group.unclean, "{} is not clean yet"),
    ):
        stranger = next((member for member in members if not _goes_with(member, device)), None)
        if stranger is not None:
            return why.format(stranger.pci_address) + f", which is in its IOMMU group {device.iommu_group}"
    return ""


def _goes_with(member: Device, device: Device) -> bool:
    """A device is not in its own way, nor are the VFs of a PF that is given whole: they go."""
    return member.id == device.id or (
        device.kind is DeviceKind.PF and member.kind is DeviceKind.VF and member.family_id == device.id
    )
