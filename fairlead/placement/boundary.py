"""The values that placement takes and gives. Entry points: `fits.fits`, `place.place`, `explain.explain`."""

from dataclasses import dataclass
from enum import Enum

from fairlead.model.host import HostCapacity
from fairlead.model.ids import DeviceId, HostId, RequestId
from fairlead.model.numa import GuestCell
from fairlead.model.pci import DeviceKind, LinkLayer


@dataclass(frozen=True, slots=True)
class GroupShare:
    """What IOMMU groups that a family's devices share with others leave of it (placement.iommu_groups). Masks as
    `free_vfs`, which are the VFs that vfio can be given.
    """

    host_only_vfs: int = 0
    """VFs that are free, but for a driver of the host alone: vfio cannot have them."""
    passed_only_vfs: int = 0
    """Of the free ones, those that no driver of the host can have."""
    kept_vfs: int = 0
    """VFs that are free otherwise, and that vfio cannot have."""
    why_vfs: str = ""
    """What keeps the first of them back."""
    why_whole: str = ""
    """What keeps the PF or plain device itself back; "" nothing of its group does."""
    ties: tuple[DeviceId, ...] = ()
    """Families that are to be given whole with this one, to the same server."""
    open_vfs: tuple[tuple[int, int], ...] = ()
    """(group, mask) of free VFs that a driver of the host can have, until vfio has one of the group."""
    open_whole: int | None = None
    """The group of the PF or plain device itself, where it is free and a driver of the host can have others of it."""


ALONE = GroupShare()
"""Of a family whose devices share their groups with nobody."""


@dataclass(frozen=True, slots=True)
class FamilyView:
    """A PF with its VFs, or a plain device, as the scheduler sees it: counts and one bit mask.

    `free_vfs` has bit i set when VF i may be claimed. `is_free`: the PF (or plain device) itself may be.
    `held_vfs` are held by somebody, `unclean_vfs` wait for a scrub, are faulty, or went away while held.
    `egress_kbps` is what may be promised, `egress_free_kbps` what is left of it.
    """

    family_id: DeviceId
    kind: DeviceKind
    label: str
    """For people: `enp175s0f0 (0000:af:00.0)`."""
    vendor: str
    product: str
    vf_vendor: str
    vf_product: str
    link_layer: LinkLayer
    physical_network: str | None
    tags: tuple[str, ...]
    numa_node: int | None
    is_free: bool
    free_vfs: int
    held_vfs: int
    unclean_vfs: int
    egress_kbps: int
    egress_free_kbps: int
    link_up: bool | None = None
    is_uplink: bool = False
    """The bridge of its physical network leaves the host through it (model.uplink)."""
    capabilities: tuple[str, ...] = ()
    """What its driver and host can do, in words of Device.capabilities and of model.vf_capabilities."""
    policy: str = ""
    """The name of the device policy that it is managed by."""
    is_count_due: bool = False
    """Its number of VFs is to be changed as soon as nobody has one of them."""
    share: GroupShare = ALONE
    why_held: str = ""
    """What it is, or does, that neither it nor a VF of it can be given, such as "is given whole"; "" when it may be."""
    why_not_whole: str = ""
    """The same of what keeps it from being given whole, its VFs aside."""


@dataclass(frozen=True, slots=True)
class HostView:
    """A host as the scheduler sees it. `why_not`: it takes no servers now, and why; "" when it does.

    `families` are the managed ones in PCI address order, `unmanaged` the labels of NICs that no device policy
    matches. `bridged_networks`: physical networks that an ordinary vNIC can be given here.
    """

    host_id: HostId
    name: str
    why_not: str
    capacity: HostCapacity
    vcpus_used: int
    memory_mib_used: int
    disk_gib_used: int
    numa_memory_used: tuple[tuple[int, int], ...]
    """(node, MiB used) of guests with cells."""
    numa_vcpus_used: tuple[tuple[int, int], ...]
    families: tuple[FamilyView, ...]
    bridged_networks: tuple[str, ...]
    unmanaged: tuple[str, ...] = ()
    revision: int = 0
    is_disabled: bool = False
    """Its operator keeps new servers away: what `why_not` says then."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A device for a request: VF `vf_index` of the family, or the PF or plain device itself (None)."""

    request_id: RequestId
    family_id: DeviceId
    vf_index: int | None
    egress_kbps: int = 0
    is_host_driven: bool = False
    """A driver of the host gets it, for a macvtap, and not vfio."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a server fits on a host: guest cells and devices, all of them."""

    cells: tuple[GuestCell, ...]
    grants: tuple[Grant, ...]


class ReasonCode(Enum):
    """Why a host does not do. Stable: they are part of the API."""

    NOT_ASKED_FOR = "not_the_host_asked_for"
    RULED_OUT = "ruled_out"
    HOST_UNAVAILABLE = "host_unavailable"
    VCPUS = "not_enough_vcpus"
    MEMORY = "not_enough_memory"
    DISK = "not_enough_disk"
    NUMA = "no_numa_node_has_room"
    NO_BRIDGE = "physical_network_not_bridged"
    NO_PHYSICAL_NETWORK = "no_device_on_physical_network"
    NO_SUCH_DEVICE = "no_device_of_that_kind"
    NOT_ENOUGH_DEVICES = "not_enough_free_devices"
    NOT_TOGETHER = "devices_do_not_fit_together"
    NUMA_POLICY = "numa_policy_not_met"
    BANDWIDTH = "not_enough_bandwidth"
    TRUST = "no_trusted_device"
    CAPABILITY = "no_capable_device"
    LINK_LAYER = "no_device_of_that_link_layer"
    IOMMU_GROUP = "iommu_group_in_use"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason of one host. `about` is what is wrong without counts ("lacks free VFs on physnet1"): the same
    words on every host with the same lack. `asked` and `had` are counts in the unit that `message` names;
    `families` are those whose holders a person would want to know; `hint` is what would help, "" when
    nothing would.
    """

    code: ReasonCode
    message: str
    about: str
    asked: int = 0
    had: int = 0
    request_id: RequestId | None = None
    families: tuple[DeviceId, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class HostRejection:
    """Why one host does not do; at least one reason."""

    host_id: HostId
    host_name: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """The decision: this host, in this way."""

    host_id: HostId
    fit: Fit


@dataclass(frozen=True, slots=True)
class Rejected:
    """No host does. `hosts` holds every host's reasons, in name order; empty when there is no host at all."""

    hosts: tuple[HostRejection, ...]


Decision = Placed | Rejected


class HostOrder(Enum):
    """Which of the hosts that do is taken: the fullest (PACK) or the emptiest (SPREAD)."""

    PACK = "pack"
    SPREAD = "spread"
