"""How large the frames are that a PF carries: whether its MTU may be changed now, and for whom it is too small.

A PF drops what is larger without a word, and so do its VFs, whose MTU cannot exceed its own. So it is not lowered under
anybody, whatever its networks need: a guest sends what its interface takes.
"""

from collections.abc import Iterator

from fairlead.hoststate.desired import DesiredFamily
from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.observed import ObservedPf
from fairlead.model.host import Hold
from fairlead.model.ids import PfKey

HOST_USES = "the host uses the PF itself, and would lose its link for a while"
_LOWERED = "who has a VF of it, or a vNIC on its bridge, would lose larger frames"


def settable_mtu(lookup: Lookup, family: DesiredFamily, pf: ObservedPf) -> int | None:
    """The MTU that its policy wants and the managed PF may have now; None: it keeps the one that it has."""
    return None if any(_held(lookup, family, pf)) else family.mtu


def mtu_holds(lookup: Lookup) -> Iterator[Hold]:
    """PFs that keep their MTU, whatever their policies want."""
    for family in lookup.desired.families:
        if pf := lookup.managed(family.pf):
            yield from _held(lookup, family, pf)


def _held(lookup: Lookup, family: DesiredFamily, pf: ObservedPf) -> Iterator[Hold]:
    if family.mtu is None or family.mtu == pf.mtu:
        return
    what = f"change from MTU {pf.mtu} to {family.mtu}"
    if pf.host_use:
        yield Hold(pf.pci_address, what, f"{HOST_USES}: it {pf.host_use}")
    elif pf.mtu is not None and family.mtu < pf.mtu:
        users = tuple(dict.fromkeys(_users(lookup, family, pf)))
        yield from [Hold(pf.pci_address, what, _LOWERED, users)] if users else ()


def _users(lookup: Lookup, family: DesiredFamily, pf: ObservedPf) -> Iterator[str]:
    """Who has anything of the PF, by control's word or by what is seen."""
    yield from family.holders
    for vf in pf.vfs:
        if user := lookup.users.get(vf.pci_address) or lookup.foreign.get(vf.pci_address):
            yield user
        elif vf.host_use:
            yield f"the host ({vf.pci_address} {vf.host_use})"
    bridges = {bridge.name for bridge in lookup.observed.bridges if pf.name in bridge.uplinks}
    bridges |= {bridge.name for bridge in lookup.desired.bridges if bridge.uplink == pf.key}
    for tap in lookup.desired.taps:
        yield from (tap.server_id,) if tap.bridge in bridges else ()
    taps = {tap.name for tap in lookup.observed.taps if tap.bridge in bridges}
    for guest in lookup.observed.guests:
        yield from (guest.server_id,) if guest.state.is_up and taps & {*guest.taps} else ()


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
    wishes = list(_wishes(lookup))
    found: dict[PfKey, tuple[int, tuple[str, ...]]] = {}
    for key in {key for key, _, _ in wishes}:
        most = max(octets for pf, octets, _ in wishes if pf == key)
        servers = {server for pf, octets, server in wishes if (pf, octets) == (key, most)}
        found[key] = most, tuple(sorted(servers))
    return found


def _wishes(lookup: Lookup) -> Iterator[tuple[PfKey, int, str]]:
    """The PF, MTU and server of each guest's NIC, whether it has a VF there or its bridge's uplink is there."""
    vfs = {vf.port_id: vf.pf for vf in lookup.desired.vfs}
    ways = {bridge.name: bridge.uplink for bridge in lookup.desired.bridges}
    taps = {tap.port_id: ways.get(tap.bridge) for tap in lookup.desired.taps}
    for guest in lookup.desired.guests:
        for nic in guest.nics:
            key = vfs.get(nic.port_id) or taps.get(nic.port_id)
            if key is not None:
                yield key, nic.mtu, guest.server_id
