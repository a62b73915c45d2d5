"""Whether what was read back from the host is as wanted: one comparison for each kind of thing."""

from collections.abc import Iterator, Mapping
from dataclasses import fields

from fairlead.hoststate.desired import (
    TAP_PREFIX,
    DesiredBridge,
    DesiredGuest,
    DesiredHostdev,
    DesiredState,
    DesiredTap,
    DesiredVf,
    DesiredVsi,
    GuestDevice,
)
from fairlead.hoststate.lookup import Lookup, VfName
from fairlead.hoststate.macvtap import DesiredMacvtap, is_as_wanted
from fairlead.hoststate.macvtap import differences as macvtap_differences
from fairlead.hoststate.observed import ObservedPf, ObservedTap, ObservedVsi
from fairlead.hoststate.resources import Resources
from fairlead.model.ids import PfKey, PortId
from fairlead.model.pci import DeviceKind
from fairlead.model.vf import VfSettings, differences
from fairlead.model.vsi import VsiSettings, VsiState

GUEST = "guest"
"""The name of what is not as wanted where a guest runs without what it is to have, or nobody knows of it."""
_OF_VSI = tuple(field.name for field in fields(VsiSettings))

_TAP_FIELDS = (
    "bridge", "port_id", "mac", "vlan", "mtu", "max_rate_kbps", "spoof_check", "sources", "is_up",
)  # fmt: skip


def is_configured(lookup: Lookup, wanted: DesiredVf) -> bool:
    """Whether the VF is there, as its owner needs it, and in the ledger as owned."""
    return not any(_of_vf(lookup, wanted))


def has_traces(lookup: Lookup, wanted: DesiredVf) -> bool:
    """Whether a guest had the VF that does not own it: it is scrubbed before its owner has it."""
    seen = lookup.vfs.get((wanted.pf, wanted.index))
    return seen is not None and seen.is_borrowed and lookup.users.get(seen.pci_address) != wanted.server_id


def verified_vfs(lookup: Lookup, before: Mapping[VfName, VfSettings]) -> dict[VfName, VfSettings]:
    """The last wish that each owned VF was seen to be as: this one, or that of `before`. A VF that nobody owns, or that
    was never seen so, has none.
    """
    as_wanted = {(vf.pf, vf.index): vf.settings for vf in lookup.desired.vfs if is_configured(lookup, vf)}
    return {name: settings for name, settings in before.items() if name in lookup.owners} | as_wanted


def is_tapped(lookup: Lookup, wanted: DesiredTap) -> bool:
    """Whether the tap is there and as wanted."""
    seen = lookup.taps.get(wanted.name)
    return seen is not None and is_tap_like(wanted, seen)


def is_tap_like(wanted: DesiredTap, seen: ObservedTap) -> bool:
    """Whether a tap is as wanted."""
    return not tap_differences(wanted, seen)


def tap_differences(wanted: DesiredTap, seen: ObservedTap) -> dict[str, object]:
    """What is otherwise than wanted, by field, and how it is."""
    there = ((field, getattr(seen, field)) for field in _TAP_FIELDS)
    return {field: value for field, value in there if value != getattr(wanted, field)}


def is_associated(lookup: Lookup, wanted: DesiredVsi) -> bool:
    """Whether the bridge has the VSI, asked for with all that is wanted now."""
    seen = lookup.vsis.get(wanted.settings.instance_id)
    return seen is not None and not any(_of_vsi(wanted, seen))


def is_macvtapped(lookup: Lookup, wanted: DesiredMacvtap) -> bool:
    """Whether the macvtap is there and as wanted, on a VF that its driver of the host has."""
    return is_as_wanted(wanted, lookup.macvtaps.get(wanted.name))


def is_bridged(lookup: Lookup, wanted: DesiredBridge) -> bool:
    """Whether the bridge is there, up, filters VLANs and has its uplink and no other, which lets in no MAC in vain."""
    seen, uplink = lookup.bridges.get(wanted.name), lookup.pfs.get(wanted.uplink)
    if seen is None or uplink is None or seen.unused_macs:
        return False
    uplinks = [name for name in seen.uplinks if not name.startswith(TAP_PREFIX)]
    return seen.is_up and seen.filters_vlans and uplinks == [uplink.name] and wanted.mtu in {None, seen.mtu}


def uplink_use(lookup: Lookup, wanted: DesiredBridge) -> ObservedPf | None:
    """The bridge's uplink, where the host uses that itself and it is not on the bridge yet: it would lose what it
    has. None: the bridge may be made.
    """
    seen, uplink = lookup.bridges.get(wanted.name), lookup.pfs.get(wanted.uplink)
    if uplink is None or not uplink.host_use or (seen is not None and uplink.name in seen.uplinks):
        return None
    return uplink


def is_set_up(seen: ObservedPf, mtu: int | None) -> bool:
    """Whether the PF is up and has that MTU; None: whichever it has."""
    return seen.is_up and mtu in {None, seen.mtu}


def port_differences(lookup: Lookup) -> dict[PortId, tuple[str, ...]]:
    """By port that has a VF, tap or whole device by the document, the names of all that is not as it needs, as
    "tap.mtu"; a part alone ("tap"): it is not there. Empty: the port is wired. In the document's order.

    A whole device cannot be read back while a guest has it. It is as wanted when the domain names it, as it runs or is
    to run, and no VF of it is left.
    """
    found: dict[PortId, list[str]] = {}
    for port_id, name in _of_ports(lookup):
        found.setdefault(port_id, []).extend((name,) if name else ())
    for port_id, name in _beside(lookup):
        found.get(port_id, []).append(name)
    return {port_id: tuple(dict.fromkeys(names)) for port_id, names in found.items()}


