"""Which segment a new network gets where its maker leaves that open."""

from dataclasses import dataclass

from fairlead.control.boundary import Tx
from fairlead.model.error_codes import Code
from fairlead.model.errors import Conflict, InvalidValue, Refusal
from fairlead.model.network import SegmentKind

FIRST_VLAN, LAST_VLAN = 1, 4094


@dataclass(frozen=True, slots=True)
class Segment:
    """Where a network lives. `vlan` is set exactly when kind is VLAN."""

    kind: SegmentKind
    physical_network: str
    vlan: int | None


class NoSegment(Refusal):
    """Nothing was said of the segment, and there is no one obvious choice."""

    code: Code = "invalid_value"


def choose(tx: Tx, kind: SegmentKind | None, physical_network: str | None, vlan: int | None) -> Segment:
    """The segment asked for, completed: the only physical network that device policies name, a VLAN network
    rather than a flat one, the lowest VLAN that is free. Raises InvalidValue, NoSegment or Conflict
    `vlan_in_use`.
    """
    if kind is SegmentKind.FLAT and vlan is not None:
        raise InvalidValue("provider:segmentation_id", vlan, "possible on a flat network, which has no VLAN")
    if vlan is not None and not FIRST_VLAN <= vlan <= LAST_VLAN:
        raise InvalidValue("provider:segmentation_id", vlan, f"a VLAN of {FIRST_VLAN} to {LAST_VLAN}")
    where = physical_network or _only_physical_network(tx)
    if kind is SegmentKind.FLAT:
        return _flat(tx, where)
    return Segment(
        SegmentKind.VLAN, where, _lowest_free(tx, where) if vlan is None else _free(tx, where, vlan)
    )


def _only_physical_network(tx: Tx) -> str:
    known = sorted({p.physical_network for p in tx.policies.find() if p.physical_network})
    if len(known) == 1:
        return known[0]
    named = f"device policies name several: {', '.join(known)}" if known else "no device policy names one yet"
    raise NoSegment(
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


def _lowest_free(tx: Tx, where: str) -> int:
    free = _first_gap(tx, where)
    while True:
        for below in tx.networks.find(physical_network=where, vlan=free - 1):
            # Whoever chooses holds the network below the gap, so that two never choose the same VLAN at once.
            tx.networks.hold(below.id)
        still = _first_gap(tx, where)
        if still == free:
            break
        free = still
    if free > LAST_VLAN:
        raise Conflict("vlan_in_use", f"Every VLAN of physical network {where} is in use.")
    return free


def _first_gap(tx: Tx, where: str) -> int:
    """The lowest VLAN that no network has, or the one past the last. Networks are counted, in halves: reading thousands
    of them for each of a thousand that are made together would hold everybody up for a minute.
    """
    low = FIRST_VLAN
    high = min(LAST_VLAN + 1, low + tx.networks.count(physical_network=where))
    while low < high:
        span = tuple(range(low, (low + high) // 2 + 1))
        if tx.networks.count(physical_network=where, vlan=span) == len(span):
            low = span[-1] + 1
        else:
            high = span[-1]
    return low
