"""The real Netlink: rtnetlink messages over one socket of this network namespace.

Sources: include/uapi/linux/{if_link,if_bridge,neighbour,rtnetlink}.h; net/core/rtnetlink.c; net/bridge.
"""

import errno
import socket
import struct
from collections.abc import Mapping
from dataclasses import replace

from fairlead.linux import message as nl
from fairlead.linux import tap
from fairlead.linux.groups import join_group, read_groups
from fairlead.linux.ingress import read_ingress, set_ingress
from fairlead.linux.macvlan import is_passthru, passthru
from fairlead.linux.netlink import BridgePort, ForwardingEntry, Ingress, Link, NetlinkRefusal, PortVlan, Route
from fairlead.linux.vfcounters import read_counters
from fairlead.linux.vfmessage import read_vfs, takes_associations, write_vf
from fairlead.linux.wake import KernelLinkChanges
from fairlead.model.diagnostics import NicCounters
from fairlead.model.errors import InvalidValue
from fairlead.model.infiniband import Guid, somebodys
from fairlead.model.multicast import Group
from fairlead.model.pci import MacAddress, parse_mac
from fairlead.model.vf import VfSettings

_NEWLINK, _DELLINK, _GETLINK, _SETLINK = 16, 17, 18, 19
_GETADDR = 22
_GETROUTE, _NEWNEIGH, _DELNEIGH, _GETNEIGH = 26, 28, 29, 30
_LINK_HEADER = struct.Struct("=BxHiII")
_ROUTE_HEADER = struct.Struct("=BBBBBBBBI")
_ADDRESS_HEADER = struct.Struct("=BBBBI")
_NEIGHBOUR_HEADER = struct.Struct("=BxxxiHBB")
_IFF_UP, _IFF_ALLMULTI = 0x1, 0x200
_ARPHRD_INFINIBAND = 32
_ADDRESS, _NAME, _MTU, _LOWER, _MASTER, _PROTINFO, _LINKINFO, _ALIAS = 1, 3, 4, 5, 10, 12, 18, 20
_VFINFO_LIST, _AF_SPEC, _EXT_MASK, _CARRIER, _PERM_ADDRESS = 22, 26, 29, 33, 54
_KIND, _DATA, _SLAVE_DATA = 1, 2, 5
_FILTER_VF, _FILTER_BRVLAN, _FILTER_SKIP_STATS = 0x1, 0x2, 0x8
_BR_VLAN_FILTERING, _BR_MCAST_SNOOPING, _BR_DEFAULT_PVID = 7, 23, 39
_PORT_LEARNING, _PORT_FLOOD, _PORT_LOCKED = 8, 9, 39
_VLAN_INFO, _VLAN_PVID, _VLAN_UNTAGGED = 2, 0x2, 0x4
_ADDR_GEN_MODE, _ADDR_GEN_NONE = 8, 1
_LOCAL, _ADDRESS_PROTOCOL, _SCOPE_LINK = 2, 11, 253
_OF_KERNEL_LOOPBACK, _OF_KERNEL_ROUTER = b"\1", b"\2"
_DESTINATION, _MADE_BY_KERNEL = 1, frozenset({2, 9})  # RTPROT_KERNEL follows from an address, RTPROT_RA
_TABLE_MAIN, _UNICAST, _OIF, _MULTIPATH, _TABLE = 254, 1, 4, 9, 15
_LLADDR, _NDA_VLAN = 2, 5
_MAC_OCTETS, _WORD_OCTETS, _IPOIB_OCTETS, _GUID_OCTETS = 6, 4, 20, 8
_STATIC, _PERMANENT, _SELF, _ON_MASTER, _STICKY = 0x40, 0x80, 0x2, 0x4, 0x40


