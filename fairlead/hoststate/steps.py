"""The closed set of things an agent does to its host, each named as a verb phrase, in chains.

A chain's steps run in order and stop at the first failure. A chain waits for those that it needs, and for
earlier ones of its plan that hold a resource of its own. Stages are the order of `HostPlan`: first what must
go, then families, then what shall be.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fairlead.hoststate.desired import (
    DesiredBridge,
    DesiredGuest,
    DesiredTap,
    DesiredVsi,
    GuestDevice,
    ImageRef,
)
from fairlead.hoststate.macvtap import DesiredMacvtap
from fairlead.model.host import Hold
from fairlead.model.ids import DeviceId, PfKey, PortId, ServerId
from fairlead.model.pci import PciAddress
from fairlead.model.vf import VfSettings


@dataclass(frozen=True, slots=True)
class StopGuest:
    """Power off (`is_graceful`: ask the guest first); its devices come back to the host. A memory that was saved is
    lost. `why`: what led to it, where nobody asked for it.
    """

    server_id: ServerId
    is_graceful: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class RemoveGuest:
    """Undefine the domain and delete its disk, config drive and console log."""

    server_id: ServerId


@dataclass(frozen=True, slots=True)
class RemoveTap:
    """Delete a tap that no guest of ours wants."""

    name: str


@dataclass(frozen=True, slots=True)
class ScrubVf:
    """Reset the function, write the baseline, read it back; only then is it clean in the ledger."""

    pf: PfKey
    index: int


@dataclass(frozen=True, slots=True)
class ResetDevice:
    """Reset a PF or plain device that a guest was given whole; only then is it clean in the ledger."""

    key: str
    pci_address: PciAddress


@dataclass(frozen=True, slots=True)
class SetNumVfs:
    """Write sriov_numvfs. Only on a family that nobody uses: the kernel destroys every VF."""

    pf: PfKey
    num_vfs: int


@dataclass(frozen=True, slots=True)
class SetUpPf:
    """Bring a PF up, with an MTU if one is asked for."""

    pf: PfKey
    mtu: int | None


@dataclass(frozen=True, slots=True)
class MakeBridge:
    """Create or repair a bridge and put its uplink on it."""

    bridge: DesiredBridge


@dataclass(frozen=True, slots=True)
class RemoveBridge:
    """Delete a bridge of ours that nothing wants; its uplink is left up, on its own."""

    name: str


@dataclass(frozen=True, slots=True)
class ConfigureVf:
    """Mark dirty in the ledger, and write in one message the fields that differed; the next look reads back."""

    device_id: DeviceId
    pf: PfKey
    index: int
    port_id: PortId | None
    settings: VfSettings
    is_repair: bool
    """The guest already runs: somebody changed the VF behind our back."""


@dataclass(frozen=True, slots=True)
class MakeTap:
    """Create or repair a tap on its bridge; the next look reads back."""

    tap: DesiredTap


@dataclass(frozen=True, slots=True)
class AssociateVsi:
    """Enter it in the ledger, ask the bridge, wait for its yes. What was asked for that instance before is
    disassociated first.
    """

    vsi: DesiredVsi
    is_repair: bool
    """The guest already runs: the association was lost, or is to be another."""


@dataclass(frozen=True, slots=True)
class DisassociateVsi:
    """Have the bridge let go of a VSI of ours that nobody wants; only then does the ledger forget it."""

    vsi: DesiredVsi


@dataclass(frozen=True, slots=True)
class MakeMacvtap:
    """Give the VF below to its driver of the host, set that network device and the macvtap on it; the next look reads
    both back.
    """

    macvtap: DesiredMacvtap
    is_repair: bool
    """A guest that runs has it open: it, or what is below, is set right in place, and no other is made for it."""


@dataclass(frozen=True, slots=True)
class RemoveMacvtap:
    """Delete a macvtap that no guest of ours wants."""

    name: str


@dataclass(frozen=True, slots=True)
class FetchImage:
    """Get an image into the host's cache, checked against its digest."""

    image: ImageRef


