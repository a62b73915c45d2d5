"""Ordinary vNICs: a VLAN-filtering bridge for each physical network, a tap for each vNIC.

A tap has one VLAN, untagged towards its guest; the uplink carries the VLANs of the taps that are there and
no others; the bridge itself carries none, so the host does not speak on guests' networks. Frames of a flat
network are untagged on the wire; inside the bridge they have VLAN 4094, so that network gets no tap.

Spoof check is the bridge's own: the tap does not learn, its guest's MAC is a static and sticky entry of the
forwarding table, which no frame from elsewhere moves, and the port is locked (bridge(8), `locked`; Linux
5.18), so a frame from another MAC is dropped. As
long as all taps are like that, the kernel keeps the uplink out of promiscuous mode and writes the guests'
MACs into the PF's own filter (net/bridge/br_if.c, br_manage_promisc), which is what lets a VF of the same PF
reach them through the NIC's switch. We write them there too, for the bridge that has an unchecked tap, and keep which
ones we wrote (own_entries), so that they go with their tap, whoever deleted that.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from threading import Lock

from fairlead.hoststate.desired import BRIDGE_PREFIX, FLAT_VLAN, TAP_PREFIX, DesiredBridge, DesiredTap
from fairlead.hoststate.observed import ObservedBridge, ObservedTap
from fairlead.linux.faults import Act, fault, refusal
from fairlead.linux.netlink import (
    UNKNOWN_SOURCE,
    BridgePort,
    ForwardingEntry,
    Ingress,
    Link,
    Netlink,
    PortVlan,
)
from fairlead.linux.own_entries import OwnEntries
from fairlead.linux.sysfs import PciFunction
from fairlead.model.ids import PortId
from fairlead.model.pci import MacAddress

_UPLINK = BridgePort(learning=True, flood=True, locked=False)


class Bridges:
    """Makes and unmakes bridges and taps; each method may be repeated, and repairs what it finds."""

    def __init__(self, netlink: Netlink, own: OwnEntries) -> None:
        self._netlink = netlink
        self._own = own
        # Guests are made several at once, and what an uplink carries follows from all of its taps.
        self._lock = Lock()

    def observe(self, links: Iterable[Link]) -> tuple[tuple[ObservedBridge, ...], tuple[ObservedTap, ...]]:
        """Bridges and taps of ours, by name. Raises NetlinkRefusal."""
        return _observe(self._netlink, links, self._own)

    def make_bridge(self, wanted: DesiredBridge, uplink: int) -> None:
        """The bridge with the network device of that ifindex as its way out. Raises Fault."""
        subject = wanted.name
        try:
            with self._lock:
                way_out = self._way_out(wanted, uplink)
                subject = f"{wanted.name} on {way_out.name}"
                self._make_bridge(wanted, way_out)
        except OSError as error:
            raise refusal(Act.MAKE_BRIDGE, subject, error) from error

    def remove_bridge(self, name: str) -> None:
        """Delete it, if it is there, and what its uplink let in for it; that stays up, on its own."""
        try:
            with self._lock:
                link = self._find(name)
                if link is not None:
                    self._netlink.delete_link(link.index)
                self._forget_unused(name, (), set())
        except OSError as error:
            raise refusal(Act.REMOVE_BRIDGE, name, error) from error

    def make_tap(self, wanted: DesiredTap) -> None:
        """The tap on its bridge, up only once all else is as wanted. Raises Fault."""
        if wanted.vlan == FLAT_VLAN:
            said = f"VLAN {FLAT_VLAN} is what the bridge itself needs, for untagged frames"
            raise fault("vlan_reserved", Act.MAKE_TAP, wanted.name, said, "Give the network another VLAN.")
        try:
            with self._lock:
                self._make_tap(wanted)
        except OSError as error:
            raise refusal(Act.MAKE_TAP, f"{wanted.name} on {wanted.bridge}", error) from error

    def remove_tap(self, name: str) -> None:
        """Delete it, if it is there, and what its uplink carried for it alone."""
        try:
            with self._lock:
                self._remove_tap(name)
        except OSError as error:
            raise refusal(Act.REMOVE_TAP, name, error) from error

    def _way_out(self, wanted: DesiredBridge, uplink: int) -> Link:
        way_out = next((link for link in self._netlink.links() if link.index == uplink), None)
        if way_out is None:
            said = f"its uplink, the network device with ifindex {uplink}, is gone"
            raise fault("uplink_missing", Act.MAKE_BRIDGE, wanted.name, said, "It is tried again.")
        return way_out

    def _make_bridge(self, wanted: DesiredBridge, way_out: Link) -> None:
        self._netlink.make_bridge(wanted.name)
        bridge = self._expect(wanted.name, Act.MAKE_BRIDGE)
        if way_out.master not in (None, bridge.index):
            said = f"{way_out.name} is on another bridge or bond"
            raise fault(
                "uplink_taken", Act.MAKE_BRIDGE, wanted.name, said, "Take it off there, or match another NIC."
            )
        for other in _uplinks(self._netlink.links(), bridge):
            if other.index != way_out.index:
                self._netlink.leave(other.index)
        self._netlink.join(way_out.index, bridge.index, _UPLINK)
        self._carry(bridge)
        self._netlink.set_link(way_out.index, up=True)
        self._netlink.set_link(bridge.index, up=True, mtu=wanted.mtu)

    def _make_tap(self, wanted: DesiredTap) -> None:
        bridge = self._expect(wanted.bridge, Act.MAKE_TAP)
        self._netlink.make_tap(wanted.name)
        tap = self._expect(wanted.name, Act.MAKE_TAP)
        self._netlink.set_link(tap.index, mtu=wanted.mtu, alias=wanted.port_id)
        is_open = not wanted.spoof_check
        self._netlink.join(tap.index, bridge.index, BridgePort(is_open, is_open, wanted.spoof_check))
        own = PortVlan(wanted.vlan or FLAT_VLAN, untagged=True)
        entry = ForwardingEntry(tap.index, wanted.mac, own.vlan, on_bridge=True)
        self._forget_entries(tap.index, entry)
        self._set_vlans(tap.index, (own,))
        self._netlink.add_entry(entry)
        self._carry(bridge)
        speaker = wanted.mac if wanted.spoof_check else None
        ingress = Ingress(wanted.max_rate_kbps, wanted.sources, speaker)
        if self._netlink.ingress(tap.index) != ingress:
            self._netlink.set_ingress(tap.index, ingress)
        self._netlink.set_link(tap.index, up=wanted.is_up)

    def _remove_tap(self, name: str) -> None:
        tap = self._find(name)
        if tap is None:
            return
        links = {link.index: link for link in self._netlink.links()}
        bridge = links.get(tap.master or 0)
        self._netlink.delete_link(tap.index)
        if bridge is not None and _is_bridge(bridge):
            self._carry(bridge)

    def _carry(self, bridge: Link) -> None:
        """Let the uplinks carry the VLANs of the bridge's taps, and reach their guests' MACs."""
        links = self._netlink.links()
        taps = [link for link in links if _is_tap(link) and link.master == bridge.index]
        vlans = self._netlink.vlans()
        carried = {vlan.vlan for tap in taps for vlan in vlans.get(tap.index, ())}
        wanted = tuple(PortVlan(vlan, untagged=vlan == FLAT_VLAN) for vlan in sorted(carried))
        macs = _macs(entry for tap in taps for entry in self._netlink.entries(tap.index))
        uplinks = _uplinks(links, bridge)
        for uplink in uplinks:
            self._set_vlans(uplink.index, wanted)
            for mac in sorted(macs - _filtered(self._netlink, uplink)):
                self._own.keep(bridge.name, uplink.index, mac)
                self._netlink.add_entry(ForwardingEntry(uplink.index, mac, None, on_bridge=False))
        self._forget_unused(bridge.name, uplinks, macs)

    def _forget_unused(self, bridge: str, uplinks: Iterable[Link], macs: set[MacAddress]) -> None:
        """Take our entries away that no tap of these MACs needs. Those of others stay, the kernel's own too."""
        unused = sorted(_unused(bridge, uplinks, macs, self._own))
        there = {link.index for link in self._netlink.links()} if unused else ()
        for index, mac in unused:
            if index in there:
                self._netlink.delete_entry(ForwardingEntry(index, mac, None, on_bridge=False))
            self._own.forget(bridge, index, mac)

    def _set_vlans(self, index: int, wanted: tuple[PortVlan, ...]) -> None:
        present = self._netlink.vlans().get(index, ())
        numbers = {vlan.vlan for vlan in wanted}
        for vlan in present:
            if vlan.vlan not in numbers:
                self._netlink.delete_vlan(index, vlan.vlan)
        for vlan in wanted:
            if vlan not in present:
                self._netlink.set_vlan(index, vlan)

    def _forget_entries(self, index: int, kept: ForwardingEntry) -> None:
        """Take the port's other entries away, while it still has their VLANs: later the kernel says EINVAL
        (br_fdb_delete), and a static entry outlives its VLAN. For one that has, the
        port gets the VLAN back, until `_set_vlans` comes.
        """
        carried = {vlan.vlan for vlan in self._netlink.vlans().get(index, ())}
        others = [entry for entry in self._netlink.entries(index) if entry.on_bridge and entry != kept]
        for entry in others:
            if entry.vlan not in carried and entry.vlan is not None:
                self._netlink.set_vlan(index, PortVlan(entry.vlan, untagged=False))
            self._netlink.delete_entry(entry)

    def _find(self, name: str) -> Link | None:
        return next((link for link in self._netlink.links() if link.name == name), None)

    def _expect(self, name: str, act: Act) -> Link:
        link = self._find(name)
        if link is None:
            raise fault("link_missing", act, name, f"there is no network device {name}", "It is tried again.")
        return link