class RtNetlink:
    """Implements netlink.Netlink. Made in the network namespace that it shall speak of; close it after use."""

    def __init__(self) -> None:
        self._channel = nl.Channel()

    def close(self) -> None:
        """Give the socket back."""
        self._channel.close()

    def links(self) -> tuple[Link, ...]:
        """See Netlink.links."""
        body = _link_header() + nl.number(_EXT_MASK, _FILTER_SKIP_STATS)
        return tuple(_read_link(answer) for answer in self._channel.request(_GETLINK, body, nl.DUMP))

    def link(self, index: int) -> tuple[Link, Mapping[int, VfSettings]]:
        """See Netlink.link. Without statistics: with them the list of 222 VFs no longer fits an attribute."""
        answer = self._told(index, _FILTER_VF)
        found = dict(nl.parts(answer[_LINK_HEADER.size :]))
        link = replace(_read_link(answer), takes_associations=takes_associations(found))
        is_infiniband = _LINK_HEADER.unpack_from(answer)[1] == _ARPHRD_INFINIBAND
        return link, read_vfs(found, is_infiniband=is_infiniband)

    def plain_link(self, index: int) -> Link:
        """See Netlink.plain_link."""
        return _read_link(self._told(index))

    def vf_counters(self, index: int) -> Mapping[int, NicCounters]:
        """See Netlink.vf_counters. None of so many VFs that they do not fit an attribute with statistics."""
        body = _link_header(index) + nl.number(_EXT_MASK, _FILTER_VF)
        try:
            answers = self._channel.request(_GETLINK, body)
        except NetlinkRefusal as refusal:
            if refusal.errno == errno.EMSGSIZE:
                return {}
            raise
        found = dict(nl.parts(answers[0][_LINK_HEADER.size :])) if answers else {}
        return read_counters(found.get(_VFINFO_LIST, b""))

    def set_vf(self, index: int, vf: int, settings: VfSettings, fields: tuple[str, ...]) -> None:
        """See Netlink.set_vf."""
        self._channel.request(_SETLINK, _link_header(index) + write_vf(vf, settings, fields))

    def set_link(
        self,
        index: int,
        *,
        up: bool | None = None,
        mtu: int | None = None,
        alias: str | None = None,
        mac: MacAddress | None = None,
        allmulti: bool | None = None,
    ) -> None:
        """See Netlink.set_link. In one message the kernel brings it up first (net/core/dev.c, __dev_change_flags): a
        macvlan in mode passthru that comes up later does not ask what it is on for the groups (macvlan_open).
        """
        flags = (_IFF_UP if up else 0) | (_IFF_ALLMULTI if allmulti else 0)
        change = (_IFF_UP if up is not None else 0) | (_IFF_ALLMULTI if allmulti is not None else 0)
        body = _link_header(index, flags=flags, change=change)
        if mtu is not None:
            body += nl.number(_MTU, mtu)
        if alias is not None:
            body += nl.attribute(_ALIAS, alias.encode())
        if mac is not None:
            body += nl.attribute(_ADDRESS, _octets(mac))
        self._channel.request(_SETLINK, body)

    def link_changes(self) -> KernelLinkChanges:
        """See Netlink.link_changes."""
        return KernelLinkChanges()

    def addresses(self) -> tuple[tuple[int, str], ...]:
        """See Netlink.addresses."""
        answers = self._channel.request(_GETADDR, _ADDRESS_HEADER.pack(0, 0, 0, 0, 0), nl.DUMP)
        found = (_read_address(answer) for answer in answers)
        return tuple(address for address in found if address is not None)

    def routes(self) -> tuple[Route, ...]:
        """See Netlink.routes."""
        found: set[Route] = set()
        for family in (socket.AF_INET, socket.AF_INET6):
            header = _ROUTE_HEADER.pack(family, 0, 0, 0, _TABLE_MAIN, 0, 0, 0, 0)
            body = header + nl.number(_TABLE, _TABLE_MAIN)
            try:
                answers = self._channel.request(_GETROUTE, body, nl.DUMP)
            except NetlinkRefusal as refusal:
                if refusal.errno not in (errno.EOPNOTSUPP, errno.EAFNOSUPPORT, errno.ENOENT):
                    raise  # else: no IPv6, or a table that nobody has put a route into
                continue
            for answer in answers:
                found.update(_read_routes(answer))
        return tuple(sorted(found, key=lambda route: (route.index, route.destination)))

    def make_bridge(self, name: str) -> None:
        """See Netlink.make_bridge. Snooping off: nothing here asks for group memberships."""
        data = nl.nested(
            _DATA,
            nl.octet(_BR_VLAN_FILTERING, 1),
            nl.short(_BR_DEFAULT_PVID, 0),
            nl.octet(_BR_MCAST_SNOOPING, 0),
        )
        info = nl.nested(_LINKINFO, nl.string(_KIND, "bridge"), data)
        self._channel.request(_NEWLINK, _link_header() + nl.string(_NAME, name) + info, nl.CREATE)
        self.without_addresses(socket.if_nametoindex(name))

    def make_tap(self, name: str) -> None:
        """See Netlink.make_tap. rtnetlink cannot make taps; /dev/net/tun does, in this thread's namespace."""
        if any(link.name == name for link in self.links()):
            return
        tap.make_persistent(name)
        self.without_addresses(socket.if_nametoindex(name))

    def make_macvtap(self, name: str, lower: int) -> None:
        """See Netlink.make_macvtap."""
        info = nl.nested(_LINKINFO, nl.string(_KIND, "macvtap"), nl.nested(_DATA, passthru()))
        body = _link_header() + nl.string(_NAME, name) + nl.number(_LOWER, lower) + info
        self._channel.request(_NEWLINK, body, nl.CREATE | nl.EXCLUSIVE)
        self.without_addresses(socket.if_nametoindex(name))

    def without_addresses(self, index: int) -> None:
        """See Netlink.without_addresses."""
        mode = nl.octet(_ADDR_GEN_MODE, _ADDR_GEN_NONE)
        body = _link_header(index) + nl.nested(_AF_SPEC, nl.nested(socket.AF_INET6, mode))
        self._unless(errno.EAFNOSUPPORT, _SETLINK, body)

    def delete_link(self, index: int) -> None:
        """See Netlink.delete_link."""
        self._channel.request(_DELLINK, _link_header(index))

    def join(self, index: int, bridge: int, port: BridgePort) -> None:
        """See Netlink.join."""
        self._channel.request(_SETLINK, _link_header(index) + nl.number(_MASTER, bridge))
        switches = nl.nested(
            _PROTINFO,
            nl.octet(_PORT_LEARNING, port.learning),
            nl.octet(_PORT_FLOOD, port.flood),
            nl.octet(_PORT_LOCKED, port.locked),
        )
        self._channel.request(_SETLINK, _link_header(index, socket.AF_BRIDGE) + switches)

    def leave(self, index: int) -> None:
        """See Netlink.leave."""
        self._channel.request(_SETLINK, _link_header(index) + nl.number(_MASTER, 0))

    def vlans(self) -> Mapping[int, tuple[PortVlan, ...]]:
        """See Netlink.vlans."""
        body = _link_header(family=socket.AF_BRIDGE) + nl.number(_EXT_MASK, _FILTER_BRVLAN)
        answers = self._channel.request(_GETLINK, body, nl.DUMP)
        return {_index(answer): _read_vlans(answer) for answer in answers}

    def set_vlan(self, index: int, vlan: PortVlan) -> None:
        """See Netlink.set_vlan."""
        self._channel.request(_SETLINK, _vlan_body(index, vlan.vlan, is_own=vlan.untagged))

    def delete_vlan(self, index: int, vlan: int) -> None:
        """See Netlink.delete_vlan."""
        self._unless(errno.ENOENT, _DELLINK, _vlan_body(index, vlan, is_own=False))

    def entries(self, index: int) -> tuple[ForwardingEntry, ...]:
        """See Netlink.entries."""
        header = _NEIGHBOUR_HEADER.pack(socket.AF_BRIDGE, index, 0, 0, 0)
        found = (_read_entry(answer) for answer in self._channel.request(_GETNEIGH, header, nl.DUMP))
        return tuple(entry for entry in found if entry is not None and entry.index == index)

    def add_entry(self, entry: ForwardingEntry) -> None:
        """See Netlink.add_entry. Without exclusivity: one that somebody moved to another port comes back."""
        self._channel.request(_NEWNEIGH, _entry_body(entry), nl.CREATE | nl.REPLACE)

    def delete_entry(self, entry: ForwardingEntry) -> None:
        """See Netlink.delete_entry."""
        self._unless(errno.ENOENT, _DELNEIGH, _entry_body(entry))

    def groups(self, index: int) -> tuple[Group, ...]:
        """See Netlink.groups."""
        return read_groups(self._channel, index)

    def join_group(self, index: int, group: Group) -> None:
        """See Netlink.join_group."""
        join_group(self._channel, index, group)

    def ingress(self, index: int) -> Ingress:
        """See Netlink.ingress."""
        return read_ingress(self._channel, index)

    def set_ingress(self, index: int, wanted: Ingress) -> None:
        """See Netlink.set_ingress."""
        set_ingress(self._channel, index, wanted)

    def _told(self, index: int, of_vfs: int = 0) -> bytes:
        """What is told of one device."""
        body = _link_header(index) + nl.number(_EXT_MASK, of_vfs | _FILTER_SKIP_STATS)
        answers = self._channel.request(_GETLINK, body)
        if not answers:
            raise NetlinkRefusal(errno.ENODEV, f"no answer about network device {index}")
        return answers[0]

    def _unless(self, accepted: int, kind: int, body: bytes, flags: int = 0) -> None:
        try:
            self._channel.request(kind, body, flags)
        except NetlinkRefusal as refusal:
            if refusal.errno != accepted:
                raise


