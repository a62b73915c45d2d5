"""What brings macvtaps to what they should be: made on a VF that was read back, repaired in place, or given anew.

A VF's driver of the host reads its MAC as it takes the VF, so it is given one that was seen as its port says.

QEMU opens a macvtap once. One that was deleted, with its VF or by somebody, is dead to the guest that has it open,
whatever is made of the same name later: the guest is asked to let go of it, and gets the new one.
"""

from collections.abc import Iterator, Mapping

from fairlead.hoststate.attachments import PAUSED, detach_key
from fairlead.hoststate.desired import DesiredNic, GuestDevice
from fairlead.hoststate.keys import down_key, family_key
from fairlead.hoststate.likeness import is_configured, is_macvtapped
from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.macvtap import DesiredMacvtap, is_the_one
from fairlead.hoststate.observed import GuestState, ObservedGuest
from fairlead.hoststate.obstacles import Ahead
from fairlead.hoststate.steps import Chain, DetachNic, MakeMacvtap
from fairlead.model.host import Hold
from fairlead.model.ids import ServerId


def unset_macvtaps(lookup: Lookup, server_id: ServerId) -> tuple[DesiredMacvtap, ...]:
    """Macvtaps of the server that are not as wanted."""
    return tuple(each for each in lookup.macvtaps_of(server_id) if not is_macvtapped(lookup, each))


def dead_macvtaps(lookup: Lookup, server_id: ServerId, goes_down: frozenset[ServerId]) -> frozenset[str]:
    """Names of those that its guest, which keeps running, has open and that are there no more."""
    guest = lookup.guests.get(server_id)
    if guest is None or not guest.state.is_up or server_id in goes_down:
        return frozenset()
    return frozenset(
        each.name
        for each in lookup.macvtaps_of(server_id)
        if each.name in guest.taps and not is_the_one(each, lookup.macvtaps.get(each.name))
    )


def dead_holds(lookup: Lookup, goes_down: frozenset[ServerId]) -> Iterator[Hold]:
    """A paused guest lets go of nothing: it is asked when it goes on."""
    for guest in lookup.desired.guests:
        seen = lookup.guests.get(guest.server_id)
        if seen is not None and seen.state is GuestState.PAUSED:
            for name in sorted(dead_macvtaps(lookup, guest.server_id, goes_down)):
                what = f"give server {guest.server_id} its macvtap anew, which was deleted under it"
                yield Hold(name, what, PAUSED, (guest.server_id,))


def macvtap_chains(
    lookup: Lookup, server_id: ServerId, ahead: Ahead, nics: Mapping[str | None, GuestDevice]
) -> Iterator[Chain]:
    """One chain for each that is not as wanted and that can be made now. `nics`: by name, what its guest,
    which keeps running, has or is to have.
    """
    dead, guest = dead_macvtaps(lookup, server_id, ahead.goes_down), lookup.guests.get(server_id)
    for macvtap in unset_macvtaps(lookup, server_id):
        if macvtap.name not in dead:
            if _is_lower_ready(lookup, macvtap, ahead):
                yield _setting(lookup, macvtap, nics.get(macvtap.name), ahead)
        elif guest is not None and guest.state is GuestState.RUNNING:
            yield from _renewal(lookup, macvtap, guest)


def _renewal(lookup: Lookup, macvtap: DesiredMacvtap, guest: ObservedGuest) -> Iterator[Chain]:
    wanted = lookup.wanted.get(guest.server_id)
    for nic in wanted.nics if wanted else ():
        if nic.tap == macvtap.name:
            yield Chain(detach_key(nic), (DetachNic(guest.server_id, nic),), guest.server_id, nic=nic)


def _is_lower_ready(lookup: Lookup, macvtap: DesiredMacvtap, ahead: Ahead) -> bool:
    lower = macvtap.lower
    if lower.pf in ahead.remade or lower.pf not in lookup.pfs:
        return False
    owner = lookup.owners.get((lower.pf, lower.vf_index))
    return owner is not None and is_configured(lookup, owner)


def _setting(lookup: Lookup, macvtap: DesiredMacvtap, nic: GuestDevice | None, ahead: Ahead) -> Chain:
    """Whoever had what it is on is down by then."""
    guest = lookup.guests.get(macvtap.server_id)
    is_up = guest is not None and guest.state.is_up and macvtap.server_id not in ahead.goes_down
    is_open = is_up and guest is not None and macvtap.name in guest.taps
    lower = macvtap.lower
    needs = [key for key in (family_key(lower.pf),) if key in ahead.family_keys]
    seen = lookup.vfs.get((lower.pf, lower.vf_index))
    users = {lookup.users.get(seen.pci_address) if seen else None, lookup.tap_users.get(macvtap.name)}
    needs += sorted(down_key(user) for user in users if user is not None and user in ahead.goes_down)
    own = nic if isinstance(nic, DesiredNic) else None
    steps = (MakeMacvtap(macvtap, is_repair=is_open),)
    return Chain(f"set/{macvtap.name}", steps, macvtap.server_id, tuple(needs), own)
