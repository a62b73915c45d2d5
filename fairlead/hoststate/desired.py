"""What a host shall look like: the whole document, made by control, obeyed by the agent.

A VF that the document does not list has no owner and belongs at its baseline. A guest goes, with its disk, only
where the document says so: one that it does not name at all is left as it is, with all that it has, for whoever
made the document may have lost its memory. Plain values, so that `wire` can send them as they are.
"""

from dataclasses import dataclass
from enum import Enum

from fairlead.hoststate.macvtap import DesiredMacvtap
from fairlead.model.ids import DeviceId, HostId, ImageId, PfKey, PortId, ServerId
from fairlead.model.numa import GuestCell
from fairlead.model.pci import DeviceKind, MacAddress
from fairlead.model.server import Power
from fairlead.model.vf import VfSettings
from fairlead.model.vsi import VsiSettings


@dataclass(frozen=True, slots=True)
class DesiredFamily:
    """A PF that a device policy matches. None leaves a thing as it is. A matched PF is brought up.

    `holders`: servers whose devices of this family would be destroyed by a change of `num_vfs`.
    """

    pf: PfKey
    num_vfs: int | None
    mtu: int | None
    is_given_whole: bool = False
    """A guest has the PF itself: it is vfio's, not ours to configure."""
    holders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DesiredVf:
    """A VF with an owner. `port_id` None: a flavor's alias holds it, at its baseline."""

    device_id: DeviceId
    pf: PfKey
    index: int
    server_id: ServerId
    port_id: PortId | None
    settings: VfSettings
    is_withheld: bool = False
    """It is set, and no guest is given it yet: its fabric's subnet manager does not know its partition."""


BRIDGE_PREFIX, TAP_PREFIX = "flbr-", "fltap-"
"""How the names of our bridges, taps and macvtaps begin on a host: what is called so is ours, anything else is not."""
FLAT_VLAN = 4094
"""What frames of a flat network have inside a bridge of ours, and nowhere else."""


@dataclass(frozen=True, slots=True)
class DesiredBridge:
    """A VLAN-filtering bridge for a physical network's ordinary vNICs, with a PF or NIC as its way out."""

    name: str
    physical_network: str
    uplink: PfKey
    mtu: int | None


@dataclass(frozen=True, slots=True)
class DesiredTap:
    """An ordinary vNIC's tap on a bridge. `vlan` None: untagged on the wire (flat network). `sources`:
    prefixes that its guest may send from; empty: any.
    """

    name: str
    bridge: str
    port_id: PortId
    server_id: ServerId
    mac: MacAddress
    vlan: int | None
    mtu: int
    max_rate_kbps: int | None = None
    spoof_check: bool = True
    is_up: bool = True
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageRef:
    """An image to fetch: `sha512` names its content, `format` is qcow2, raw, aki or ari."""

    id: ImageId
    sha512: str
    size: int
    format: str


@dataclass(frozen=True, slots=True)
class DesiredVsi:
    """A port's VSI, which the bridge at the PF's other end shall have. `vf_index` None: it is not on a VF."""

    port_id: PortId
    server_id: ServerId
    pf: PfKey
    vf_index: int | None
    settings: VsiSettings


class NicKind(Enum):
    """How a NIC enters the guest: a passed-through device, or a tap or macvtap, of which it sees no difference."""

    HOSTDEV = "hostdev"
    TAP = "tap"


@dataclass(frozen=True, slots=True)
class DesiredNic:
    """A NIC of a guest, in guest order. HOSTDEV names its device, TAP its tap or macvtap. `mac` is what its guest knows
    it by.
    """

    port_id: PortId
    kind: NicKind
    mac: MacAddress
    mtu: int
    device_id: DeviceId | None = None
    tap: str | None = None


@dataclass(frozen=True, slots=True)
class DesiredHostdev:
    """A device passed through. `key` is its lasting identity; the agent looks up today's PCI address.

    `port_id` None: a flavor's alias asked for it.
    """

    device_id: DeviceId
    kind: DeviceKind
    key: str
    pf: PfKey | None = None
    vf_index: int | None = None
    port_id: PortId | None = None


GuestDevice = DesiredHostdev | DesiredNic
"""What a running guest is given or asked for: a device passed through, or an ordinary vNIC (kind TAP)."""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file of the config drive: path from its root, content as text, or base64 of bytes that are none."""

    path: str
    content: str
    is_base64: bool = False


@dataclass(frozen=True, slots=True)
class DesiredGuest:
    """A guest. `root` None: it boots from kernel and ramdisk alone. `cells` empty: no NUMA topology. Its disk is
    made anew where `disk_serial` is another one.

    `leaving_hostdevs` and `leaving_taps` (NICs of kind TAP) are its own no more: while it runs with them, it is to
    let go of them. What a guest has and the document names nowhere, it keeps.
    """

    server_id: ServerId
    name: str
    power: Power
    boot_serial: int
    hard_reboot: bool
    disk_serial: int
    vcpus: int
    memory_mib: int
    disk_gib: int
    root: ImageRef | None
    kernel: ImageRef | None
    ramdisk: ImageRef | None
    command_line: str
    cells: tuple[GuestCell, ...]
    nics: tuple[DesiredNic, ...]
    hostdevs: tuple[DesiredHostdev, ...]
    config_files: tuple[ConfigFile, ...]
    leaving_hostdevs: tuple[DesiredHostdev, ...] = ()
    leaving_taps: tuple[DesiredNic, ...] = ()
    keeps_disk: str = ""
    """A copy of its disk as it was before this became wished is kept by that name; "" none is."""
    restores_disk: str = ""
    """The copy of that name, where there is one, is its disk again before anything else is done with it."""

    @property
    def devices(self) -> tuple[GuestDevice, ...]:
        """What it has: devices passed through, then taps."""
        taps: tuple[GuestDevice, ...] = tuple(nic for nic in self.nics if nic.kind is NicKind.TAP)
        return (*self.hostdevs, *taps)

    @property
    def leaving(self) -> tuple[GuestDevice, ...]:
        """What it is to let go of."""
        taps: tuple[GuestDevice, ...] = self.leaving_taps
        return (*self.leaving_hostdevs, *taps)

    @property
    def images(self) -> tuple[ImageRef, ...]:
        """What it is made of, as far as it can be fetched. An image without a digest was deleted since the
        guest was made of it: the cache must do.
        """
        named = (self.root, self.kernel, self.ramdisk)
        return tuple(image for image in named if image is not None and image.sha512)


@dataclass(frozen=True, slots=True)
class DesiredState:
    """Everything control wishes of one host. `generation` grows with each change; an older one is refused.

    `removals` are the guests that shall go. A guest that is neither there nor in `guests` is unnamed. `pcis` are
    the plain devices that a device policy matches, by key.
    """

    host_id: HostId
    generation: int
    families: tuple[DesiredFamily, ...] = ()
    vfs: tuple[DesiredVf, ...] = ()
    bridges: tuple[DesiredBridge, ...] = ()
    taps: tuple[DesiredTap, ...] = ()
    guests: tuple[DesiredGuest, ...] = ()
    removals: tuple[ServerId, ...] = ()
    pcis: tuple[str, ...] = ()
    vsis: tuple[DesiredVsi, ...] = ()
    macvtaps: tuple[DesiredMacvtap, ...] = ()
