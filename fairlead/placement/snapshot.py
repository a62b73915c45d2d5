"""The fleet as the scheduler sees it: each host's view, made from its rows, and all of them as columns.

Placing and claiming use the same builder of views.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

from fairlead.model.binding import Allocation
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.host import Host, HostAdmin
from fairlead.model.ids import DeviceId, HostId, PolicyId, ServerId
from fairlead.model.pci import DeviceKind
from fairlead.model.policy import DevicePolicy
from fairlead.model.server import Server
from fairlead.model.uplink import uplinks
from fairlead.model.vf_capabilities import capabilities_of
from fairlead.placement.boundary import FamilyView, HostView
from fairlead.placement.columns import Columns
from fairlead.placement.iommu_groups import group_bounds, within_groups

NO_POLICIES: Mapping[PolicyId, DevicePolicy] = {}
_UNCLEAN = (DeviceStatus.RELEASING, DeviceStatus.FAULTY)
_WHY_HELD = {
    DeviceStatus.RELEASING: "waits for its scrub",
    DeviceStatus.FAULTY: "is faulty",
    DeviceStatus.MISSING: "is away",
}


def host_view(
    host: Host,
    devices: Iterable[Device],
    allocations: Iterable[Allocation],
    servers: Iterable[Server],
    bridged_now: Collection[str] = (),
    policies: Mapping[PolicyId, DevicePolicy] = NO_POLICIES,
    own: ServerId | None = None,
) -> HostView:
    """The view of a host from all rows of that host.

    `servers` are those claimed on it, also those being deleted: they use it until they are gone.
    `bridged_now` are the physical networks that ordinary vNICs bound to the host are on. `policies`: those that
    the devices' rows name. `why_not` is the caller's to add.
    `own`: for whom it is looked at, where that server has devices of the host already; None: for one that has none.
    """
    devices, allocations, servers = tuple(devices), tuple(allocations), tuple(servers)
    families = tuple(_families(devices, allocations, bridged_now, policies))
    whole = {family.family_id for family in families if family.is_free}
    if bounds := group_bounds(devices, allocations, whole, own):
        families = tuple(within_groups(families, devices, bounds))
    open_uplinks = {network for network, device in uplinks(devices).items() if _is_open(device, allocations)}
    vcpus: dict[int, int] = {}
    memory: dict[int, int] = {}
    for node, (cpus, mib) in (held for server in servers for held in _held_by_node(server).items()):
        vcpus[node] = vcpus.get(node, 0) + cpus
        memory[node] = memory.get(node, 0) + mib
    return HostView(
        host_id=host.id,
        name=host.name,
        why_not="",
        capacity=host.capacity,
        vcpus_used=sum(server.held_vcpus for server in servers),
        memory_mib_used=sum(server.held_memory_mib for server in servers),
        disk_gib_used=sum(server.held_disk_gib for server in servers),
        numa_memory_used=tuple(sorted(memory.items())),
        numa_vcpus_used=tuple(sorted(vcpus.items())),
        families=families,
        bridged_networks=tuple(sorted(open_uplinks)),
        unmanaged=tuple(label(device) for device in devices if _is_unmanaged_nic(device)),
        revision=host.revision,
        is_disabled=host.admin is HostAdmin.DISABLED,
    )


def label(device: Device) -> str:
    """A PF or plain device for people: `enp175s0f0 (0000:af:00.0)`."""
    return f"{device.name} ({device.pci_address})" if device.name else device.pci_address


def _held_by_node(server: Server) -> dict[int, tuple[int, int]]:
    """By NUMA node, vCPUs and MiB: of all its sizes the most."""
    held: dict[int, tuple[int, int]] = {}
    for size in server.sizes:
        for cell in size.cells:
            cpus, mib = held.get(cell.host_node, (0, 0))
            held[cell.host_node] = max(cpus, cell.vcpus), max(mib, cell.memory_mib)
    return held


def _families(
    devices: tuple[Device, ...],
    allocations: tuple[Allocation, ...],
    bridged_now: Collection[str],
    policies: Mapping[PolicyId, DevicePolicy],
) -> Iterator[FamilyView]:
    promised: dict[DeviceId, int] = {}
    for allocation in allocations:
        promised[allocation.family_id] = promised.get(allocation.family_id, 0) + allocation.egress_kbps
    allocated = {allocation.device_id for allocation in allocations}
    vfs: dict[DeviceId, list[Device]] = {}
    for device in devices:
        if device.kind is DeviceKind.VF:
            vfs.setdefault(device.family_id, []).append(device)
    heads = (device for device in devices if device.id == device.family_id and _is_managed(device))
    uplink_ids = {device.id for device in uplinks(devices).values()}
    for head in sorted(heads, key=lambda head: head.pci_address):
        yield _family(
            head,
            vfs.get(head.id, []),
            allocated,
            promised.get(head.id, 0),
            policies.get(head.policy_id) if head.policy_id else None,
            is_uplink=head.id in uplink_ids,
            is_bridged=head.id in uplink_ids and head.physical_network in bridged_now,
        )


def _family(
    head: Device,
    vfs: list[Device],
    allocated: set[DeviceId],
    promised_kbps: int,
    policy: DevicePolicy | None,
    *,
    is_uplink: bool,
    is_bridged: bool,
) -> FamilyView:
    """A PF with its VFs. While the PF is not free itself its VFs are nobody's; while a VF is held or waits
    for its scrub, the PF is not given whole: that would destroy the VF. VFs beyond the wanted number are to go.
    """
    free = held = unclean = 0
    wanted_vfs = policy.num_vfs if policy else None
    is_head_free = _is_free(head, allocated)
    for vf in vfs:
        is_unheld = _is_free(vf, allocated)
        if is_unheld and not vf.host_use:
            if wanted_vfs is None or (vf.vf_index or 0) < wanted_vfs:
                free |= 1 << (vf.vf_index or 0)
        elif is_unheld or vf.status in _UNCLEAN or (vf.status is DeviceStatus.MISSING and vf.id in allocated):
            unclean += 1
        elif vf.status is not DeviceStatus.MISSING:
            held += 1
    egress_kbps = 1000 * (head.egress_mbps if head.egress_mbps is not None else head.speed_mbps or 0)
    return FamilyView(
        family_id=head.id,
        kind=head.kind,
        label=label(head),
        vendor=head.vendor,
        product=head.product,
        vf_vendor=vfs[0].vendor if vfs else "",
        vf_product=vfs[0].product if vfs else "",
        link_layer=head.link_layer,
        physical_network=head.physical_network,
        tags=head.tags,
        numa_node=head.numa_node,
        is_free=is_head_free and not (held or unclean or is_bridged or head.host_use),
        free_vfs=free if is_head_free else 0,
        held_vfs=held,
        unclean_vfs=unclean,
        egress_kbps=egress_kbps,
        egress_free_kbps=max(0, egress_kbps - promised_kbps),
        link_up=head.link_up,
        is_uplink=is_uplink,
        capabilities=(*head.capabilities, *capabilities_of(head.kernel_driver)),
        policy=policy.name if policy else "",
        is_count_due=head.kind is DeviceKind.PF and wanted_vfs not in (None, head.num_vfs),
        why_held="" if is_head_free else _WHY_HELD.get(head.status, "is given whole"),
        why_not_whole=_why_not_whole(head, is_bridged=is_bridged),
    )


def _why_not_whole(head: Device, *, is_bridged: bool) -> str:
    if head.host_use:
        return f"is used by the host: it {head.host_use}"
    return "has ordinary vNICs that leave the host through it" if is_bridged else ""


def _is_managed(device: Device) -> bool:
    return device.policy_id is not None and not device.is_management


def _is_unmanaged_nic(device: Device) -> bool:
    is_nic = device.id == device.family_id and (device.kind is DeviceKind.PF or device.name is not None)
    return is_nic and device.policy_id is None and not device.is_management


def _is_free(device: Device, allocated: Collection[DeviceId]) -> bool:
    """Status and allocation say the same while the database is sound; where they differ, it is not free."""
    return device.status is DeviceStatus.AVAILABLE and device.id not in allocated


def _is_open(device: Device, allocations: tuple[Allocation, ...]) -> bool:
    return _is_free(device, {allocation.device_id for allocation in allocations})


class Fleet:
    """The scheduler's cached snapshot: every host's view, and the same as columns for deciding quickly.

    Kept fresh host by host; not for two threads at once.
    """

    def __init__(self, views: Iterable[HostView] = ()) -> None:
        self.columns = Columns()
        self._views: list[HostView] = []
        self._rows: dict[HostId, int] = {}
        self.replace(views)

    def __len__(self) -> int:
        return len(self._views)

    def __iter__(self) -> Iterator[HostView]:
        return iter(self._views)

    def replace(self, views: Iterable[HostView]) -> None:
        """Take these views for their hosts, in place of what was known of them."""
        for view in views:
            row = self._rows.setdefault(view.host_id, len(self._views))
            self.columns.write(row, view)
            self._views[row : row + 1] = [view]

    def remove(self, host_id: HostId) -> None:
        """Forget the host, if it was known."""
        row = self._rows.pop(host_id, None)
        if row is None:
            return
        self.columns.drop(row)
        last = self._views.pop()
        if row < len(self._views):
            self._views[row] = last
            self._rows[last.host_id] = row

    def view(self, host_id: HostId) -> HostView | None:
        """What is known of the host; None: it is not known."""
        row = self._rows.get(host_id)
        return None if row is None else self._views[row]

    def rows(self, host_ids: Iterable[HostId]) -> list[int]:
        """The rows of those of these hosts that are known."""
        return [self._rows[host_id] for host_id in host_ids if host_id in self._rows]

    def view_at(self, row: int) -> HostView:
        """The view in that row of the columns."""
        return self._views[row]
