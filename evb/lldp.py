"""LLDP as far as EVB needs it: who announces, for how long, and the EVB TLV of either form."""

import struct
from dataclasses import dataclass

from evb.frames import ORGANIZATIONAL, Form, Malformed, Tlv, built_tlvs, parsed_tlvs

ETHERTYPE = 0x88CC
_CHASSIS, _PORT, _TTL = 1, 2, 3
_CHASSIS_IS_MAC, _PORT_IS_INTERFACE_NAME = b"\x04", b"\x05"
_DRAFT_TLV, _RATIFIED_TLV = bytes.fromhex("001b3f00"), bytes.fromhex("0080c20d")
_DRAFT = struct.Struct("!BBBBHHB")
_RATIFIED = struct.Struct("!BBBBB")
_EXPONENT_BITS, _MODE_BITS = 5, 6
_BRIDGE_ROLE = 1

# The draft's modes and capabilities.
STANDARD, REFLECTIVE_RELAY = 0x80, 0x40
RTE, ECP, VDP = 0x04, 0x02, 0x01
# The bridge's and the station's status octets of 2012.
BRIDGE_CAN_RELAY, BRIDGE_RELAYS = 0x02, 0x01
STATION_WANTS_RELAY = 0x04


@dataclass(frozen=True, slots=True)
class DraftEvb:
    """What the draft lets a side say: what it can do, what it does, how many VSIs, and ECP's timer exponent."""

    modes: int
    capabilities: int
    mode: int
    capabilities_in_use: int
    most_vsis: int
    vsis: int
    rte: int

    @property
    def is_agreed(self) -> bool:
        """Whether ECP and VDP are in use."""
        return self.capabilities_in_use & (ECP | VDP) == ECP | VDP


@dataclass(frozen=True, slots=True)
class RatifiedEvb:
    """What the standard lets a side say. Each timer is 10 us times 2 to its exponent, and the larger one of both sides
    holds: `rte` until ECP sends again, `rwd` for an answer of VDP, `rka` until a VSI is told again.
    """

    bridge_status: int
    station_status: int
    retries: int
    rte: int
    role: int
    rwd: int
    rka: int

    @property
    def is_agreed(self) -> bool:
        """Whether this station has heard a bridge that relays, as it asked."""
        return bool(self.bridge_status & BRIDGE_RELAYS)


Evb = DraftEvb | RatifiedEvb
OUR_DRAFT = DraftEvb(
    STANDARD | REFLECTIVE_RELAY, RTE | ECP | VDP, REFLECTIVE_RELAY, RTE | ECP | VDP, most_vsis=4095, vsis=0, rte=15
)  # fmt: skip
# 10 ms until ECP sends again, 2.6 s for an answer, 5.2 s until a VSI is told again: short enough for tests.
OUR_RATIFIED = RatifiedEvb(BRIDGE_CAN_RELAY, 0, retries=3, rte=10, role=_BRIDGE_ROLE, rwd=18, rka=19)


def form_of(evb: Evb) -> Form:
    """Which form it belongs to."""
    return Form.DRAFT if isinstance(evb, DraftEvb) else Form.RATIFIED


@dataclass(frozen=True, slots=True)
class Announcement:
    """An LLDPDU: chassis and port as their TLVs' octets, and the EVB TLVs that are in it."""

    chassis: bytes
    port: bytes
    ttl_seconds: int
    evb: tuple[Evb, ...]


def announcement(mac: bytes, name: str, ttl_seconds: int, evb: tuple[Evb, ...]) -> Announcement:
    """What a bridge of that MAC says on its port of that name."""
    return Announcement(_CHASSIS_IS_MAC + mac, _PORT_IS_INTERFACE_NAME + name.encode(), ttl_seconds, evb)


def built(said: Announcement) -> bytes:
    """The LLDPDU."""
    identity = [Tlv(_CHASSIS, said.chassis), Tlv(_PORT, said.port)]
    ttl = Tlv(_TTL, struct.pack("!H", said.ttl_seconds))
    return built_tlvs([*identity, ttl, *map(_evb_tlv, said.evb)]) + b"\0\0"


def parsed(payload: bytes) -> Announcement:
    """What the LLDPDU says; TLVs that EVB does not need are passed over."""
    tlvs = parsed_tlvs(payload)
    if [tlv.kind for tlv in tlvs[:3]] != [_CHASSIS, _PORT, _TTL] or len(tlvs[2].value) != len("ss"):
        raise Malformed("an LLDPDU begins with chassis, port and time to live (IEEE 802.1AB, 8.2)")
    evb = [found for tlv in tlvs[3:] if (found := _parsed_evb(tlv)) is not None]
    return Announcement(tlvs[0].value, tlvs[1].value, int.from_bytes(tlvs[2].value, "big"), tuple(evb))


def _evb_tlv(evb: Evb) -> Tlv:
    if isinstance(evb, DraftEvb):
        octets = _DRAFT.pack(
            evb.modes, evb.capabilities, evb.mode, evb.capabilities_in_use, evb.most_vsis, evb.vsis, evb.rte
        )
        return Tlv(ORGANIZATIONAL, _DRAFT_TLV + octets)
    retries_rte = evb.retries << _EXPONENT_BITS | evb.rte
    role_rwd = evb.role << _MODE_BITS | evb.rwd
    octets = _RATIFIED.pack(evb.bridge_status, evb.station_status, retries_rte, role_rwd, evb.rka)
    return Tlv(ORGANIZATIONAL, _RATIFIED_TLV + octets)


def _parsed_evb(tlv: Tlv) -> Evb | None:
    """None for a TLV that is not about EVB."""
    whose, octets = tlv.value[:4], tlv.value[4:]
    if tlv.kind != ORGANIZATIONAL or whose not in (_DRAFT_TLV, _RATIFIED_TLV):
        return None
    layout = _DRAFT if whose == _DRAFT_TLV else _RATIFIED
    if len(octets) != layout.size:
        raise Malformed(f"an EVB TLV {whose.hex()} has {layout.size} octets, not {len(octets)}")
    if whose == _DRAFT_TLV:
        return DraftEvb(*_DRAFT.unpack(octets))
    bridge, station, retries_rte, role_rwd, rka = _RATIFIED.unpack(octets)
    exponent = (1 << _EXPONENT_BITS) - 1
    return RatifiedEvb(
        bridge, station, retries_rte >> _EXPONENT_BITS, retries_rte & exponent, role_rwd >> _MODE_BITS,
        role_rwd & exponent, rka & exponent,
    )  # fmt: skip
