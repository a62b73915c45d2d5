"""Guests that must stop, and guests and copies of disks that must go: before anything else is done."""

from collections.abc import Iterator

from fairlead.hoststate.desired import DesiredGuest
from fairlead.hoststate.keys import down_key, image_key
from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.observed import GuestState, ObservedGuest
from fairlead.hoststate.steps import Chain, DropDisk, RemoveGuest, Step, StopGuest
from fairlead.model.server import Power

_BY_ANOTHER_HAND = "another hand had started it, on VFs that were not as its ports say"


def down_chains(lookup: Lookup) -> tuple[Chain, ...]:
    """Guests that must stop, and guests that must go. One that is to be booted anew runs until its images are here."""
    chains = []
    for guest in lookup.observed.guests:
        wanted = lookup.wanted.get(guest.server_id)
        steps = _removal(lookup, guest) if wanted is None else _stop(guest, wanted)
        if steps:
            images = wanted.images if wanted and wanted.power.is_up and guest.boot_serial else ()
            needs = tuple(map(image_key, images))
            chains.append(Chain(down_key(guest.server_id), steps, guest.server_id, needs))
    return tuple(chains)


def disk_drops(lookup: Lookup) -> Iterator[Chain]:
    """Copies of disks that nobody may want back any more."""
    for guest in lookup.observed.guests:
        wanted = lookup.wanted.get(guest.server_id)
        if wanted is None:
            continue
        for name in sorted({*guest.kept_disks} - {wanted.keeps_disk, wanted.restores_disk}):
            yield Chain(f"copy/{name}", (DropDisk(guest.server_id, name),), guest.server_id)


def _removal(lookup: Lookup, guest: ObservedGuest) -> tuple[Step, ...]:
    if guest.server_id in lookup.unnamed:
        return ()
    remove = RemoveGuest(guest.server_id)
    return (StopGuest(guest.server_id, is_graceful=False), remove) if guest.state.is_up else (remove,)


def _stop(guest: ObservedGuest, wanted: DesiredGuest) -> tuple[Step, ...]:
    is_wanted_boot = guest.boot_serial == wanted.boot_serial
    if guest.state is GuestState.SAVED and not (wanted.power is not Power.STOPPED and is_wanted_boot):
        return (
            StopGuest(guest.server_id, is_graceful=False, why="what was saved of it is not wanted any more"),
        )
    if not guest.state.is_up:
        return ()
    if not guest.boot_serial:
        # Not politely: it is on devices that are not yet as its ports say.
        return (StopGuest(guest.server_id, is_graceful=False, why=_BY_ANOTHER_HAND),)
    # A paused guest cannot hear that it is asked to go down.
    hears = guest.state is GuestState.RUNNING
    if wanted.power is Power.STOPPED:
        return (StopGuest(guest.server_id, is_graceful=hears),)
    if not is_wanted_boot:
        return (StopGuest(guest.server_id, is_graceful=hears and not wanted.hard_reboot),)
    return ()