@dataclass(frozen=True, slots=True)
class RemoveImage:
    """Delete a file of the image cache that nothing here uses. It is fetched again when it is needed."""

    name: str

    @property
    def sha512(self) -> str:
        """The image that it is, or was to be: a fetch of it that goes on is not disturbed."""
        return self.name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class KeepDisk:
    """Copy the disk of that serial of a guest that is down, under that name, beside it."""

    server_id: ServerId
    disk_serial: int
    name: str


@dataclass(frozen=True, slots=True)
class RestoreDisk:
    """The copy of that name is the disk of that serial of the guest, which is down, in place of the one there is."""

    server_id: ServerId
    disk_serial: int
    name: str


@dataclass(frozen=True, slots=True)
class DropDisk:
    """Delete the copy of that name."""

    server_id: ServerId
    name: str


@dataclass(frozen=True, slots=True)
class DefineGuest:
    """Make its disk, or make it as large as it is to be, and config drive if missing, write its domain."""

    guest: DesiredGuest
    spec: str


@dataclass(frozen=True, slots=True)
class StartGuest:
    """Start the defined domain; one that was saved goes on where it was. `is_paused`: with its devices, and before its
    first instruction.
    """

    server_id: ServerId
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class PauseGuest:
    """Halt a running guest where it is; it keeps its devices."""

    server_id: ServerId


@dataclass(frozen=True, slots=True)
class SaveGuest:
    """Write a running guest's memory to disk, and power off. It must have no device passed through."""

    server_id: ServerId


@dataclass(frozen=True, slots=True)
class ResumeGuest:
    """Let a paused guest go on."""

    server_id: ServerId


@dataclass(frozen=True, slots=True)
class AttachNic:
    """Give a running guest a device or tap that was read back as wanted; its domain has it then."""

    server_id: ServerId
    device: GuestDevice


@dataclass(frozen=True, slots=True)
class DetachNic:
    """Ask a running guest to let go of a device or tap, and wait, for a while, until its domain has it no more."""

    server_id: ServerId
    device: GuestDevice


Step = (
    StopGuest
    | RemoveGuest
    | RemoveTap
    | ScrubVf
    | ResetDevice
    | SetNumVfs
    | SetUpPf
    | MakeBridge
    | RemoveBridge
    | ConfigureVf
    | MakeTap
    | AssociateVsi
    | DisassociateVsi
    | MakeMacvtap
    | RemoveMacvtap
    | FetchImage
    | RemoveImage
    | KeepDisk
    | RestoreDisk
    | DropDisk
    | DefineGuest
    | StartGuest
    | PauseGuest
    | SaveGuest
    | ResumeGuest
    | AttachNic
    | DetachNic
)


@dataclass(frozen=True, slots=True)
class Chain:
    """Steps for one subject; none: it only tells that subject when something fails that it needs. `needs`: keys of
    chains of earlier stages that must be done before this one. `nic`: what a running server has, is to be given, or is
    asked for; a failure is that of its port then, and spares the server.
    """

    key: str
    steps: tuple[Step, ...]
    server_id: ServerId | None = None
    needs: tuple[str, ...] = ()
    nic: GuestDevice | None = None


@dataclass(frozen=True, slots=True)
class HostPlan:
    """Stages in order; within a stage, chains do not need each other. No stages and no holds: nothing to do."""

    stages: tuple[tuple[Chain, ...], ...] = ()
    holds: tuple[Hold, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not any(self.stages)

    @property
    def chains(self) -> tuple[Chain, ...]:
        """All chains, in order."""
        return tuple(chain for stage in self.stages for chain in stage)

    def without(self, keys: Iterable[str]) -> "HostPlan":
        """The plan, but for these chains."""
        dropped = frozenset(keys)
        stages = (tuple(chain for chain in stage if chain.key not in dropped) for stage in self.stages)
        return replace(self, stages=tuple(stage for stage in stages if stage))