def wired_ports(lookup: Lookup, in_flight: Resources) -> tuple[PortId, ...]:
    """Ports whose VF, tap, or macvtap with its VF, and VSI, was seen as wanted, or whose whole device was seen given,
    and that no chain in flight may still change, in the order of the document. Not those of a guest that runs without:
    it is to be given them.
    """
    changing = frozenset(_changing(lookup.desired, in_flight))
    found = port_differences(lookup)
    return tuple(port_id for port_id, names in found.items() if not names and port_id not in changing)


def missing_devices(lookup: Lookup, wanted: DesiredGuest) -> tuple[GuestDevice, ...]:
    """What a guest is to have, and runs without; nothing of one that is down. In guest order."""
    seen = lookup.guests.get(wanted.server_id)
    if seen is None or not seen.state.is_up:
        return ()
    return tuple(device for device in wanted.devices if lookup.name_in(seen, device) is None)


def _of_ports(lookup: Lookup) -> Iterator[tuple[PortId, str]]:
    """What each port has, with what is not as wanted of it; "" of what is."""
    for vf in lookup.desired.vfs:
        if vf.port_id is not None:
            yield vf.port_id, ""
            yield from ((vf.port_id, name) for name in _of_vf(lookup, vf))
    for tap in lookup.desired.taps:
        yield tap.port_id, ""
        yield from ((tap.port_id, name) for name in _of_tap(lookup, tap))
    for guest in lookup.desired.guests:
        for device in guest.hostdevs:
            if device.kind is DeviceKind.PF and device.port_id is not None:
                yield device.port_id, ""
                yield from ((device.port_id, name) for name in _of_whole(lookup, guest, device))


def _beside(lookup: Lookup) -> Iterator[tuple[PortId, str]]:
    """What is not as wanted of what ports have besides."""
    for macvtap in lookup.desired.macvtaps:
        yield from ((macvtap.port_id, name) for name in _of_macvtap(lookup, macvtap))
    for vsi in lookup.desired.vsis:
        seen = lookup.vsis.get(vsi.settings.instance_id)
        yield from ((vsi.port_id, name) for name in (_of_vsi(vsi, seen) if seen else ("vsi",)))
    for guest in lookup.desired.guests:
        for device in missing_devices(lookup, guest):
            if device.port_id is not None:
                yield device.port_id, GUEST
    yield from ((vf.port_id, GUEST) for vf in lookup.desired.vfs if vf.port_id and vf.is_withheld)


def _of_vf(lookup: Lookup, wanted: DesiredVf) -> Iterator[str]:
    seen = lookup.vfs.get((wanted.pf, wanted.index))
    if seen is None:
        yield "vf"
        return
    yield from (f"vf.{name}" for name in differences(wanted.settings, seen.settings))
    if not seen.is_dirty:
        yield "vf.is_dirty"
    if has_traces(lookup, wanted):
        yield "vf.is_borrowed"


def _of_tap(lookup: Lookup, wanted: DesiredTap) -> tuple[str, ...]:
    seen = lookup.taps.get(wanted.name)
    if seen is None:
        return ("tap",)
    return tuple(f"tap.{name}" for name in tap_differences(wanted, seen))


def _of_macvtap(lookup: Lookup, wanted: DesiredMacvtap) -> tuple[str, ...]:
    seen = lookup.macvtaps.get(wanted.name)
    if seen is None:
        return ("macvtap",)
    return tuple(f"macvtap.{name}" for name in macvtap_differences(wanted, seen))


def _of_vsi(wanted: DesiredVsi, seen: ObservedVsi) -> Iterator[str]:
    """Of whom and of what it was asked for, by what settings, and whether the bridge has it so."""
    for name in ("port_id", "server_id", "pf", "vf_index"):
        if getattr(wanted, name) != getattr(seen.asked, name):
            yield f"vsi.{name}"
    for name in _OF_VSI:
        if getattr(wanted.settings, name) != getattr(seen.asked.settings, name):
            yield f"vsi.{name}"
    if seen.reading.state is not VsiState.ASSOCIATED:
        yield "vsi.state"


def _of_whole(lookup: Lookup, owner: DesiredGuest, device: DesiredHostdev) -> Iterator[str]:
    pf, guest = lookup.pfs.get(PfKey(device.key)), lookup.guests.get(owner.server_id)
    if pf is None:
        yield "pf"
        return
    if pf.vfs:
        yield "pf.vfs"
    if guest is None or pf.pci_address not in guest.hostdevs:
        yield GUEST


def _changing(desired: DesiredState, in_flight: Resources) -> Iterator[PortId]:
    """Ports of what a chain in flight has."""
    yield from (vf.port_id for vf in desired.vfs if vf.port_id and (vf.pf, vf.index) in in_flight.vfs)
    taps: tuple[DesiredTap | DesiredMacvtap, ...] = (*desired.taps, *desired.macvtaps)
    yield from (tap.port_id for tap in taps if tap.name in in_flight.taps)
    yield from (vsi.port_id for vsi in desired.vsis if vsi.settings.instance_id in in_flight.vsis)
    for guest in desired.guests:
        for device in guest.hostdevs:
            if device.port_id and device.kind is DeviceKind.PF and device.key in in_flight.cards:
                yield device.port_id
