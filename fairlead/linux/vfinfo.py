"""A VF's settings as the attributes of IFLA_VF_INFO, both ways.

Sources: include/uapi/linux/if_link.h (struct ifla_vf_*), net/core/rtnetlink.c (do_setvfinfo,
rtnl_fill_vfinfo). Traps: a driver that has no spoof check or trust leaves -1 there; the VLAN protocol is in
network order while all else is in host order; a VF's index is what its records say, not its place.
"""

import socket
import struct
from collections.abc import Callable
from enum import Enum

from fairlead.linux.message import attribute, nested, parts
from fairlead.model.errors import InvalidValue
from fairlead.model.pci import MacAddress, parse_mac
from fairlead.model.vf import LinkState, VfSettings, VlanProtocol

VF_INFO = 1
_MAC, _VLAN, _TX_RATE, _SPOOF_CHECK, _LINK_STATE, _RATE, _TRUST, _VLAN_LIST = 1, 2, 3, 4, 5, 6, 9, 12
_VLAN_INFO = 1
_MAC_OCTETS = 32
_WORD_OCTETS = 4
_UNKNOWN = 0xFFFFFFFF
_STATES = {0: LinkState.AUTO, 1: LinkState.ENABLE, 2: LinkState.DISABLE}
_ETHERTYPES = {0x8100: VlanProtocol.DOT1Q, 0x88A8: VlanProtocol.DOT1AD}

APPLIED = (
    "mac",
    "vlan",
    "vlan_priority",
    "vlan_protocol",
    "min_rate_mbps",
    "max_rate_mbps",
    "spoof_check",
    "link_state",
    "trust",
    "port_guid",
    "node_guid",
    "partition_key",
    "association",
)
"""The order in which the kernel applies the fields of one message, whatever theirs in it (do_setvfinfo); what is asked
of the switch comes last (do_setlink).
"""
VLAN_FIELDS = frozenset({"vlan", "vlan_priority", "vlan_protocol"})
"""Fields that one attribute sets together."""


def read_vf_info(data: bytes) -> tuple[int, VfSettings] | None:
    """Index and settings in one IFLA_VF_INFO; None when it does not say which VF it is of."""
    found = {kind: value for kind, value in parts(data) if len(value) >= _WORD_OCTETS}
    mac = found.get(_MAC)
    if mac is None:
        return None
    vlan, priority, protocol = _read_vlan(found)
    min_rate, max_rate = _read_rates(found)
    return _word(mac, 0), VfSettings(
        mac=_read_mac(mac[4:10]),
        vlan=vlan or None,
        vlan_priority=priority,
        vlan_protocol=protocol,
        spoof_check=_read_flag(found.get(_SPOOF_CHECK)),
        trust=_read_flag(found.get(_TRUST)),
        link_state=_STATES.get(_second(found.get(_LINK_STATE), _UNKNOWN)),
        min_rate_mbps=min_rate,
        max_rate_mbps=max_rate,
    )


def write_vf_info(vf: int, settings: VfSettings, fields: tuple[str, ...]) -> bytes:
    """One IFLA_VF_INFO that sets the named fields; a named field that is None is set to nothing (no MAC,
    no VLAN) or left alone (the others: nobody asked).
    """
    wanted = frozenset(fields)
    found = [_write_mac(vf, settings.mac)] if "mac" in wanted else []
    if wanted & VLAN_FIELDS:
        found.append(_write_vlan(vf, settings))
    found.extend(_write_rates(vf, settings, wanted))
    writers: tuple[tuple[str, int, Callable[[], int | None]], ...] = (
        ("spoof_check", _SPOOF_CHECK, lambda: settings.spoof_check),
        ("link_state", _LINK_STATE, lambda: _state_number(settings.link_state)),
        ("trust", _TRUST, lambda: settings.trust),
    )
    for field, kind, value in writers:
        said = value()
        if field in wanted and said is not None:
            found.append(attribute(kind, struct.pack("=II", vf, said)))
    return nested(VF_INFO, *found)


