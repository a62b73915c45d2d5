"""TLVs as LLDP and ECP have them: seven bits of type, nine of length, then the value (IEEE 802.1AB, 8.4)."""

import struct
from collections.abc import Iterator

ORGANIZATIONAL = 127
_HEAD = struct.Struct("!H")
_LENGTH_BITS, _LENGTH_MASK = 9, 0x1FF


def tlvs(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and value of each, up to the end TLV, or to what is cut off."""
    while len(octets) >= _HEAD.size:
        (head,) = _HEAD.unpack_from(octets)
        kind, end = head >> _LENGTH_BITS, _HEAD.size + (head & _LENGTH_MASK)
        if kind == 0 or end > len(octets):
            return
        yield kind, octets[_HEAD.size : end]
        octets = octets[end:]
