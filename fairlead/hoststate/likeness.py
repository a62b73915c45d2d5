"""Whether what was read back from the host is as wanted: one comparison for each kind of thing."""

from collections.abc import Iterator, Mapping

from fairlead.hoststate.desired import (
    TAP_PREFIX,
    DesiredBridge,
    DesiredGuest,
    DesiredHostdev,
    DesiredTap,
    DesiredVf,
    DesiredVsi,
    GuestDevice,
)
from fairlead.hoststate.lookup import Lookup, VfName
from fairlead.hoststate.macvtap import DesiredMacvtap, is_as_wanted
from fairlead.hoststate.observed import ObservedPf, ObservedTap
from fairlead.hoststate.resources import Resources
from fairlead.model.ids import PfKey, PortId
from fairlead.model.pci import DeviceKind
from fairlead.model.vf import VfSettings, differences
from fairlead.model.vsi import VsiState

_TAP_FIELDS = (
    "bridge", "port_id", "mac", "vlan", "mtu", "max_rate_kbps", "spoof_check", "sources", "is_up",
)  # fmt: skip


def is_configured(lookup: Lookup, wanted: DesiredVf) -> bool:
    """Whether the VF is there, as its owner needs it, and in the ledger as owned."""
    seen = lookup.vfs.get((wanted.pf, wanted.index))
    if seen is None or not seen.is_dirty or has_traces(lookup, wanted):
        return False
    return not differences(wanted.settings, seen.settings)


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
    return _tap_facts(wanted) == _tap_facts(seen)


def tap_differences(wanted: DesiredTap, seen: ObservedTap) -> dict[str, object]:
    """What is otherwise than wanted, by field, and how it is."""
    facts = zip(_TAP_FIELDS, _tap_facts(wanted), _tap_facts(seen), strict=True)
    return {field: there for field, asked, there in facts if there != asked}


def is_associated(lookup: Lookup, wanted: DesiredVsi) -> bool:
    """Whether the bridge has the VSI, asked for with all that is wanted now."""
    seen = lookup.vsis.get(wanted.settings.instance_id)
    return seen is not None and seen.asked == wanted and seen.reading.state is VsiState.ASSOCIATED


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


def wired_ports(lookup: Lookup, in_flight: Resources) -> tuple[PortId, ...]:
    """Ports whose VF, tap, or macvtap with its VF, and VSI, was seen as wanted, or whose whole device was seen given,
    and that no chain in flight may still change, in the order of the document. Not those of a guest that runs without:
    it is to be given them.
    """
    without = frozenset(_without(lookup))
    vfs = [
        vf
        for vf in lookup.desired.vfs
        if (vf.pf, vf.index) not in in_flight.vfs and vf.device_id not in without
    ]
    changing = in_flight.taps | without
    taps = [tap for tap in lookup.desired.taps if tap.name not in changing]
    unwired = {
        macvtap.port_id
        for macvtap in lookup.desired.macvtaps
        if macvtap.name in changing or not is_macvtapped(lookup, macvtap)
    }
    by_vf = [
        vf.port_id
        for vf in vfs
        if vf.port_id and vf.port_id not in unwired and is_configured(lookup, vf) and not vf.is_withheld
    ]
    by_tap = [tap.port_id for tap in taps if is_tapped(lookup, tap)]
    unassociated = frozenset(_unassociated(lookup, in_flight))
    seen = (*by_vf, *by_tap, *_by_whole_device(lookup, in_flight))
    return tuple(port_id for port_id in seen if port_id not in unassociated)


def _by_whole_device(lookup: Lookup, in_flight: Resources) -> Iterator[PortId]:
    """A whole device cannot be read back while a guest has it. It is as wanted when the domain names it, as it runs or
    is to run, and no VF of it is left.
    """
    for wanted in lookup.desired.guests:
        seen = lookup.guests.get(wanted.server_id)
        for device in wanted.hostdevs if seen is not None else ():
            pf = lookup.pfs.get(PfKey(device.key)) if device.kind is DeviceKind.PF else None
            if pf is None or device.port_id is None or pf.vfs or device.key in in_flight.cards:
                continue
            if seen is not None and pf.pci_address in seen.hostdevs:
                yield device.port_id


def missing_devices(lookup: Lookup, wanted: DesiredGuest) -> tuple[GuestDevice, ...]:
    """What a guest is to have, and runs without; nothing of one that is down. In guest order."""
    seen = lookup.guests.get(wanted.server_id)
    if seen is None or not seen.state.is_up:
        return ()
    return tuple(device for device in wanted.devices if lookup.name_in(seen, device) is None)


def _unassociated(lookup: Lookup, in_flight: Resources) -> Iterator[PortId]:
    for vsi in lookup.desired.vsis:
        if vsi.settings.instance_id in in_flight.vsis or not is_associated(lookup, vsi):
            yield vsi.port_id


def _without(lookup: Lookup) -> Iterator[str]:
    """Ids of devices and names of taps that guests run without."""
    for wanted in lookup.desired.guests:
        for device in missing_devices(lookup, wanted):
            name = device.device_id if isinstance(device, DesiredHostdev) else device.tap
            yield from (name,) if name else ()


def _tap_facts(tap: DesiredTap | ObservedTap) -> tuple[object, ...]:
    how = (tap.max_rate_kbps, tap.spoof_check, tap.sources, tap.is_up)
    return tap.bridge, tap.port_id, tap.mac, tap.vlan, tap.mtu, *how
