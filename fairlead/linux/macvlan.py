"""How a macvtap has what it is on, as IFLA_INFO_DATA says it: for itself, and without making it promiscuous.

Promiscuous, a VF would ask its PF for more than that grants, some without their list of groups then, and a guest on one
that is trusted would hear what is not its own. The MAC of what it is on is the macvtap's own anyhow.

Sources: include/uapi/linux/if_link.h; drivers/net/macvlan.c (macvlan_open); enic_main.c (enic_set_rx_mode);
ixgbe_sriov.c (ixgbe_update_vf_xcast_mode).
"""

import struct
from collections.abc import Mapping

from fairlead.linux import message as nl

_MODE, _FLAGS = 1, 2
_PASSTHRU, _NO_PROMISCUITY = 8, 1


def passthru() -> bytes:
    """The attributes to make one so."""
    return nl.number(_MODE, _PASSTHRU) + nl.short(_FLAGS, _NO_PROMISCUITY)


def is_passthru(data: Mapping[int, bytes]) -> bool:
    """Whether one is so."""
    (mode,) = struct.unpack("=I", data.get(_MODE, bytes(4)))
    (flags,) = struct.unpack("=H", data.get(_FLAGS, bytes(2)))
    return mode == _PASSTHRU and bool(flags & _NO_PROMISCUITY)
