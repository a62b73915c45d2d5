"""Which addresses may come in at a device, as filters of its ingress queueing discipline.

One filter lets each address pass, the last one drops the rest: so what is not known is dropped. An IPv4 address passes
as the sender of ARP too. RARP passes: QEMU announces a guest by it after a migration. The frame's own MAC is the
bridge's affair (port locked, see bridge).

Sources: include/uapi/linux/pkt_cls.h (TCA_FLOWER_*, struct tc_gact); net/sched/{cls_flower,cls_matchall,act_gact}.c;
tc-flower(8). Traps: all filters of one priority are of one protocol; one without actions lets pass.
"""

import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from fairlead.linux import message as nl

_HEADER = struct.Struct("=BxxxiIII")
_INGRESS_HANDLE = 0xFFFF0000
_KIND, _OPTIONS = 1, 2
_ALL, _IPV4, _ARP, _RARP, _IPV6 = 0x0003, 0x0800, 0x0806, 0x8035, 0x86DD
_PRIORITIES = {_ARP: 2, _IPV4: 3, _IPV6: 4, _RARP: 5, _ALL: 9}
"""Behind the rate's, which is 1; the one that drops comes last."""
_ETH_TYPE = 8
_SOURCE_KEYS = {_IPV4: (10, 11), _IPV6: (14, 15), _ARP: (57, 58)}
"""Attributes of the address and of its mask."""
_ACTIONS = 3
_MATCHALL_ACTIONS = 2
_GACT_PARAMETERS, _SHOT = 2, 2
_UNKNOWN = "?"


@dataclass(frozen=True, slots=True, order=True)
class SourceFilter:
    """One filter: frames of that protocol from that prefix pass, "" from anywhere. Of protocol `_ALL`: are dropped."""

    protocol: int
    prefix: str = ""

    @property
    def is_drop(self) -> bool:
        """Whether it is the last one."""
        return self == SourceFilter(_ALL)


def filters_of(sources: Iterable[str]) -> frozenset[SourceFilter]:
    """What lets these prefixes pass and nothing else; nothing at all for none, which lets everything pass."""
    found = {SourceFilter(protocol, prefix) for prefix in sources for protocol in _protocols(prefix)}
    return frozenset({*found, SourceFilter(_RARP), SourceFilter(_ALL)}) if found else frozenset()


def sources_of(filters: frozenset[SourceFilter]) -> tuple[str, ...]:
    """The prefixes that these let pass, in order; empty where nothing is dropped. Filters that are not just what
    some prefixes make, because somebody has changed them, are told as a prefix that nobody asks for.
    """
    if not any(found.is_drop for found in filters):
        return (_UNKNOWN,) if filters else ()
    prefixes = {found.prefix for found in filters if found.protocol in (_IPV4, _IPV6)}
    is_whole = filters == filters_of(prefixes)
    return tuple(sorted(prefixes if is_whole else prefixes | {_UNKNOWN}))


def filter_header(index: int, known: SourceFilter, handle: int) -> bytes:
    """Names the filter of that handle, to be deleted."""
    info = _PRIORITIES[known.protocol] << 16 | socket.htons(known.protocol)
    return _HEADER.pack(socket.AF_UNSPEC, index, handle, _INGRESS_HANDLE, info)


def filter_body(index: int, wanted: SourceFilter) -> bytes:
    """The filter on that device, to be made."""
    header = filter_header(index, wanted, 0)
    if wanted.protocol == _ALL:
        return (
            header + nl.string(_KIND, "matchall") + nl.nested(_OPTIONS, nl.nested(_MATCHALL_ACTIONS, _drop()))
        )
    return header + nl.string(_KIND, "flower") + nl.nested(_OPTIONS, *_keys(wanted))


def read_filter(answer: bytes) -> tuple[SourceFilter, int] | None:
    """The filter of the kernel's answer, and its handle; None for one that is none of these. One of our priorities
    that is no filter of ours counts as one for a prefix that nobody asks for.
    """
    _, _, handle, _, info = _HEADER.unpack_from(answer)
    protocol = socket.ntohs(info & 0xFFFF)
    if _PRIORITIES.get(protocol) != info >> 16 or not handle:
        return None
    found = dict(nl.parts(answer[_HEADER.size :]))
    kind, options = found.get(_KIND, b"").rstrip(b"\0"), dict(nl.parts(found.get(_OPTIONS, b"")))
    if protocol == _ALL:
        drops = kind == b"matchall" and _is_drop(options.get(_MATCHALL_ACTIONS, b""))
        return SourceFilter(protocol, "" if drops else _UNKNOWN), handle
    if kind != b"flower":
        return SourceFilter(protocol, _UNKNOWN), handle
    return SourceFilter(protocol, _prefix(protocol, options)), handle


def _protocols(prefix: str) -> tuple[int, ...]:
    return (_IPV4, _ARP) if ip_network(prefix).version == IPv4Network(0).version else (_IPV6,)


def _keys(wanted: SourceFilter) -> list[bytes]:
    keys = [nl.attribute(_ETH_TYPE, struct.pack("!H", wanted.protocol))]
    network = ip_network(wanted.prefix) if wanted.protocol in _SOURCE_KEYS else None
    if network is not None and network.prefixlen:
        address, mask = _SOURCE_KEYS[wanted.protocol]
        keys.append(nl.attribute(address, network.network_address.packed))
        keys.append(nl.attribute(mask, network.netmask.packed))
    return keys


def _prefix(protocol: int, options: dict[int, bytes]) -> str:
    """From which addresses it lets pass. What it asks besides makes it narrower, which harms its guest alone."""
    if options.get(_ACTIONS):
        return _UNKNOWN
    if protocol not in _SOURCE_KEYS:
        return ""
    anywhere = (
        IPv6Network(0).supernet(new_prefix=0) if protocol == _IPV6 else IPv4Network(0).supernet(new_prefix=0)
    )
    address, mask = (options.get(key, b"") for key in _SOURCE_KEYS[protocol])
    octets = anywhere.max_prefixlen // 8
    if not address:
        return str(anywhere)
    length = int.from_bytes(mask or b"\xff" * octets).bit_count()
    return str(ip_network((address.ljust(octets, b"\0"), length), strict=False))


def _drop() -> bytes:
    parameters = struct.pack("=IIiii", 0, 0, _SHOT, 0, 0)
    options = nl.nested(_OPTIONS, nl.attribute(_GACT_PARAMETERS, parameters))
    return nl.nested(1, nl.string(_KIND, "gact"), options)


def _is_drop(actions: bytes) -> bool:
    for _, action in nl.parts(actions):
        found = dict(nl.parts(action))
        parameters = dict(nl.parts(found.get(_OPTIONS, b""))).get(_GACT_PARAMETERS)
        if found.get(_KIND, b"").rstrip(b"\0") == b"gact" and parameters is not None:
            return int(struct.unpack_from("=IIi", parameters)[2]) == _SHOT
    return False
