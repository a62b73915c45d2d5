"""Networks whose frames are larger than what a PF carries: it drops them without a word, so the hold says it."""

from collections.abc import Iterator

from fairlead.hoststate.desired import DesiredGuest
from fairlead.hoststate.lookup import Lookup
from fairlead.model.host import Hold
from fairlead.model.ids import PfKey


def too_narrow(lookup: Lookup) -> Iterator[Hold]:
    """One hold for each PF that carries less than what its VFs' ports or its bridge were promised, unless its
    device policy is about to mend it. Guests run meanwhile: small frames pass.
    """
    for key, (octets, holders) in sorted(_promised(lookup).items()):
        pf, family = lookup.managed(key), lookup.families.get(key)
        if pf is None or family is None or pf.mtu is None:
            continue
        if max(pf.mtu, family.mtu or 0) < octets:
            what, why = f"carry frames of {octets} octets", f"its MTU is {pf.mtu}"
            yield Hold(pf.pci_address, what, f"{why}: set mtu {octets} in its device policy", holders)


def _promised(lookup: Lookup) -> dict[PfKey, tuple[int, tuple[str, ...]]]:
    """By PF, the largest network on it, and the servers that have ports on such large ones."""
    wishes = [wish for guest in lookup.desired.guests for wish in _wishes(lookup, guest)]
    found: dict[PfKey, tuple[int, tuple[str, ...]]] = {}
    for key in {key for key, _, _ in wishes}:
        most = max(octets for pf, octets, _ in wishes if pf == key)
        servers = {server for pf, octets, server in wishes if (pf, octets) == (key, most)}
        found[key] = most, tuple(sorted(servers))
    return found


def _wishes(lookup: Lookup, guest: DesiredGuest) -> Iterator[tuple[PfKey, int, str]]:
    """The PF, MTU and server of each NIC, whether it has a VF there or its bridge's uplink is there."""
    vfs = {vf.port_id: vf.pf for vf in lookup.desired.vfs}
    ways = {bridge.name: bridge.uplink for bridge in lookup.desired.bridges}
    taps = {tap.port_id: ways.get(tap.bridge) for tap in lookup.desired.taps}
    for nic in guest.nics:
        key = vfs.get(nic.port_id) or taps.get(nic.port_id)
        if key is not None:
            yield key, nic.mtu, guest.server_id
