"""ECP, the Edge Control Protocol: numbered requests, each acknowledged, that carry VDP's TLVs."""

import struct
from dataclasses import dataclass
from typing import assert_never

from evb.frames import NEAREST_BRIDGE, NEAREST_CUSTOMER_BRIDGE, Form, Frame, Malformed

# lldptool-evb22(8) says 0x8890 for the standard's; what lldpad sends is this.
ETHERTYPES = {Form.DRAFT: 0x88B7, Form.RATIFIED: 0x8940}
# Where requests go. lldpad sends the draft's to the nearest bridge, although it tells its LLDP to the customer bridge.
DESTINATIONS = {Form.DRAFT: NEAREST_BRIDGE, Form.RATIFIED: NEAREST_CUSTOMER_BRIDGE}
MOST_SEQUENCE = 0xFFFF
_DRAFT = struct.Struct("!3sBHBH")
_DRAFT_OUI = bytes.fromhex("001b3f")
_RATIFIED = struct.Struct("!HH")
_VERSION, _VDP = 1, 1
_OPERATION_AT, _VERSION_AT = 10, 12
_REQUEST, _ACKNOWLEDGEMENT = 0, 1


@dataclass(frozen=True, slots=True)
class Ecpdu:
    """A request, or the acknowledgement of the request of that number; `payload` is VDP's."""

    form: Form
    is_acknowledgement: bool
    sequence: int
    payload: bytes = b""

    def acknowledged(self) -> "Ecpdu":
        """What answers it."""
        return Ecpdu(self.form, is_acknowledgement=True, sequence=self.sequence)


def framed(ecpdu: Ecpdu, source: bytes, destination: bytes) -> Frame:
    """The frame that carries it."""
    return Frame(destination, source, ETHERTYPES[ecpdu.form], built(ecpdu))


def built(ecpdu: Ecpdu) -> bytes:
    """A frame's payload."""
    operation = _ACKNOWLEDGEMENT if ecpdu.is_acknowledgement else _REQUEST
    match ecpdu.form:
        case Form.DRAFT:
            return _DRAFT.pack(_DRAFT_OUI, 0, 0, operation, ecpdu.sequence) + ecpdu.payload
        case Form.RATIFIED:
            head = _VERSION << _VERSION_AT | operation << _OPERATION_AT | _VDP
            return _RATIFIED.pack(head, ecpdu.sequence) + ecpdu.payload
        case unknown:
            assert_never(unknown)


def parsed(form: Form, payload: bytes) -> Ecpdu:
    """What the payload of a frame of that form says."""
    layout = _DRAFT if form is Form.DRAFT else _RATIFIED
    if len(payload) < layout.size:
        raise Malformed(f"an ECPDU of {len(payload)} octets has no whole header")
    if form is Form.DRAFT:
        whose, subtype, kind, operation, sequence = _DRAFT.unpack_from(payload)
        is_known = (whose, subtype, kind) == (_DRAFT_OUI, 0, 0)
    else:
        head, sequence = _RATIFIED.unpack_from(payload)
        operation = head >> _OPERATION_AT & 0x3
        is_known = head & ~(0x3 << _OPERATION_AT) == _VERSION << _VERSION_AT | _VDP
    if not is_known or operation not in (_REQUEST, _ACKNOWLEDGEMENT):
        raise Malformed(f"not a header of an ECPDU: {payload[: layout.size].hex()}")
    return Ecpdu(form, operation == _ACKNOWLEDGEMENT, sequence, payload[layout.size :])
