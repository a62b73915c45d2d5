"""The multicast groups that a network device takes in: its own list, which the kernel shows and changes as entries of a
forwarding table.

Sources: net/core/rtnetlink.c (rtnl_fdb_add, ndo_dflt_fdb_dump), net/core/dev_addr_lists.c, drivers/net/macvlan.c
(macvlan_fdb_add); include/uapi/linux/neighbour.h.
"""

import errno
import socket
import struct

from fairlead.linux import message as nl
from fairlead.linux.netlink import NetlinkRefusal
from fairlead.model.multicast import Group

_NEWNEIGH, _GETNEIGH = 28, 30
_HEADER = struct.Struct("=BxxxiHBB")
_LLADDR, _PERMANENT, _SELF, _OCTETS = 2, 0x80, 0x2, 6


def read_groups(channel: nl.Channel, index: int) -> tuple[Group, ...]:
    """See Netlink.groups."""
    answers = channel.request(_GETNEIGH, _HEADER.pack(socket.AF_BRIDGE, index, 0, 0, 0), nl.DUMP)
    found = (_read_group(answer, index) for answer in answers)
    return tuple(sorted({group for group in found if group is not None}))


def join_group(channel: nl.Channel, index: int, group: Group) -> None:
    """See Netlink.join_group. Without NLM_F_REPLACE, which macvlan refuses."""
    header = _HEADER.pack(socket.AF_BRIDGE, index, _PERMANENT, _SELF, 0)
    try:
        channel.request(
            _NEWNEIGH, header + nl.attribute(_LLADDR, bytes.fromhex(group.replace(":", ""))), nl.CREATE
        )
    except NetlinkRefusal as refusal:
        if refusal.errno != errno.EEXIST:
            raise


def _read_group(answer: bytes, index: int) -> Group | None:
    _, at, _, flags, _ = _HEADER.unpack_from(answer)
    octets = dict(nl.parts(answer[_HEADER.size :])).get(_LLADDR, b"")
    is_group = at == index and flags & _SELF and len(octets) == _OCTETS and octets[0] & 1
    return Group(octets.hex(":")) if is_group else None
