"""Which segment a new network gets where its maker leaves that open."""

from dataclasses import dataclass, replace

from fairlead.control.boundary import Tx
from fairlead.model.error_codes import Code
from fairlead.model.errors import Conflict, InvalidValue, Refusal
from fairlead.model.network import SegmentKind
from fairlead.model.pci import LinkLayer

FIRST_VLAN, LAST_VLAN = 1, 4094
_FIRST_CHOSEN = 2
"""Nobody gets VLAN 1 who does not ask for it: many switches put there what comes without a tag."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Where a network lives. `vlan` is set exactly when kind is VLAN; on InfiniBand it is a partition's key."""

    kind: SegmentKind
    physical_network: str
    vlan: int | None
    link_layer: LinkLayer = LinkLayer.ETHERNET


class NoSegment(Refusal):
    """Nothing was said of the segment, and there is no one obvious choice."""

    code: Code = "invalid_value"


def choose(tx: Tx, kind: SegmentKind | None, physical_network: str | None, vlan: int | None) -> Segment:
    """The segment asked for, completed: a VLAN network rather than a flat one, on the lowest VLAN from 2 that is free.
    Where nothing of a segment was asked for, the first physical network, by name, that has one free will do, as in
    Neutron; a VLAN or a flat network means one certain physical network: the only one that device policies name.
    Raises InvalidValue, NoSegment or Conflict `vlan_in_use`.
    """
    if kind is SegmentKind.FLAT and vlan is not None:
        raise InvalidValue("provider:segmentation_id", vlan, "possible on a flat network, which has no VLAN")
    if vlan is not None and not FIRST_VLAN <= vlan <= LAST_VLAN:
        raise InvalidValue("provider:segmentation_id", vlan, f"a VLAN of {FIRST_VLAN} to {LAST_VLAN}")
    if physical_network is None and vlan is None and kind is not SegmentKind.FLAT:
        return _anywhere(tx)
    where = physical_network or _only_physical_network(tx)
    link_layer = _link_layer(tx, where)
    if kind is SegmentKind.FLAT:
        return replace(_flat(tx, where), link_layer=link_layer)
    found = _lowest_free(tx, where) if vlan is None else _free(tx, where, vlan)
    if found is None:
        raise _full([where])
    return Segment(SegmentKind.VLAN, where, found, link_layer)


def _anywhere(tx: Tx) -> Segment:
    known = _known(tx)
    if not known:
        raise _unnamed(known)
    for where in known:
        if (vlan := _lowest_free(tx, where)) is not None:
            return Segment(SegmentKind.VLAN, where, vlan, _link_layer(tx, where))
    raise _full(known)


def _link_layer(tx: Tx, where: str) -> LinkLayer:
    """As the device policies there say, which are of one mind; Ethernet while there is none."""
    policies = tx.policies.find(physical_network=where)
    return policies[0].link_layer if policies else LinkLayer.ETHERNET


def _only_physical_network(tx: Tx) -> str:
    known = _known(tx)
    if len(known) != 1:
        raise _unnamed(known)
    return known[0]


def _known(tx: Tx) -> list[str]:
    """By name, those of Ethernet first: a network without a wish is one of those while there are any."""
    found = {policy.physical_network: policy for policy in tx.policies.find() if policy.physical_network}
    return sorted(found, key=lambda name: (found[name].link_layer is LinkLayer.INFINIBAND, name))


def _unnamed(known: list[str]) -> NoSegment:
    named = f"device policies name several: {', '.join(known)}" if known else "no device policy names one yet"
    return NoSegment(
        f"Invalid input for provider:physical_network. Reason: it must be given, since {named}. "
        "An operator may give it, and share the network with the projects that are to use it.",
        field="provider:physical_network",
    )


def _flat(tx: Tx, where: str) -> Segment:
    if held := tx.networks.find(physical_network=where, kind=SegmentKind.FLAT):
        name = held[0].name or held[0].id
        raise Conflict("flat_in_use", f"Network {name} is already flat on physical network {where}.")
    return Segment(SegmentKind.FLAT, where, None)


def _free(tx: Tx, where: str, vlan: int) -> int:
    if held := tx.networks.find(physical_network=where, vlan=vlan):
        raise Conflict(
            "vlan_in_use",
            f"Unable to create the network. The VLAN {vlan} on physical network {where} is in use by network "
            f"{held[0].name or held[0].id}.",
        )
    return vlan


def _full(known: list[str]) -> Conflict:
    which = f"physical network{'s' if len(known) > 1 else ''} {', '.join(known)}"
    return Conflict("vlan_in_use", f"Every VLAN of {which} from {_FIRST_CHOSEN} is in use.")


def _lowest_free(tx: Tx, where: str) -> int | None:
    free = _first_gap(tx, where)
    while True:
        for below in tx.networks.find(physical_network=where, vlan=free - 1):
            # Whoever chooses holds the network below the gap, so that two never choose the same VLAN at once.
            tx.networks.hold(below.id)
        still = _first_gap(tx, where)
        if still == free:
            break
        free = still
    return free if free <= LAST_VLAN else None


def _first_gap(tx: Tx, where: str) -> int:
    """The lowest VLAN that no network has, or the one past the last. Networks are counted, in halves: reading thousands
    of them for each of a thousand that are made together would hold everybody up for a minute.
    """
    low = _FIRST_CHOSEN
    high = min(LAST_VLAN + 1, low + tx.networks.count(physical_network=where))
    while low < high:
        span = tuple(range(low, (low + high) // 2 + 1))
        if tx.networks.count(physical_network=where, vlan=span) == len(span):
            low = span[-1] + 1
        else:
            high = span[-1]
    return low
