"""Steps on guests and their files: one function each."""

from dataclasses import replace
from typing import assert_never

from fairlead.agent.boundary import Disks
from fairlead.agent.guest_devices import attach_device, check_macvtaps, check_vf, detach_device, missing
from fairlead.agent.hands import Hands
from fairlead.agent.ledger import Started
from fairlead.agent.vsi_steps import check_vsis
from fairlead.guestxml.guest import domain_xml
from fairlead.hoststate.config_drive import placed_files
from fairlead.hoststate.desired import DesiredHostdev, ImageRef
from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.report import HostEvent
from fairlead.hoststate.steps import (
    AttachNic,
    Chain,
    DefineGuest,
    DetachNic,
    FetchImage,
    PauseGuest,
    RemoveGuest,
    RemoveImage,
    ResumeGuest,
    SaveGuest,
    StartGuest,
    StopGuest,
)
from fairlead.model.errors import Fault

GuestStep = (
    StopGuest
    | RemoveGuest
    | FetchImage
    | RemoveImage
    | DefineGuest
    | StartGuest
    | PauseGuest
    | SaveGuest
    | ResumeGuest
    | AttachNic
    | DetachNic
)


def act(step: GuestStep, hands: Hands, lookup: Lookup) -> HostEvent | None:
    """Do it; the event that people want to know of, if any. Raises Fault when the host says no."""
    server_id = None if isinstance(step, FetchImage | RemoveImage | DefineGuest) else step.server_id
    match step:
        case StopGuest():
            hands.hypervisor.stop(step.server_id, is_graceful=step.is_graceful)
            why = f": {step.why}" if step.why else ""
            return hands.event("guest_stopped", step.server_id, f"the guest is down{why}.", server_id)
        case RemoveGuest():
            _remove(step, hands)
            return hands.event(
                "guest_removed", step.server_id, "the guest and its files are gone.", server_id
            )
        case FetchImage():
            _fetch(step.image, hands)
        case RemoveImage():
            hands.disks.remove_image(step.name)
        case DefineGuest():
            _define(step, hands, lookup)
        case StartGuest():
            _start(step, hands, lookup)
            how = "up, and paused" if step.is_paused else "up"
            return hands.event("guest_started", step.server_id, f"the guest is {how}.", server_id)
        case PauseGuest():
            hands.hypervisor.pause(step.server_id)
            return hands.event("guest_paused", step.server_id, "the guest is paused.", server_id)
        case SaveGuest():
            hands.hypervisor.save(step.server_id)
            return hands.event(
                "guest_saved", step.server_id, "the guest is down, its memory saved.", server_id
            )
        case ResumeGuest():
            hands.hypervisor.resume(step.server_id)
            return hands.event(
                "guest_resumed", step.server_id, "the guest was paused and goes on.", server_id
            )
        case AttachNic():
            attach_device(step, hands, lookup)
            return _told(step, hands, "nic_attached", "the running guest has")
        case DetachNic():
            detach_device(step, hands, lookup)
            return _told(step, hands, "nic_detached", "the running guest has let go of")
        case _:
            assert_never(step)
    return None


def _told(step: AttachNic | DetachNic, hands: Hands, kind: str, deed: str) -> HostEvent:
    device = step.device
    name = device.key if isinstance(device, DesiredHostdev) else f"tap {device.tap}"
    return hands.event(kind, device.port_id or name, f"{deed} {name}.", step.server_id)


def is_fetched(chain: Chain, disks: Disks) -> bool:
    """Whether it only fetches images, and they are in the cache."""
    return all(isinstance(step, FetchImage) and disks.has_image(step.image) for step in chain.steps)


def _remove(step: RemoveGuest, hands: Hands) -> None:
    """The domain last: as long as it is there, a crash between these is seen and the rest done again. Another hand
    may have started it since it was seen down.
    """
    hands.hypervisor.stop(step.server_id, is_graceful=False)
    hands.ledger.mark_started(step.server_id, None)
    hands.disks.remove(step.server_id)
    hands.hypervisor.remove(step.server_id)


def _fetch(image: ImageRef, hands: Hands) -> None:
    with hands.control.image(image.id) as chunks:
        hands.disks.store_image(image, chunks)


def _define(step: DefineGuest, hands: Hands, lookup: Lookup) -> None:
    addresses = lookup.addresses(step.guest)
    for hostdev in step.guest.hostdevs:
        if hostdev.device_id not in addresses:
            raise Fault(missing(step.guest.server_id, hostdev.key))
    xml = domain_xml(
        step.guest,
        step.spec,
        files=hands.disks.make(step.guest),
        addresses=addresses,
        nodes=lookup.observed.capacity.numa,
        machine=hands.machine,
    )
    told = placed_files(step.guest, hands.hypervisor.define(xml))
    if told != step.guest.config_files:
        hands.disks.make(replace(step.guest, config_files=told))


def _start(step: StartGuest, hands: Hands, lookup: Lookup) -> None:
    """Entered as done after the start: were it before, a crash between would read as a guest that went down itself."""
    wanted = lookup.wanted[step.server_id]
    own = lookup.vfs_of(wanted.server_id)
    for vf in own:
        check_vf(vf, hands, lookup, "Starting")
    check_macvtaps(lookup.macvtaps_of(wanted.server_id), hands, "Starting")
    check_vsis(lookup.vsis_of(wanted.server_id), hands, lookup, "Starting")
    hands.ledger.mark_opened(frozenset((vf.pf, vf.index) for vf in own))
    started = Started(wanted.boot_serial, lookup.observed.boot_id)
    hands.ledger.mark_started(step.server_id, replace(started, is_done=False))
    hands.hypervisor.start(step.server_id, is_paused=step.is_paused)
    hands.ledger.mark_started(step.server_id, started)
