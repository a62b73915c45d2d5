"""A rate for what comes in at a device, as the first filter of its ingress queueing discipline.

Sources: include/uapi/linux/pkt_cls.h (struct tc_police), pkt_sched.h; net/sched/{cls_matchall,act_police}.c;
tc-police(8). A limit, not a shaper: what is over is dropped, and TCP adapts.
"""

import socket
import struct

from fairlead.linux import message as nl

_HEADER = struct.Struct("=BxxxiIII")
_INGRESS_HANDLE = 0xFFFF0000
_KIND, _OPTIONS = 1, 2
_MATCHALL_ACTIONS = 2
_POLICE, _RATE_TABLE, _RESULT, _RATE64 = 1, 2, 5, 8
_GO_ON = -1
_ETH_P_ALL = 0x0003
_PRIORITY = 1
_SHOT = 2
_RATE_TABLE_OCTETS = 1024
_POLICE_STRUCT = struct.Struct("=IiIII BBHhHI 12x iiI".replace(" ", ""))
_RATE_OFFSET = 4 * 5 + 8
_LINKLAYER_ETHERNET = 1
_CELL_LOG = 8
# A guest may send 64 KiB in one piece (segmentation offload), which must pass whole.
_LARGEST_OCTETS = 1 << 17
_BURST_SECONDS = 0.1
_TICK_NANOSECONDS = 64
_OCTETS_PER_KBIT = 125
_UINT32 = 0xFFFFFFFF


def filter_body(index: int, rate_kbps: int) -> bytes:
    """A filter for all frames that drops what is over the rate and leaves the rest to the next one; a burst of 100 ms,
    128 KiB at least.
    """
    rate = rate_kbps * _OCTETS_PER_KBIT
    burst = max(int(rate * _BURST_SECONDS), _LARGEST_OCTETS)
    ticks = min(burst * 1_000_000_000 // rate // _TICK_NANOSECONDS, _UINT32)
    police = _POLICE_STRUCT.pack(
        0,
        _SHOT,
        0,
        ticks,
        _LARGEST_OCTETS,
        _CELL_LOG,
        _LINKLAYER_ETHERNET,
        0,
        0,
        0,
        min(rate, _UINT32),
        0,
        0,
        0,
    )
    # The kernel wants a rate table with any rate, and has not read it since 3.8 (qdisc_get_rtab).
    options = [
        nl.attribute(_POLICE, police),
        nl.attribute(_RATE_TABLE, bytes(_RATE_TABLE_OCTETS)),
        nl.attribute(_RESULT, struct.pack("=i", _GO_ON)),
    ]
    if rate > _UINT32:
        options.append(nl.attribute(_RATE64, struct.pack("=Q", rate)))
    action = nl.nested(1, nl.string(_KIND, "police"), nl.nested(_OPTIONS, *options))
    info = _PRIORITY << 16 | socket.htons(_ETH_P_ALL)
    header = _HEADER.pack(socket.AF_UNSPEC, index, 1, _INGRESS_HANDLE, info)
    return header + nl.string(_KIND, "matchall") + nl.nested(_OPTIONS, nl.nested(_MATCHALL_ACTIONS, action))


def read_rate(answer: bytes) -> int | None:
    """kbit/s of the filter's policing action; None when it has none."""
    found = dict(nl.parts(answer[_HEADER.size :]))
    if found.get(_KIND, b"").rstrip(b"\0") != b"matchall":
        return None
    actions = dict(nl.parts(found.get(_OPTIONS, b""))).get(_MATCHALL_ACTIONS, b"")
    for _, action in nl.parts(actions):
        said = dict(nl.parts(action))
        if said.get(_KIND, b"").rstrip(b"\0") != b"police":
            continue
        rate = _octets_per_second(dict(nl.parts(said.get(_OPTIONS, b""))))
        if rate is not None:
            return rate // _OCTETS_PER_KBIT
    return None


def _octets_per_second(options: dict[int, bytes]) -> int | None:
    if _RATE64 in options:
        return int(struct.unpack("=Q", options[_RATE64])[0])
    police = options.get(_POLICE)
    if police is None:
        return None
    return int(struct.unpack_from("=I", police, _RATE_OFFSET)[0])
