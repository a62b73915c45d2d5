"""A VF's 802.1Qbh association as the attributes of IFLA_VF_PORT, both ways.

Sources: include/uapi/linux/if_link.h (IFLA_PORT_*), net/core/rtnetlink.c (ifla_port_policy, rtnl_vf_ports_fill),
drivers/net/ethernet/cisco/enic/enic_main.c (enic_set_vf_port). Traps: enic of Linux 6.10 and later takes a profile of
40 octets and UUIDs of 16 and nothing shorter, older ones take that too; the request is one octet when it is asked, and
two when it is told; a VF of which nothing was asked is left out of the answer.
"""

import struct
from collections.abc import Mapping
from uuid import UUID

from fairlead.linux.message import attribute, nested, number, octet, parts
from fairlead.model.association import SUCCESS, Association, AssociationRequest

_VF_PORT = 1
_VF, _PROFILE, _INSTANCE_UUID, _HOST_UUID, _REQUEST, _RESPONSE = 1, 2, 4, 5, 6, 7
_PROFILE_OCTETS, _UUID_OCTETS = 40, 16
_REQUESTS = {2: AssociationRequest.ASSOCIATE, 3: AssociationRequest.DISASSOCIATE}
_ASSOCIATE, _DISASSOCIATE = 2, 3


def write_vf_port(vf: int, wanted: Association | None) -> bytes:
    """One IFLA_VF_PORT that associates the VF; None: that ends its association."""
    if wanted is None:
        return nested(_VF_PORT, number(_VF, vf), octet(_REQUEST, _DISASSOCIATE))
    return nested(
        _VF_PORT,
        number(_VF, vf),
        attribute(_PROFILE, wanted.profile_id.encode().ljust(_PROFILE_OCTETS, b"\0")),
        attribute(_INSTANCE_UUID, UUID(wanted.instance_id).bytes),
        attribute(_HOST_UUID, UUID(wanted.host_id).bytes),
        octet(_REQUEST, _ASSOCIATE),
    )


def read_vf_ports(data: bytes) -> Mapping[int, Association]:
    """The associations in IFLA_VF_PORTS, by VF; without those of which nothing was asked, or which have ended."""
    found = (_read(value) for kind, value in parts(data) if kind == _VF_PORT)
    return dict(port for port in found if port is not None)


def _read(data: bytes) -> tuple[int, Association] | None:
    found = dict(parts(data))
    vf, request, response = _word(found.get(_VF)), _word(found.get(_REQUEST)), _word(found.get(_RESPONSE))
    if vf is None or request is None:
        return None
    asked = _REQUESTS.get(request, AssociationRequest.OTHER)
    if asked is AssociationRequest.DISASSOCIATE and response == SUCCESS:
        return None
    return vf, Association(
        profile_id=found.get(_PROFILE, b"").split(b"\0")[0].decode("utf-8", "replace"),
        instance_id=_uuid(found.get(_INSTANCE_UUID)),
        host_id=_uuid(found.get(_HOST_UUID)),
        request=asked,
        response=response,
    )


def _word(value: bytes | None) -> int | None:
    """A number of four octets, two or one."""
    formats = {4: "=I", 2: "=H", 1: "=B"}
    form = formats.get(len(value)) if value is not None else None
    return int(struct.unpack(form, value)[0]) if form and value is not None else None


def _uuid(value: bytes | None) -> str:
    if value is None or len(value) != _UUID_OCTETS or not any(value):
        return ""
    return str(UUID(bytes=value))