def _link_header(index: int = 0, family: int = socket.AF_UNSPEC, *, flags: int = 0, change: int = 0) -> bytes:
    return _LINK_HEADER.pack(family, 0, index, flags, change)


def _index(answer: bytes) -> int:
    return int(_LINK_HEADER.unpack_from(answer)[2])


def _read_link(answer: bytes) -> Link:
    _, _, index, flags, _ = _LINK_HEADER.unpack_from(answer)
    found = dict(nl.parts(answer[_LINK_HEADER.size :]))
    info = dict(nl.parts(found.get(_LINKINFO, b"")))
    data = dict(nl.parts(info.get(_DATA, b"")))
    kind = _text(info.get(_KIND))
    is_up = bool(flags & _IFF_UP)
    return Link(
        index=index,
        name=_text(found.get(_NAME)) or "",
        mac=_mac(found.get(_ADDRESS)),
        permanent_mac=_mac(found.get(_PERM_ADDRESS)),
        guid=_guid(found.get(_PERM_ADDRESS) or found.get(_ADDRESS)),
        mtu=_number(found.get(_MTU)),
        is_up=is_up,
        carrier=found.get(_CARRIER) == b"\1" if is_up else None,
        kind=kind,
        master=_number(found.get(_MASTER)),
        alias=_text(found.get(_ALIAS)),
        filters_vlans=data.get(_BR_VLAN_FILTERING) == b"\1" if kind == "bridge" else None,
        port=_read_port(info.get(_SLAVE_DATA)),
        lower=_number(found.get(_LOWER)),
        is_passthru=kind == "macvtap" and is_passthru(data),
        is_allmulti=bool(flags & _IFF_ALLMULTI),
    )


