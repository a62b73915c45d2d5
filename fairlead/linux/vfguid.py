"""An InfiniBand VF's settings as the attributes of IFLA_VF_INFO, both ways.

Sources: include/uapi/linux/if_link.h (struct ifla_vf_guid), net/core/rtnetlink.c (do_setvfinfo, rtnl_fill_vfinfo),
drivers/infiniband/ulp/ipoib/ipoib_main.c (ipoib_netdev_ops_pf), drivers/infiniband/hw/mlx5/ib_virt.c. Traps:
do_setvfinfo returns after a node GUID, so a port GUID beside it in one VF_INFO is lost without an error; IPoIB gives
every VF its PF's own address of 20 octets as MAC; mlx5_ib leaves VLAN, rates, spoof check and trust at 0 and cannot be
told them, so what is read there says nothing.
"""

import struct

from fairlead.linux.message import attribute, nested, parts
from fairlead.linux.vfinfo import VF_INFO, read_vf_info, write_vf_info
from fairlead.model.infiniband import NOBODYS_GUID, Guid, number_of, somebodys, spelt
from fairlead.model.vf import VfSettings

_NODE_GUID, _PORT_GUID = 10, 11
_GUID_RECORD = struct.Struct("=IxxxxQ")
GUID_FIELDS = {"port_guid": _PORT_GUID, "node_guid": _NODE_GUID}
"""Each with its attribute, in the order in which they are set."""


def read_infiniband_info(data: bytes) -> tuple[int, VfSettings] | None:
    """Index and settings in one IFLA_VF_INFO of an InfiniBand PF; None when it does not say which VF it is of. Kernels
    before 5.5 tell no GUIDs, which reads as none.
    """
    found = read_vf_info(data)
    if found is None:
        return None
    records = dict(parts(data))
    return found[0], VfSettings(
        link_state=found[1].link_state,
        port_guid=_read_guid(records.get(_PORT_GUID)),
        node_guid=_read_guid(records.get(_NODE_GUID)),
    )


def write_infos(vf: int, settings: VfSettings, fields: tuple[str, ...]) -> bytes:
    """The IFLA_VF_INFOs that set the named fields, for one message: each GUID has its own, after all else."""
    others = tuple(name for name in fields if name not in GUID_FIELDS)
    infos = [write_vf_info(vf, settings, others)] if others else []
    for name, kind in GUID_FIELDS.items():
        if name in fields:
            guid = settings.port_guid if kind == _PORT_GUID else settings.node_guid
            record = _GUID_RECORD.pack(vf, number_of(guid or NOBODYS_GUID))
            infos.append(nested(VF_INFO, attribute(kind, record)))
    return b"".join(infos)


def _read_guid(record: bytes | None) -> Guid | None:
    if record is None or len(record) < _GUID_RECORD.size:
        return None
    return somebodys(spelt(_GUID_RECORD.unpack_from(record)[1]))