def called_as_read(links: Iterable[Link], functions: Iterable[PciFunction]) -> tuple[Link, ...]:
    """By the names that sysfs was read with, whatever they are by now: in one look a PF has one name."""
    names = {function.net.index: function.net.name for function in functions if function.net is not None}
    return tuple(
        link if names.get(link.index, link.name) == link.name else replace(link, name=names[link.index])
        for link in links
    )


def _observe(
    netlink: Netlink, links: Iterable[Link], own: OwnEntries
) -> tuple[tuple[ObservedBridge, ...], tuple[ObservedTap, ...]]:
    found = {link.index: link for link in links}
    taps = sorted((link for link in found.values() if _is_tap(link)), key=lambda link: link.name)
    entries = {tap.index: netlink.entries(tap.index) for tap in taps}
    vlans = netlink.vlans() if taps else {}
    reached = _reached(netlink, found, taps)
    return (
        tuple(_bridges(found, entries, own)),
        tuple(_observe_tap(netlink, tap, found, entries[tap.index], vlans, reached) for tap in taps),
    )


def _bridges(
    links: Mapping[int, Link], entries: Mapping[int, tuple[ForwardingEntry, ...]], own: OwnEntries
) -> Iterator[ObservedBridge]:
    """One that is gone counts as there, without uplinks, while one of our entries for it is left."""
    bridges = {link.name: link for link in links.values() if _is_bridge(link)}
    for name in sorted(bridges.keys() | own.bridges()):
        bridge = bridges.get(name)
        uplinks = _uplinks(links.values(), bridge) if bridge is not None else ()
        taps = [index for index in entries if bridge is not None and links[index].master == bridge.index]
        macs = _macs(entry for index in taps for entry in entries[index])
        yield ObservedBridge(
            name=name,
            is_up=bridge is not None and bridge.is_up,
            filters_vlans=bridge is not None and bridge.filters_vlans is True,
            mtu=bridge.mtu if bridge is not None else None,
            uplinks=tuple(sorted(link.name for link in uplinks)),
            unused_macs=tuple(sorted({mac for _, mac in _unused(name, uplinks, macs, own)})),
        )