def _read_mac(octets: bytes) -> MacAddress | None:
    try:
        return parse_mac(octets.hex(":"))
    except InvalidValue:
        return None


def _read_vlan(found: dict[int, bytes]) -> tuple[int, int, VlanProtocol]:
    for kind, value in parts(found.get(_VLAN_LIST, b"")):
        if kind == _VLAN_INFO:
            _, vlan, priority, ethertype = struct.unpack_from("=IIIH", value)
            return vlan, priority, _ETHERTYPES.get(socket.ntohs(ethertype), VlanProtocol.DOT1Q)
    plain = found.get(_VLAN)
    if plain is None:
        return 0, 0, VlanProtocol.DOT1Q
    return _word(plain, 4), _word(plain, 8), VlanProtocol.DOT1Q


def _read_rates(found: dict[int, bytes]) -> tuple[int | None, int | None]:
    rate = found.get(_RATE)
    if rate is not None:
        return _word(rate, 4), _word(rate, 8)
    old = found.get(_TX_RATE)
    return None, _word(old, 4) if old is not None else None


def _read_flag(value: bytes | None) -> bool | None:
    said = _second(value, _UNKNOWN)
    return None if said == _UNKNOWN else said == 1


def _second(value: bytes | None, missing: int) -> int:
    return _word(value, 4) if value is not None else missing


def _word(value: bytes, offset: int) -> int:
    return int(struct.unpack_from("=I", value, offset)[0])


def _write_mac(vf: int, mac: MacAddress | None) -> bytes:
    octets = bytes.fromhex(mac.replace(":", "")) if mac is not None else b""
    return attribute(_MAC, struct.pack("=I", vf) + octets.ljust(_MAC_OCTETS, b"\0"))


def _write_vlan(vf: int, settings: VfSettings) -> bytes:
    """802.1Q in the old attribute, which every driver takes; 802.1ad only fits the new one. VLAN 0 is how
    the kernel is told that there is none.
    """
    vlan, priority = settings.vlan or 0, settings.vlan_priority
    if settings.vlan is None or settings.vlan_protocol is VlanProtocol.DOT1Q:
        return attribute(_VLAN, struct.pack("=III", vf, vlan, priority))
    ethertype = next(number for number, known in _ETHERTYPES.items() if known is settings.vlan_protocol)
    info = struct.pack("=IIIHxx", vf, vlan, priority, socket.htons(ethertype))
    return nested(_VLAN_LIST, attribute(_VLAN_INFO, info))


def _write_rates(vf: int, settings: VfSettings, wanted: frozenset[str]) -> list[bytes]:
    """IFLA_VF_RATE sets both rates; where nobody asked for a minimum, IFLA_VF_TX_RATE leaves it alone."""
    low, high = settings.min_rate_mbps, settings.max_rate_mbps
    if not wanted & {"min_rate_mbps", "max_rate_mbps"}:
        return []
    if low is None:
        return [attribute(_TX_RATE, struct.pack("=II", vf, high))] if high is not None else []
    return [attribute(_RATE, struct.pack("=III", vf, low, high or 0))]


def _state_number(state: LinkState | None) -> int | None:
    return next((number for number, known in _STATES.items() if known is state), None)


def first_refused(settings: VfSettings, left: tuple[str, ...]) -> str:
    """The first of those fields, in words. VLAN, priority and protocol are one attribute: what was refused of the
    three, nobody can say.
    """
    first = left[0]
    named = tuple(name for name in left if name in VLAN_FIELDS) if first in VLAN_FIELDS else (first,)
    return ", ".join(_shown(name, getattr(settings, name)) for name in named)


def _shown(name: str, value: object) -> str:
    if value is None:
        return f"{name} none"
    return f"{name} {value.value if isinstance(value, Enum) else value}"
