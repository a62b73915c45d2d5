"""NICs that guests are to let go of while they run: asked for one by one, and nothing of theirs is touched before."""

from collections.abc import Iterator

from fairlead.hoststate.desired import DesiredGuest, DesiredHostdev, GuestDevice
from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.observed import GuestState, ObservedGuest
from fairlead.hoststate.steps import Chain, DetachNic
from fairlead.model.host import Hold
from fairlead.model.ids import ServerId

PAUSED = "its guest is paused, and lets go of nothing before it goes on"
"""Why nothing is asked of it."""


def attach_key(device: GuestDevice) -> str:
    """Key of the chain that gives a running guest the device."""
    return f"attach/{_name(device)}"


def detach_key(device: GuestDevice) -> str:
    """Key of the chain that asks a running guest for the device."""
    return f"detach/{_name(device)}"


def detachments(lookup: Lookup, goes_down: frozenset[ServerId]) -> dict[str, Chain | Hold]:
    """What guests that keep running have and shall let go of, by the PCI address or the tap's name: how it is asked
    for, or why it is not. One that goes down gives back all that it has.
    """
    return {
        name: _detachment(guest, seen, device)
        for guest in lookup.desired.guests
        if (seen := lookup.guests.get(guest.server_id)) is not None and guest.server_id not in goes_down
        for device, name in _leaving(lookup, guest, seen)
    }


def _leaving(lookup: Lookup, guest: DesiredGuest, seen: ObservedGuest) -> Iterator[tuple[GuestDevice, str]]:
    for device in guest.leaving:
        name = lookup.name_in(seen, device)
        if name is not None:
            yield device, name


def _detachment(guest: DesiredGuest, seen: ObservedGuest, device: GuestDevice) -> Chain | Hold:
    if seen.state is GuestState.PAUSED:
        what = f"take {_name(device)} from server {guest.server_id}"
        return Hold(_name(device), what, PAUSED, (guest.server_id,))
    step = DetachNic(guest.server_id, device)
    return Chain(detach_key(device), (step,), guest.server_id, nic=device)


def _name(device: GuestDevice) -> str:
    return device.key if isinstance(device, DesiredHostdev) else str(device.tap)
