"""Guests of ours that the document does not name: what they have is kept as it is, and told of.

A document may be made from a fresh or restored database, which has lost them. What they have of PCI devices is
in `Lookup.foreign`.
"""

from collections.abc import Iterable, Iterator

from fairlead.hoststate.desired import DesiredTap
from fairlead.hoststate.lookup import Lookup, unnamed_guest
from fairlead.model.host import Hold
from fairlead.model.ids import PfKey, ServerId


def unnamed_holds(lookup: Lookup) -> Iterator[Hold]:
    """One for each, with what its operator may do."""
    for server_id in lookup.unnamed:
        command = f"`fairlead host remove-guest {lookup.desired.host_id} {server_id}`"
        why = "control has no such server on this host, so all of it stays as it is"
        what = f"keep or remove guest {server_id}"
        reason = f"{why}; {command} removes it with its disk, for good"
        yield Hold(server_id, what, reason, is_unnamed_guest=True)


def kept_taps(lookup: Lookup) -> dict[str, ServerId]:
    """Taps that are theirs, by name."""
    return {tap: guest.server_id for guest in lookup.unnamed.values() for tap in guest.taps}


def kept_bridges(lookup: Lookup) -> dict[str, ServerId]:
    """Bridges that those taps are on, by name; one guest of each."""
    taps = kept_taps(lookup)
    return {tap.bridge: taps[tap.name] for tap in lookup.observed.taps if tap.name in taps and tap.bridge}


def withheld(
    lookup: Lookup, server_id: ServerId, taps: Iterable[DesiredTap], whole: Iterable[PfKey]
) -> Iterator[Hold]:
    """What the server is not given: a tap that is theirs, a whole PF by which they reach the network."""
    kept, uplinks = kept_taps(lookup), _kept_uplinks(lookup)
    for tap in taps:
        if tap.name in kept:
            why = f"{unnamed_guest(kept[tap.name])} has it"
            yield Hold(tap.name, f"give the tap to server {server_id}", why, server_id=server_id)
    for key in whole:
        if key in uplinks:
            why = f"{unnamed_guest(uplinks[key])} reaches the network by it"
            what = f"give the device to server {server_id}"
            yield Hold(lookup.pfs[key].pci_address, what, why, server_id=server_id)


def _kept_uplinks(lookup: Lookup) -> dict[PfKey, ServerId]:
    bridges = kept_bridges(lookup)
    keys = {pf.name: pf.key for pf in lookup.observed.pfs if pf.name is not None}
    return {
        keys[name]: bridges[bridge.name]
        for bridge in lookup.observed.bridges
        if bridge.name in bridges
        for name in bridge.uplinks
        if name in keys
    }
