"""What is said to lldpad of VSIs, as bytes: netlink messages that go from process to process, not to the kernel.

lldpad reads them as libvirt writes them (src/util/virnetdevvportprofile.c), and the layouts are those of an SR-IOV
NIC's port profiles: include/uapi/linux/if_link.h, IFLA_VF_PORTS. Traps: the type id is in little-endian order, the one
number here that is not in host order; a filter (MAC and VLAN) is mandatory, as the settings of a VF that no PF has; the
response is absent while the bridge has not answered; lldpad's own messages have REQUEST as 16 bits, ours as 8.
"""

import struct
from collections.abc import Iterator
from uuid import UUID

from fairlead.linux.message import attribute, nested, number, octet, parts, string
from fairlead.model.vsi import VdpRequest, VdpResponse, VsiReading, VsiSettings, VsiState

_LINK_HEADER = struct.Struct("=BxHiII")
_NAME, _VFINFO_LIST, _VF_PORTS, _EXT_MASK = 3, 22, 24, 29
_FILTER_VF = 1
_VF_INFO, _VF_MAC, _VF_VLAN = 1, 1, 2
_VF_PORT = 1
_VSI_TYPE, _INSTANCE, _REQUEST, _RESPONSE = 3, 4, 6, 7
_NO_VF = 0xFFFFFFFF
_MAC_OCTETS = 32
_UUID_OCTETS = 16


def write_request(name: str, index: int, vsi: VsiSettings, request: VdpRequest) -> bytes:
    """The body of an RTM_SETLINK: that is asked of the bridge at the network device, for the VSI."""
    octets = bytes.fromhex(vsi.mac.replace(":", "")).ljust(_MAC_OCTETS, b"\0")
    mac = attribute(_VF_MAC, struct.pack("=I", _NO_VF) + octets)
    vlan = attribute(_VF_VLAN, struct.pack("=III", _NO_VF, vsi.vlan or 0, 0))
    port = (
        attribute(_VSI_TYPE, _vsi_type(vsi)),
        attribute(_INSTANCE, UUID(vsi.instance_id).bytes),
        octet(_REQUEST, request.value),
    )
    return b"".join(
        (
            _link_header(index),
            string(_NAME, name),
            nested(_VFINFO_LIST, nested(_VF_INFO, mac, vlan)),
            nested(_VF_PORTS, nested(_VF_PORT, *port)),
        )
    )


def write_question(index: int) -> bytes:
    """The body of an RTM_GETLINK: which VSIs are there at the network device."""
    return _link_header(index) + number(_EXT_MASK, _FILTER_VF)


def read_vsis(body: bytes) -> dict[str, VsiReading]:
    """By instance id, what is said of each in the answer to `write_question`; UNKNOWN where that is said twice."""
    found: dict[str, VsiReading] = {}
    for instance, reading in _read_vsis(body):
        found[instance] = reading if instance not in found else VsiReading(VsiState.UNKNOWN)
    return found


def _read_vsis(body: bytes) -> Iterator[tuple[str, VsiReading]]:
    for kind, ports in parts(body[_LINK_HEADER.size :]):
        for _, port in parts(ports) if kind == _VF_PORTS else ():
            said = dict(parts(port))
            instance = said.get(_INSTANCE, b"")
            if len(instance) == _UUID_OCTETS:
                yield str(UUID(bytes=instance)), _reading(said.get(_RESPONSE))


def _reading(response: bytes | None) -> VsiReading:
    if response is None:
        return VsiReading(VsiState.PENDING)
    code = int(struct.unpack_from("=H", response)[0])
    named = {known.code: known for known in VdpResponse}
    if named.get(code) is VdpResponse.SUCCESS:
        return VsiReading(VsiState.ASSOCIATED)
    return VsiReading(VsiState.REFUSED, named.get(code))


def _vsi_type(vsi: VsiSettings) -> bytes:
    """Struct ifla_port_vsi: manager, type in three octets, version, three octets of nothing."""
    octets = vsi.type_id.to_bytes(3, "little")
    return struct.pack("=B3sB3x", vsi.manager_id, octets, vsi.type_id_version)


def _link_header(index: int) -> bytes:
    return _LINK_HEADER.pack(0, 0, index, 0, 0)
