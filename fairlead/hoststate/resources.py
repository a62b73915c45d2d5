"""What a chain holds of its host while it is carried out, and what the document wishes of just that.

Two chains may be carried out at once when neither holds what the other needs. A chain that outlasts its plan
may go on while the newest document wishes of its resources what the document that it was planned by did.
"""

from dataclasses import dataclass, fields, replace
from functools import reduce
from typing import assert_never

from fairlead.hoststate.desired import (
    DesiredGuest,
    DesiredHostdev,
    DesiredState,
    DesiredVsi,
    GuestDevice,
)
from fairlead.hoststate.lookup import VfName
from fairlead.hoststate.macvtap import DesiredMacvtap
from fairlead.hoststate.observed import GuestState, ObservedGuest, ObservedPf, ObservedState
from fairlead.hoststate.steps import (
    AssociateVsi,
    AttachNic,
    Chain,
    ConfigureVf,
    DefineGuest,
    DetachNic,
    DisassociateVsi,
    DropDisk,
    FetchImage,
    KeepDisk,
    MakeBridge,
    MakeMacvtap,
    MakeTap,
    PauseGuest,
    RemoveBridge,
    RemoveGuest,
    RemoveImage,
    RemoveMacvtap,
    RemoveTap,
    ResetDevice,
    RestoreDisk,
    ResumeGuest,
    SaveGuest,
    ScrubVf,
    SetNumVfs,
    SetUpPf,
    StartGuest,
    Step,
    StopGuest,
)
from fairlead.model.ids import PfKey, ServerId
from fairlead.model.pci import DeviceKind


@dataclass(frozen=True, slots=True)
class Resources:
    """Held alone: servers, VFs, taps by name, VSIs by instance id, `devices` (PFs and plain devices that a guest has
    whole) by key, `remade` (PFs whose VFs are made anew), bridges by name, images by digest. Held together with others:
    `families`, PFs of which the chain needs a VF or the link, and `used_bridges`.
    """

    servers: frozenset[ServerId] = frozenset()
    vfs: frozenset[VfName] = frozenset()
    taps: frozenset[str] = frozenset()
    vsis: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()
    remade: frozenset[PfKey] = frozenset()
    bridges: frozenset[str] = frozenset()
    images: frozenset[str] = frozenset()
    families: frozenset[PfKey] = frozenset()
    used_bridges: frozenset[str] = frozenset()

    def __or__(self, other: "Resources") -> "Resources":
        return Resources(*(getattr(self, field.name) | getattr(other, field.name) for field in fields(self)))

    @property
    def cards(self) -> frozenset[str]:
        """Keys of what is held alone with all that is on it."""
        return self.devices | self.remade

    def exclude(self, other: "Resources") -> bool:
        """Whether what holds these and what holds the others must not be carried out at once."""
        return bool(
            self.servers & other.servers
            or self.vfs & other.vfs
            or self.taps & other.taps
            or self.vsis & other.vsis
            or self.images & other.images
            or self.cards & (other.cards | other.families)
            or self.families & other.cards
            or self.bridges & (other.bridges | other.used_bridges)
            or self.used_bridges & other.bridges
        )


NOTHING = Resources()


def resources_of(chain: Chain) -> Resources:
    """Everything that the chain reads or writes, from its first step to its last. A bridge may take its time: what asks
    it holds no more of its server than the VSI and the VF under it.
    """
    if any(isinstance(step, AssociateVsi) for step in chain.steps):
        return reduce(Resources.__or__, map(_of_step, chain.steps), NOTHING)
    own = Resources(servers=frozenset({chain.server_id} if chain.server_id else ()))
    return reduce(Resources.__or__, map(_of_step, chain.steps), own)


def is_brief(chain: Chain) -> bool:
    """Whether it is done in milliseconds: messages to the kernel, and nothing to wait for, as a switch is that is asked
    for an association.
    """
    brief = (
        RemoveTap | RemoveMacvtap | RemoveImage | SetUpPf | MakeBridge | RemoveBridge | ConfigureVf | MakeTap
    )
    return all(isinstance(step, brief) and not _asks_switch(step) for step in chain.steps)


def _asks_switch(step: Step) -> bool:
    return isinstance(step, ConfigureVf) and step.settings.association is not None


def wish_for(resources: Resources, desired: DesiredState) -> DesiredState:
    """The part of the document that speaks of the resources, under no generation: equal parts wish the same."""
    held = resources
    return replace(
        desired,
        generation=0,
        pcis=(),
        families=tuple(family for family in desired.families if family.pf in held.cards),
        vfs=tuple(
            vf
            for vf in desired.vfs
            if vf.server_id in held.servers or (vf.pf, vf.index) in held.vfs or vf.pf in held.cards
        ),
        bridges=tuple(bridge for bridge in desired.bridges if bridge.name in held.bridges),
        vsis=tuple(
            vsi
            for vsi in desired.vsis
            if vsi.server_id in held.servers or vsi.settings.instance_id in held.vsis
        ),
        taps=tuple(tap for tap in desired.taps if tap.server_id in held.servers or tap.name in held.taps),
        macvtaps=tuple(macvtap for macvtap in desired.macvtaps if _is_held(macvtap, held)),
        guests=tuple(guest for guest in desired.guests if _speaks_of(guest, held)),
        removals=tuple(server_id for server_id in desired.removals if server_id in held.servers),
    )


