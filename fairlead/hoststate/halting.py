"""Guests that are up and shall halt, in memory or on disk, or go on."""

from collections.abc import Iterator

from fairlead.hoststate.desired import DesiredGuest
from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.observed import GuestState, ObservedGuest
from fairlead.hoststate.steps import Chain, DetachNic, PauseGuest, ResumeGuest, SaveGuest, Step
from fairlead.model.server import Power


def halts(
    lookup: Lookup, wanted: DesiredGuest | None, seen: ObservedGuest | None, *, is_sound: bool
) -> Iterator[Chain]:
    """Pause it, save it, or let it go on: that only while all that it has is as wanted (`is_sound`)."""
    if wanted is None or seen is None:
        return
    match wanted.power, seen.state:
        case Power.PAUSED, GuestState.RUNNING:
            yield Chain(f"guest/{seen.server_id}", (PauseGuest(seen.server_id),), seen.server_id)
        case Power.SUSPENDED, GuestState.RUNNING:
            given_up = tuple(_given_up(lookup, wanted, seen))
            steps: tuple[Step, ...] = (*given_up, SaveGuest(seen.server_id))
            nic = given_up[0].device if given_up else None
            yield Chain(f"guest/{seen.server_id}", steps, seen.server_id, nic=nic)
        case ((Power.RUNNING | Power.SUSPENDED), GuestState.PAUSED) if is_sound:
            yield Chain(f"guest/{seen.server_id}", (ResumeGuest(seen.server_id),), seen.server_id)


def _given_up(lookup: Lookup, wanted: DesiredGuest, seen: ObservedGuest) -> Iterator[DetachNic]:
    """What is passed through to it: QEMU saves no guest that has a device of the host."""
    for device in wanted.hostdevs:
        if lookup.name_in(seen, device) is not None:
            yield DetachNic(seen.server_id, device)