def _read_port(data: bytes | None) -> BridgePort | None:
    if data is None:
        return None
    found = dict(nl.parts(data))
    return BridgePort(
        learning=found.get(_PORT_LEARNING) == b"\1",
        flood=found.get(_PORT_FLOOD) == b"\1",
        locked=found.get(_PORT_LOCKED) == b"\1",
    )


def _read_routes(answer: bytes) -> set[Route]:
    family, prefix, _, _, _, protocol, _, kind, _ = _ROUTE_HEADER.unpack_from(answer)
    if kind != _UNICAST or (prefix and protocol in _MADE_BY_KERNEL):
        return set()
    found = dict(nl.parts(answer[_ROUTE_HEADER.size :]))
    if _number(found.get(_TABLE)) != _TABLE_MAIN:
        return set()
    links = _next_hops(found.get(_MULTIPATH, b""))
    link = _number(found.get(_OIF))
    destination = _network(family, found.get(_DESTINATION), prefix) if prefix else "default"
    return {Route(index, destination) for index in (links | {link} if link is not None else links)}


def _read_address(answer: bytes) -> tuple[int, str] | None:
    family, prefix, _, scope, index = _ADDRESS_HEADER.unpack_from(answer)
    found = dict(nl.parts(answer[_ADDRESS_HEADER.size :]))
    is_made = found.get(_ADDRESS_PROTOCOL) in (_OF_KERNEL_LOOPBACK, _OF_KERNEL_ROUTER)
    octets = found.get(_LOCAL, found.get(_ADDRESS))
    if scope >= _SCOPE_LINK or is_made or octets is None:
        return None
    return int(index), _network(family, octets, prefix)


