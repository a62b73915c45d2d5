"""A PF's VFs in one rtnetlink message: what is asked of one, and what is told of all.

Sources: net/core/rtnetlink.c: do_setlink applies IFLA_VFINFO_LIST and then IFLA_VF_PORTS, and stops where something is
refused, with what went before applied; rtnl_fill_vf tells no IFLA_VFINFO_LIST of a driver without ndo_get_vf_config
(in-tree enic), and IFLA_VF_PORTS, be it empty, of each that has ndo_get_vf_port and VFs.
"""

import struct
from collections.abc import Mapping
from dataclasses import replace

from fairlead.linux.message import nested, parts
from fairlead.linux.vfguid import read_infiniband_info, write_infos
from fairlead.linux.vfinfo import VF_INFO, read_vf_info
from fairlead.linux.vfport import read_vf_ports, write_vf_port
from fairlead.model.vf import VfSettings

_NUM_VF, _VFINFO_LIST, _VF_PORTS = 21, 22, 24
_ASSOCIATION = "association"


def write_vf(vf: int, settings: VfSettings, fields: tuple[str, ...]) -> bytes:
    """The attributes of one message that sets the named fields."""
    plain = tuple(name for name in fields if name != _ASSOCIATION)
    info = nested(_VFINFO_LIST, write_infos(vf, settings, plain)) if plain else b""
    if _ASSOCIATION not in fields:
        return info
    return info + nested(_VF_PORTS, write_vf_port(vf, settings.association))


def takes_associations(found: Mapping[int, bytes]) -> bool:
    """Whether the driver has 802.1Qbh's operations, by the attributes of its answer."""
    return _VF_PORTS in found


def read_vfs(found: Mapping[int, bytes], *, is_infiniband: bool = False) -> dict[int, VfSettings]:
    """The VFs by index, by the attributes of an answer about a PF of that kind. Those of a driver that tells
    associations alone are counted.
    """
    associations = read_vf_ports(found.get(_VF_PORTS, b""))
    if takes_associations(found) and _VFINFO_LIST not in found:
        count = struct.unpack("=I", found[_NUM_VF])[0] if _NUM_VF in found else 0
        return {
            vf: VfSettings(association=associations.get(vf), is_mac_told=False) for vf in range(int(count))
        }
    read = read_infiniband_info if is_infiniband else read_vf_info
    told = (read(value) for kind, value in parts(found.get(_VFINFO_LIST, b"")) if kind == VF_INFO)
    vfs = dict(info for info in told if info is not None)
    return vfs | {vf: replace(vfs[vf], association=made) for vf, made in associations.items() if vf in vfs}
