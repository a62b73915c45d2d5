"""What a host looks like now, as read from sysfs, netlink and libvirt. Plain values for `wire`."""

from dataclasses import dataclass
from enum import Enum

from fairlead.hoststate.desired import DesiredVsi
from fairlead.hoststate.macvtap import ObservedMacvtap
from fairlead.model.count import Count
from fairlead.model.host import HostCapacity
from fairlead.model.ids import PfKey, PortId, ServerId
from fairlead.model.pci import LinkLayer, MacAddress, PciAddress
from fairlead.model.vf import VfSettings
from fairlead.model.vsi import VsiReading


@dataclass(frozen=True, slots=True)
class ObservedVf:
    """A VF. `is_dirty`: it had an owner since its last scrub (the agent's ledger says so). `is_borrowed`: since then a
    guest had it that did not own it. `host_use`: what the host itself does with it, in words ("has address
    10.0.0.5/24"); "" nothing.
    """

    index: Count
    pci_address: PciAddress
    vendor: str
    product: str
    kernel_driver: str | None
    numa_node: Count | None
    iommu_group: Count | None
    settings: VfSettings
    is_dirty: bool = False
    is_borrowed: bool = False
    host_use: str = ""


@dataclass(frozen=True, slots=True)
class ObservedPf:
    """A network device on PCI: a PF with its VFs, or a NIC without SR-IOV (`total_vfs` 0).

    `name` None: the kernel's network driver does not have it (it is passed through). `is_dirty`: a guest was
    given the PF itself since its last reset (the agent's ledger says so). `host_use` as a VF's.
    """

    key: PfKey
    name: str | None
    pci_address: PciAddress
    vendor: str
    product: str
    kernel_driver: str | None
    numa_node: Count | None
    iommu_group: Count | None
    link_layer: LinkLayer
    mac: MacAddress | None
    is_up: bool
    link_up: bool | None
    speed_mbps: Count | None
    mtu: Count | None
    total_vfs: Count
    num_vfs: Count
    serial: str | None
    capabilities: tuple[str, ...]
    is_management: bool
    vfs: tuple[ObservedVf, ...] = ()
    is_dirty: bool = False
    host_use: str = ""


@dataclass(frozen=True, slots=True)
class ObservedPci:
    """A plain PCI device that could be passed through (no bridge, no network device). `is_dirty` as a PF's."""

    key: str
    pci_address: PciAddress
    vendor: str
    product: str
    kernel_driver: str | None
    numa_node: Count | None
    iommu_group: Count | None
    is_dirty: bool = False


class GuestState(Enum):
    """libvirt's virDomainState, as far as we act on it."""

    RUNNING = "running"
    STOPPED = "stopped"
    PAUSED = "paused"
    SAVED = "saved"
    """Down, with its memory on disk: it goes on where it was when it is started."""
    CRASHED = "crashed"

    @property
    def is_up(self) -> bool:
        """Whether the guest has its devices now. A crashed one has not: its domain says
        `<on_crash>destroy</on_crash>`.
        """
        return self is GuestState.RUNNING or self is GuestState.PAUSED


@dataclass(frozen=True, slots=True)
class ObservedGuest:
    """A guest of ours. `spec` is the digest written into its domain's metadata when it was defined.

    `boot_serial` is the one that it was last started with since the host booted, 0 when it was not: so a
    guest that is stopped with the wanted serial went down by itself, and one without it is yet to start. One
    that is up without it was started by another hand (virsh, libvirt-guests), on VFs that are not as wanted.
    `taps` are those that its domain names, `disk_serial` says which disk it has, 0 none.
    """

    server_id: ServerId
    state: GuestState
    spec: str
    boot_serial: Count
    hostdevs: tuple[PciAddress, ...] = ()
    reason: str = ""
    taps: tuple[str, ...] = ()
    disk_serial: Count = 0
    kept_disks: tuple[str, ...] = ()
    """Names of the copies of its disk that are there."""


@dataclass(frozen=True, slots=True)
class ObservedBridge:
    """A bridge of ours and the network devices on it. `unused_macs`: what its uplinks let in by our hand, for guests
    that have no tap on it any more.
    """

    name: str
    is_up: bool
    filters_vlans: bool
    mtu: Count | None
    uplinks: tuple[str, ...] = ()
    unused_macs: tuple[MacAddress, ...] = ()


@dataclass(frozen=True, slots=True)
class ObservedTap:
    """A tap of ours. `vlan` None: it has the untagged VLAN of a flat network."""

    name: str
    bridge: str | None
    mac: MacAddress | None
    vlan: Count | None
    mtu: Count
    is_up: bool
    max_rate_kbps: Count | None = None
    spoof_check: bool = True
    port_id: PortId | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ObservedVsi:
    """A VSI that the agent has asked for (its ledger says so), and what the host's station tells of it. Of others' VSIs
    nothing is told. `asked`: with what, and for whom.
    """

    asked: DesiredVsi
    reading: VsiReading


@dataclass(frozen=True, slots=True)
class ObservedState:
    """One pass over the host."""

    boot_id: str
    capacity: HostCapacity
    pfs: tuple[ObservedPf, ...] = ()
    pcis: tuple[ObservedPci, ...] = ()
    bridges: tuple[ObservedBridge, ...] = ()
    taps: tuple[ObservedTap, ...] = ()
    guests: tuple[ObservedGuest, ...] = ()
    foreign_hostdevs: tuple[PciAddress, ...] = ()
    """PCI addresses that domains which are not ours have: never offered."""
    vsis: tuple[ObservedVsi, ...] = ()
    idle_images: tuple[str, ...] = ()
    """Files of the image cache, by name, that no guest here has used for a day; what a broken fetch left too."""
    macvtaps: tuple[ObservedMacvtap, ...] = ()
