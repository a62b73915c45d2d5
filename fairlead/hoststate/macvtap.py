"""Macvtaps: what a guest has of a network device of the host that stays the host's. As wished, as seen, and compared.

Source: Linux drivers/net/macvlan.c, drivers/net/macvtap.c.
"""

from dataclasses import dataclass

from fairlead.model.count import Count
from fairlead.model.ids import PfKey, PortId, ServerId
from fairlead.model.multicast import Group
from fairlead.model.pci import MacAddress


@dataclass(frozen=True, slots=True)
class LowerDevice:
    """What a macvtap is on: the network device that a driver of the host made of a VF."""

    pf: PfKey
    vf_index: Count


@dataclass(frozen=True, slots=True)
class DesiredMacvtap:
    """A macvtap of a port. `mac` and `mtu` are its lower device's too. Of multicast it passes what is for `groups`, for
    which the lower device is asked; `all_groups`: it asks for all there are.
    """

    name: str
    lower: LowerDevice
    port_id: PortId
    server_id: ServerId
    mac: MacAddress
    mtu: Count
    groups: tuple[Group, ...] = ()
    all_groups: bool = False


@dataclass(frozen=True, slots=True)
class ObservedMacvtap:
    """A macvtap of ours. `lower` None: what it is on is no VF. `is_passthru`: it has that for itself, by its
    IFLA_MACVLAN_MODE, and asks it for no frames of others. `groups` are the port's, and those that the host joined.

    `mac` None: it has another than the VF's network device below it. `mtu` is the smaller of the two; `is_up`: both
    are. `port_id` is what it carries since we made it: one without may be another of the same name.
    """

    name: str
    lower: LowerDevice | None
    is_passthru: bool
    mac: MacAddress | None
    mtu: Count
    is_up: bool
    port_id: PortId | None = None
    groups: tuple[Group, ...] = ()
    all_groups: bool = False


_ITSELF = frozenset({"lower", "is_passthru", "port_id"})
_HEARD = frozenset({"groups", "all_groups"})


def differences(wanted: DesiredMacvtap, seen: ObservedMacvtap) -> tuple[str, ...]:
    """Names of the fields of `seen` that are not as its port says. Groups of an address that its port had before do
    no harm.
    """
    is_good = {
        "lower": wanted.lower == seen.lower,
        "is_passthru": seen.is_passthru,
        "port_id": wanted.port_id == seen.port_id,
        "mac": wanted.mac == seen.mac,
        "mtu": wanted.mtu == seen.mtu,
        "is_up": seen.is_up,
        "groups": set(wanted.groups) <= set(seen.groups),
        "all_groups": wanted.all_groups is seen.all_groups,
    }
    return tuple(name for name, good in is_good.items() if not good)


def is_the_one(wanted: DesiredMacvtap, seen: ObservedMacvtap | None) -> bool:
    """Whether it is the very device, which can be set right in place: who has it open keeps it."""
    return seen is not None and _ITSELF.isdisjoint(differences(wanted, seen))


def is_as_wanted(wanted: DesiredMacvtap, seen: ObservedMacvtap | None) -> bool:
    """Whether it is there and as its port says."""
    return seen is not None and not differences(wanted, seen)


def is_set(wanted: DesiredMacvtap, seen: ObservedMacvtap) -> bool:
    """Whether it is the very device, up, with its MAC and MTU; whatever it hears."""
    return _HEARD.issuperset(differences(wanted, seen))