def _unused(
    bridge: str, uplinks: Iterable[Link], macs: set[MacAddress], own: OwnEntries
) -> frozenset[tuple[int, MacAddress]]:
    """Our entries for which there is no tap with that MAC, or no uplink, any more."""
    used = {(uplink.index, mac) for uplink in uplinks for mac in macs}
    return own.of(bridge) - used


def _macs(entries: Iterable[ForwardingEntry]) -> set[MacAddress]:
    """Of guests, by their taps' entries."""
    return {entry.mac for entry in entries if entry.on_bridge}


def _is_bridge(link: Link) -> bool:
    return link.kind == "bridge" and link.name.startswith(BRIDGE_PREFIX)


def _is_tap(link: Link) -> bool:
    return link.kind == "tun" and link.name.startswith(TAP_PREFIX)


def _uplinks(links: Iterable[Link], bridge: Link) -> tuple[Link, ...]:
    return tuple(link for link in links if link.master == bridge.index and not _is_tap(link))


def _filtered(netlink: Netlink, uplink: Link) -> set[MacAddress]:
    """MACs in the device's own unicast filter."""
    return {entry.mac for entry in netlink.entries(uplink.index) if not entry.on_bridge}


def _reached(netlink: Netlink, links: Mapping[int, Link], taps: Iterable[Link]) -> dict[int, set[MacAddress]]:
    """By bridge: the MACs that all its uplinks let in."""
    found: dict[int, set[MacAddress]] = {}
    for index in {tap.master for tap in taps if tap.master is not None}:
        filters = [_filtered(netlink, uplink) for uplink in _uplinks(links.values(), links[index])]
        found[index] = set.intersection(*filters) if filters else set()
    return found


def _observe_tap(
    netlink: Netlink,
    tap: Link,
    links: Mapping[int, Link],
    entries: Iterable[ForwardingEntry],
    vlans: Mapping[int, tuple[PortVlan, ...]],
    reached: Mapping[int, set[MacAddress]],
) -> ObservedTap:
    """A tap as it is. Its MAC is its guest's, and only if the bridge and the uplink deliver to it."""
    bridge = links.get(tap.master) if tap.master is not None else None
    own = next((vlan.vlan for vlan in vlans.get(tap.index, ()) if vlan.untagged), None)
    macs = [
        entry.mac
        for entry in entries
        if entry.on_bridge and entry.vlan == own and entry.mac in reached.get(tap.master or 0, ())
    ]
    port, ingress = tap.port, netlink.ingress(tap.index)
    mac = macs[0] if len(macs) == 1 else None
    is_checked = port is not None and port.locked and not port.learning and not port.flood
    return ObservedTap(
        name=tap.name,
        bridge=bridge.name if bridge is not None else None,
        mac=mac,
        vlan=None if own == FLAT_VLAN else own,
        mtu=tap.mtu or 0,
        is_up=tap.is_up,
        max_rate_kbps=ingress.rate_kbps,
        spoof_check=is_checked,
        port_id=PortId(tap.alias) if tap.alias else None,
        sources=ingress.sources if ingress.mac == (mac if is_checked else None) else (UNKNOWN_SOURCE,),
    )
