"""What a bridge answers by VDP, as it stands in the frames that come from the wire.

lldpad is told the same by the same frames, and does not always tell it again (fairlead/linux/lldpad.py). Layouts: IEEE
802.1Qbg-2012, clauses 41 and 43, and of the draft before it lldpad 1.1's include/lldp_vdp.h; both as they were seen on
a wire (docs/dev/evb.md).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from fairlead.linux.tlvs import ORGANIZATIONAL, tlvs
from fairlead.model.vsi import ABSENT, VdpRequest, VdpResponse, VsiReading, VsiSettings, VsiState


class VdpForm(Enum):
    """The two forms of the protocol, by the EtherType of its frames."""

    DRAFT = 0x88B7
    STANDARD = 0x8940


@dataclass(frozen=True, slots=True)
class VdpFrame:
    """One that came: who sent it, and what is after its EtherType."""

    form: VdpForm
    source: bytes
    payload: bytes


_ETHERNET = struct.Struct("!6s6sH")
_DRAFT_HEAD = struct.Struct("!3sBHBH")
_STANDARD_HEAD = struct.Struct("!HH")
_DRAFT_ECP, _DRAFT_VDP = bytes.fromhex("001b3f"), bytes.fromhex("001b3f02")
_DRAFT_NAMED, _STANDARD_NAMED = slice(6, 27), slice(1, 22)
_STANDARD_REQUEST = 0x1001
"""Version 1, operation request, subtype VDP: a bridge answers by a request of its own."""
_UUID_FORMAT = 5
_ANSWERED, _CODE_MASK = 0x40, 0x0F
_MODES = frozenset(request.value for request in VdpRequest)
_CODES = {response.code: response for response in VdpResponse}


def vdp_frame(octets: bytes) -> VdpFrame | None:
    """None where it is none of VDP's."""
    if len(octets) < _ETHERNET.size:
        return None
    _, source, ethertype = _ETHERNET.unpack_from(octets)
    forms = {form.value: form for form in VdpForm}
    return VdpFrame(forms[ethertype], source, octets[_ETHERNET.size :]) if ethertype in forms else None


def answer_in(frame: VdpFrame, vsi: VsiSettings, request: VdpRequest) -> VsiReading | None:
    """What a bridge's frame says of the VSI that was asked for so, by its very type and version. ABSENT: that it has it
    no more. None: nothing.
    """
    said = _draft(frame.payload) if frame.form is VdpForm.DRAFT else _standard(frame.payload)
    found = None
    for mode, status, named in said:
        if named != _named(frame.form, vsi):
            continue
        if mode == VdpRequest.DISASSOCIATE.value:
            found = ABSENT
        elif mode == request.value and status is not None:
            found = _reading(status)
    return found


_Said = Iterator[tuple[int, int | None, bytes]]
"""Of each VSI: what it is about, the code of the answer (None: it is none) and the octets that name the VSI."""


def _draft(payload: bytes) -> _Said:
    """After mode and response: manager, type, version, instance. In a request of a station the response is 0, which is
    SUCCESS: who sent it is all that tells the two apart.
    """
    if len(payload) < _DRAFT_HEAD.size:
        return
    whose, subtype, kind, operation, _ = _DRAFT_HEAD.unpack_from(payload)
    if (whose, subtype, kind, operation) != (_DRAFT_ECP, 0, 0, 0):
        return
    for kind, value in tlvs(payload[_DRAFT_HEAD.size :]):
        if kind == ORGANIZATIONAL and value[:4] == _DRAFT_VDP and len(value) >= _DRAFT_NAMED.stop:
            yield value[4], value[5], value[_DRAFT_NAMED]


def _standard(payload: bytes) -> _Said:
    """After the status: type, version, format of the instance, instance. The manager is in a TLV of its own."""
    if len(payload) < _STANDARD_HEAD.size or _STANDARD_HEAD.unpack_from(payload)[0] != _STANDARD_REQUEST:
        return
    for kind, value in tlvs(payload[_STANDARD_HEAD.size :]):
        if kind - 1 in _MODES and len(value) >= _STANDARD_NAMED.stop:
            is_answer = bool(value[0] & _ANSWERED)
            yield kind - 1, value[0] & _CODE_MASK if is_answer else None, value[_STANDARD_NAMED]


def _named(form: VdpForm, vsi: VsiSettings) -> bytes:
    kind = vsi.type_id.to_bytes(3, "big") + bytes((vsi.type_id_version,))
    instance = UUID(vsi.instance_id).bytes
    if form is VdpForm.DRAFT:
        return bytes((vsi.manager_id,)) + kind + instance
    return kind + bytes((_UUID_FORMAT,)) + instance


def _reading(code: int) -> VsiReading:
    if _CODES.get(code) is VdpResponse.SUCCESS:
        return VsiReading(VsiState.ASSOCIATED)
    return VsiReading(VsiState.REFUSED, _CODES.get(code))
