"""Devices in the inventory, as their host last reported them, and what the policies say of them."""

from dataclasses import dataclass
from enum import Enum

from fairlead.model.ids import DeviceId, HostId, PfKey, PolicyId
from fairlead.model.pci import DeviceKind, LinkLayer, MacAddress, PciAddress
from fairlead.model.vf import VfSettings

QBH_CAPABILITY = "802.1qbh"
"""Of a PF whose driver has 802.1Qbh's operations for its VFs."""
QBG_CAPABILITY = "802.1qbg"
"""Of a PF for which somebody on its host speaks 802.1Qbg's VDP."""
MACVTAP_CAPABILITY = "macvtap"
"""Of a PF whose VFs a driver of the host can drive, so that a macvtap can be on one."""


class DeviceStatus(Enum):
    """What becomes of a device (lifecycle.DEVICE). AVAILABLE: nobody has it. CLAIMED: a server is to get it. ALLOCATED:
    it has it, as wanted. RELEASING: it had it, and its traces are not gone yet. FAULTY: they would not go. MISSING: its
    host no longer reports it.
    """

    AVAILABLE = "AVAILABLE"
    CLAIMED = "CLAIMED"
    ALLOCATED = "ALLOCATED"
    RELEASING = "RELEASING"
    FAULTY = "FAULTY"
    MISSING = "MISSING"


@dataclass(frozen=True, slots=True)
class Device:
    """A PF, VF or plain PCI device of a host.

    `key` is its lasting identity on the host. `family_id` is the PF's device id for a PF and its VFs and
    the device's own id for a plain device: the family is what is locked and counted together. The fields
    from `policy_id` on are given by the device policy that matches the PF (None, empty: no policy does, and
    the device is offered to nobody). `seen` is a VF's settings as read back, None where nothing was read.
    """

    id: DeviceId
    host_id: HostId
    family_id: DeviceId
    kind: DeviceKind
    key: str
    status: DeviceStatus
    pci_address: PciAddress
    vendor: str
    product: str
    kernel_driver: str | None
    numa_node: int | None
    iommu_group: int | None
    link_layer: LinkLayer = LinkLayer.NONE
    name: str | None = None
    """Network device name of a PF (or plain NIC) on its host."""
    mac: MacAddress | None = None
    """Permanent MAC of a PF."""
    pf: PfKey | None = None
    vf_index: int | None = None
    link_up: bool | None = None
    speed_mbps: int | None = None
    mtu: int | None = None
    total_vfs: int = 0
    num_vfs: int = 0
    capabilities: tuple[str, ...] = ()
    serial: str | None = None
    is_management: bool = False
    host_use: str = ""
    """What the host itself does with a PF or VF ("has address 10.0.0.5/24"): such a VF is offered to nobody, such a
    PF not whole; "" nothing."""
    seen: VfSettings | None = None
    policy_id: PolicyId | None = None
    physical_network: str | None = None
    tags: tuple[str, ...] = ()
    egress_mbps: int | None = None
    """What may be promised on a PF; None: its link speed."""
    is_uplink: bool = False
    """The bridge of its physical network leaves the host through it: while ordinary vNICs are bound there."""
    released_generation: int = 0
    """The host's desired generation from which on nobody holds it; a report older than that frees nothing."""
    note: str = ""
    """Why the device is FAULTY or held back, for people; "" otherwise."""