def as_settled(observed: ObservedState, desired: DesiredState, in_flight: Resources) -> ObservedState:
    """What may be told of a host while chains hold these: no device that they hold is clean, and no guest that
    they work on is gone, though nothing of it may be there yet.
    """
    if in_flight == NOTHING:
        return observed
    here = {guest.server_id for guest in observed.guests} | {guest.server_id for guest in desired.guests}
    coming = sorted(in_flight.servers - here)
    return replace(
        observed,
        pfs=tuple(_unclean(pf, in_flight) for pf in observed.pfs),
        pcis=tuple(
            replace(pci, is_dirty=pci.is_dirty or pci.key in in_flight.devices) for pci in observed.pcis
        ),
        guests=(*observed.guests, *(ObservedGuest(server, GuestState.STOPPED, "", 0) for server in coming)),
    )


def _unclean(pf: ObservedPf, in_flight: Resources) -> ObservedPf:
    vfs = tuple(replace(vf, is_dirty=vf.is_dirty or (pf.key, vf.index) in in_flight.vfs) for vf in pf.vfs)
    return replace(pf, vfs=vfs, is_dirty=pf.is_dirty or pf.key in in_flight.devices)


def _is_held(macvtap: DesiredMacvtap, held: Resources) -> bool:
    return (
        macvtap.server_id in held.servers
        or macvtap.name in held.taps
        or macvtap.lower.pf in held.cards
        or (macvtap.lower.pf, macvtap.lower.vf_index) in held.vfs
    )


def _speaks_of(guest: DesiredGuest, held: Resources) -> bool:
    return (
        guest.server_id in held.servers
        or any(hostdev.key in held.cards for hostdev in guest.hostdevs)
        or any(image.sha512 in held.images for image in guest.images)
    )


def _of_step(step: Step) -> Resources:
    match step:
        case (
            StopGuest()
            | RemoveGuest()
            | StartGuest()
            | PauseGuest()
            | SaveGuest()
            | ResumeGuest()
            | KeepDisk()
            | RestoreDisk()
            | DropDisk()
        ):
            return Resources(servers=frozenset({step.server_id}))
        case DefineGuest():
            return _of_guest(step.guest)
        case AttachNic() | DetachNic():
            return Resources(servers=frozenset({step.server_id})) | _of_guest_device(step.device)
        case FetchImage():
            return Resources(images=frozenset({step.image.sha512}))
        case RemoveImage():
            return Resources(images=frozenset({step.sha512}))
        case MakeTap():
            bridge = frozenset({step.tap.bridge})
            return Resources(taps=frozenset({step.tap.name}), used_bridges=bridge)
        case RemoveTap() | RemoveMacvtap():
            return Resources(taps=frozenset({step.name}))
        case MakeBridge():
            uplink = frozenset({step.bridge.uplink})
            return Resources(bridges=frozenset({step.bridge.name}), families=uplink)
        case RemoveBridge():
            return Resources(bridges=frozenset({step.name}))
        case _:
            return _of_device_step(step)


def _of_device_step(
    step: ConfigureVf
    | MakeMacvtap
    | ScrubVf
    | SetUpPf
    | SetNumVfs
    | ResetDevice
    | AssociateVsi
    | DisassociateVsi,
) -> Resources:
    match step:
        case AssociateVsi() | DisassociateVsi():
            return _of_vsi(step.vsi)
        case MakeMacvtap():
            return _of_macvtap(step.macvtap)
        case ConfigureVf() | ScrubVf():
            return Resources(vfs=frozenset({(step.pf, step.index)}), families=frozenset({step.pf}))
        case SetUpPf():
            return Resources(families=frozenset({step.pf}))
        case SetNumVfs():
            return Resources(remade=frozenset({step.pf}))
        case ResetDevice():
            return Resources(devices=frozenset({step.key}))
        case _:
            assert_never(step)


def _of_vsi(vsi: DesiredVsi) -> Resources:
    """Its VF too: that is not scrubbed, nor told to be clean, while the bridge is asked."""
    vfs = frozenset({(vsi.pf, vsi.vf_index)} if vsi.vf_index is not None else ())
    return Resources(vsis=frozenset({vsi.settings.instance_id}), vfs=vfs, families=frozenset({vsi.pf}))


def _of_macvtap(macvtap: DesiredMacvtap) -> Resources:
    vf = (macvtap.lower.pf, macvtap.lower.vf_index)
    return Resources(taps=frozenset({macvtap.name}), vfs=frozenset({vf}), families=frozenset({vf[0]}))


def _of_guest(guest: DesiredGuest) -> Resources:
    """Its devices and taps too: when it is started it takes them, in whatever chain they were configured."""
    own = Resources(servers=frozenset({guest.server_id}))
    return reduce(Resources.__or__, map(_of_guest_device, guest.devices), own)


def _of_guest_device(device: GuestDevice) -> Resources:
    if not isinstance(device, DesiredHostdev):
        return Resources(taps=frozenset({device.tap} if device.tap else ()))
    if device.kind is not DeviceKind.VF:
        return Resources(devices=frozenset({device.key}))
    if device.pf is None or device.vf_index is None:
        return NOTHING
    return Resources(vfs=frozenset({(device.pf, device.vf_index)}), families=frozenset({device.pf}))
