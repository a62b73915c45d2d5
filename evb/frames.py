"""What the three protocols share: the two forms, the Ethernet frame around them, and LLDP's way to write TLVs."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

NEAREST_CUSTOMER_BRIDGE = bytes.fromhex("0180c2000000")
NEAREST_BRIDGE = bytes.fromhex("0180c200000e")
ORGANIZATIONAL = 127
"""The TLV type whose first four octets say whose TLV it is (IEEE 802.1AB, 8.6)."""
_HEADER = struct.Struct("!6s6sH")
_SHORTEST_FRAME = 60
_LENGTH_BITS, _LONGEST_VALUE, _KINDS = 9, 511, 128


class Malformed(ValueError):
    """Octets that are not what they should be; the words say which and why."""


class Form(Enum):
    """Which text of 802.1Qbg is spoken."""

    DRAFT = "draft"
    RATIFIED = "2012"


@dataclass(frozen=True, slots=True)
class Frame:
    """One Ethernet frame; parsed from the wire, its payload may end in padding."""

    destination: bytes
    source: bytes
    ethertype: int
    payload: bytes

    def built(self) -> bytes:
        """As it goes on the wire, padded to Ethernet's least."""
        header = _HEADER.pack(self.destination, self.source, self.ethertype)
        return (header + self.payload).ljust(_SHORTEST_FRAME, b"\0")


def parsed_frame(octets: bytes) -> Frame:
    """The frame that the octets are."""
    if len(octets) < _HEADER.size:
        raise Malformed(f"a frame of {len(octets)} octets has no whole header")
    destination, source, ethertype = _HEADER.unpack_from(octets)
    return Frame(destination, source, ethertype, octets[_HEADER.size :])


@dataclass(frozen=True, slots=True)
class Tlv:
    """Type, length and value as LLDP writes them: seven bits, nine bits, octets."""

    kind: int
    value: bytes


def built_tlvs(tlvs: Iterable[Tlv]) -> bytes:
    """One after the other, without an end."""
    return b"".join(_built(tlv) for tlv in tlvs)


def _built(tlv: Tlv) -> bytes:
    if not 0 < tlv.kind < _KINDS or len(tlv.value) > _LONGEST_VALUE:
        raise Malformed(f"no TLV can be of type {tlv.kind} with {len(tlv.value)} octets")
    return struct.pack("!H", tlv.kind << _LENGTH_BITS | len(tlv.value)) + tlv.value


def parsed_tlvs(octets: bytes) -> tuple[Tlv, ...]:
    """Up to the end TLV (type 0, which padding looks like too) or the last octet."""
    found = []
    at = 0
    while at + 2 <= len(octets):
        (head,) = struct.unpack_from("!H", octets, at)
        kind, length = head >> _LENGTH_BITS, head & _LONGEST_VALUE
        if kind == 0:
            break
        at += 2 + length
        if at > len(octets):
            raise Malformed(f"a TLV of type {kind} says {length} octets and has {len(octets) - at + length}")
        found.append(Tlv(kind, octets[at - length : at]))
    return tuple(found)