def _network(family: int, octets: bytes | None, prefix: int) -> str:
    return f"{socket.inet_ntop(family, octets) if octets else '?'}/{prefix}"


def _next_hops(data: bytes) -> set[int]:
    found, offset = set(), 0
    while offset + 8 <= len(data):
        length, index = struct.unpack_from("=Hxxi", data, offset)
        found.add(int(index))
        offset += max(length + (-length % 4), 8)
    return found


def _vlan_body(index: int, vlan: int, *, is_own: bool) -> bytes:
    flags = _VLAN_PVID | _VLAN_UNTAGGED if is_own else 0
    info = nl.attribute(_VLAN_INFO, struct.pack("=HH", flags, vlan))
    return _link_header(index, socket.AF_BRIDGE) + nl.nested(_AF_SPEC, info)


def _read_vlans(answer: bytes) -> tuple[PortVlan, ...]:
    found = dict(nl.parts(answer[_LINK_HEADER.size :]))
    infos = (value for kind, value in nl.parts(found.get(_AF_SPEC, b"")) if kind == _VLAN_INFO)
    records = (struct.unpack_from("=HH", value) for value in infos)
    return tuple(PortVlan(vlan, bool(flags & _VLAN_PVID)) for flags, vlan in records)


def _entry_body(entry: ForwardingEntry) -> bytes:
    state, flags = (_STATIC, _ON_MASTER | _STICKY) if entry.on_bridge else (_PERMANENT, _SELF)
    header = _NEIGHBOUR_HEADER.pack(socket.AF_BRIDGE, entry.index, state, flags, 0)
    body = header + nl.attribute(_LLADDR, _octets(entry.mac))
    return body + nl.short(_NDA_VLAN, entry.vlan) if entry.vlan is not None else body


def _read_entry(answer: bytes) -> ForwardingEntry | None:
    _, index, state, flags, _ = _NEIGHBOUR_HEADER.unpack_from(answer)
    found = dict(nl.parts(answer[_NEIGHBOUR_HEADER.size :]))
    mac, vlan = _mac(found.get(_LLADDR)), found.get(_NDA_VLAN)
    is_self = bool(flags & _SELF)
    if mac is None or not (is_self or (state & _STATIC and flags & _STICKY)):
        return None
    number = int(struct.unpack("=H", vlan)[0]) if vlan is not None else None
    return ForwardingEntry(index, mac, number, on_bridge=not is_self)


def _octets(mac: MacAddress) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def _mac(octets: bytes | None) -> MacAddress | None:
    if octets is None or len(octets) != _MAC_OCTETS:
        return None
    try:
        return parse_mac(octets.hex(":"))
    except InvalidValue:
        return None  # of a device that has none


def _guid(octets: bytes | None) -> Guid | None:
    """The end of an IPoIB address, which is its port's GID (RFC 4391, 9.1.1)."""
    if octets is None or len(octets) != _IPOIB_OCTETS:
        return None
    return somebodys(Guid(octets[-_GUID_OCTETS:].hex(":")))


def _number(value: bytes | None) -> int | None:
    return (
        int(struct.unpack_from("=I", value)[0]) if value is not None and len(value) >= _WORD_OCTETS else None
    )


def _text(value: bytes | None) -> str | None:
    return value.rstrip(b"\0").decode("utf-8", "replace") if value is not None else None
