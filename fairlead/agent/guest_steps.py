"""Steps on guests and their files: one function each."""

from dataclasses import replace
from typing import assert_never

from fairlead.agent.boundary import Disks, Started
from fairlead.agent.hands import Hands, pf_here
from fairlead.guestxml.guest import domain_xml
from fairlead.hoststate.desired import DesiredGuest, ImageRef
from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.report import HostEvent
from fairlead.hoststate.steps import (
    Chain,
    DefineGuest,
    FetchImage,
    PauseGuest,
    RemoveGuest,
    RemoveImage,
    ResumeGuest,
    StartGuest,
    StopGuest,
)
from fairlead.model.errors import Failure, Fault
from fairlead.model.vf import differences

GuestStep = (
    StopGuest | RemoveGuest | FetchImage | RemoveImage | DefineGuest | StartGuest | PauseGuest | ResumeGuest
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
        case ResumeGuest():
            hands.hypervisor.resume(step.server_id)
            return hands.event(
                "guest_resumed", step.server_id, "the guest was paused and goes on.", server_id
            )
        case _:
            assert_never(step)
    return None


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
            raise Fault(_missing(step.guest, hostdev.key))
    xml = domain_xml(
        step.guest,
        step.spec,
        files=hands.disks.make(step.guest),
        addresses=addresses,
        nodes=lookup.observed.capacity.numa,
        machine=hands.machine,
    )
    hands.hypervisor.define(xml)


def _missing(guest: DesiredGuest, key: str) -> Failure:
    return Failure(
        "device_missing",
        "Giving its device to",
        f"guest {guest.server_id}",
        f"device {key} is not on this host",
        "Was the card taken out? `fairlead device list` shows what the host has.",
    )


def _start(step: StartGuest, hands: Hands, lookup: Lookup) -> None:
    """Entered as done after the start: were it before, a crash between would read as a guest that went down itself."""
    wanted = lookup.wanted[step.server_id]
    _check_vfs(wanted, hands, lookup)
    started = Started(wanted.boot_serial, lookup.observed.boot_id)
    hands.ledger.mark_started(step.server_id, replace(started, is_done=False))
    hands.hypervisor.start(step.server_id, is_paused=step.is_paused)
    hands.ledger.mark_started(step.server_id, started)


def _check_vfs(wanted: DesiredGuest, hands: Hands, lookup: Lookup) -> None:
    """Read each VF of the guest once more: since it was configured an image may have come for minutes, or a
    stop may have reset it. A guest never starts on a device that is not as its port says.
    """
    for vf in lookup.owners.values():
        if vf.server_id != wanted.server_id:
            continue
        seen = hands.kernel.read_vf(pf_here(lookup, vf.pf), vf.index)
        if left := differences(vf.settings, seen):
            raise Fault(
                Failure(
                    "not_as_wanted",
                    "Starting",
                    f"guest {wanted.server_id}",
                    f"VF {vf.index} of {vf.pf} has lost {', '.join(left)} since it was configured",
                    "It is configured again and the guest started then; does something else change this NIC?",
                )
            )
