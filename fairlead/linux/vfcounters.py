"""A VF's counters in IFLA_VF_STATS. Sources: include/uapi/linux/if_link.h, net/core/rtnetlink.c (rtnl_fill_vfinfo).

The kernel writes zeros for a driver that counts nothing; so all zeros says that nobody knows.
"""

import struct

from fairlead.linux.message import parts
from fairlead.linux.vfinfo import VF_INFO
from fairlead.model.diagnostics import NicCounters

_MAC, _STATS = 1, 8
_RX_PACKETS, _TX_PACKETS, _RX_BYTES, _TX_BYTES, _RX_DROPPED, _TX_DROPPED = 0, 1, 2, 3, 7, 8
_QUAD_OCTETS = 8


def read_counters(infos: bytes) -> dict[int, NicCounters]:
    """Those in an IFLA_VFINFO_LIST, by VF; without VFs of which their driver counts nothing."""
    counted: dict[int, NicCounters] = {}
    for kind, value in parts(infos):
        found = dict(parts(value)) if kind == VF_INFO else {}
        said = _read(found.get(_STATS, b""))
        if _MAC in found and said is not None:
            counted[int(struct.unpack_from("=I", found[_MAC])[0])] = said
    return counted


def _read(stats: bytes) -> NicCounters | None:
    found = {
        kind: int(struct.unpack_from("=Q", value)[0])
        for kind, value in parts(stats)
        if len(value) >= _QUAD_OCTETS
    }
    if not any(found.values()):
        return None
    return NicCounters(
        rx_octets=found.get(_RX_BYTES, 0),
        rx_packets=found.get(_RX_PACKETS, 0),
        tx_octets=found.get(_TX_BYTES, 0),
        tx_packets=found.get(_TX_PACKETS, 0),
        rx_drop=found.get(_RX_DROPPED),
        tx_drop=found.get(_TX_DROPPED),
    )
