"""VDP, the VSI Discovery and Configuration Protocol: what is asked and answered about one VSI."""

import struct
from dataclasses import dataclass, replace
from enum import Enum
from typing import assert_never
from uuid import UUID

from evb.frames import ORGANIZATIONAL, Form, Malformed, Tlv, built_tlvs, parsed_tlvs

_DRAFT_TLV = bytes.fromhex("001b3f02")
_MANAGER_TLV = 5
_MANAGER_OCTETS = {Form.DRAFT: 1, Form.RATIFIED: 16}
_UUID_FORMAT, _MAC_AND_VLAN = 5, 2
_ENTRY = struct.Struct("!6sH")
_VLAN_MASK, _PRIORITY_AT, _PRIORITY_MASK = 0xFFF, 13, 0x7
# After the status octet: type, its version, [format of the id,] id, format of the filter, number of entries.
_DRAFT = struct.Struct("!BBB3sB16sBH")
_RATIFIED = struct.Struct("!B3sBB16sBH")
# The ratified status octet of an answer; its low nibble is the code.
ANSWERED, KEPT = 0x40, 0x20
_CODE_MASK = 0x0F


class Mode(Enum):
    """What a station asks for, or a bridge tells."""

    PREASSOCIATE = "preassociate"
    PREASSOCIATE_WITH_RESOURCES = "preassociate-rr"
    ASSOCIATE = "associate"
    DEASSOCIATE = "deassociate"


# In the draft a number of a field; in the standard the type of the TLV, one higher.
_NUMBERS = {mode: number for number, mode in enumerate(Mode)}
_MODES = dict(enumerate(Mode))


@dataclass(frozen=True, slots=True)
class Entry:
    """A MAC and a VLAN of a VSI; VLAN 0 leaves it to the bridge."""

    mac: bytes
    vlan: int
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Vsi:
    """A virtual station interface as its station names it. `manager`: one octet in the draft, 16 in the standard."""

    manager: bytes
    type_id: int
    type_version: int
    instance_id: UUID
    entries: tuple[Entry, ...]

    def on_vlan(self, vlan: int) -> "Vsi":
        """With that VLAN where the station left it to the bridge."""
        return replace(self, entries=tuple(e if e.vlan else replace(e, vlan=vlan) for e in self.entries))


@dataclass(frozen=True, slots=True)
class Message:
    """One TLV. `status` is 0 in what a station asks; in an answer the draft's code, or the standard's status octet."""

    form: Form
    mode: Mode
    status: int
    vsi: Vsi


def answered(code: int, form: Form, *, is_kept: bool = False) -> int:
    """The status of an answer with that code; `is_kept`: refused, and as before (2012)."""
    if form is Form.DRAFT:
        return code
    return ANSWERED | (KEPT if is_kept else 0) | code & _CODE_MASK


def code_of(message: Message) -> int:
    """The code of an answer, 0 for success."""
    return message.status if message.form is Form.DRAFT else message.status & _CODE_MASK


def built(message: Message) -> bytes:
    """An ECPDU's payload that says it."""
    vsi = message.vsi
    entries = b"".join(_ENTRY.pack(e.mac, e.priority << _PRIORITY_AT | e.vlan) for e in vsi.entries)
    number, version, identity = _NUMBERS[message.mode], vsi.type_version, vsi.instance_id.bytes
    type_id = vsi.type_id.to_bytes(3, "big")
    _hold_manager(vsi.manager, message.form)
    match message.form:
        case Form.DRAFT:
            head = _DRAFT.pack(
                number,
                message.status,
                vsi.manager[0],
                type_id,
                version,
                identity,
                _MAC_AND_VLAN,
                len(vsi.entries),
            )
            tlvs = [Tlv(ORGANIZATIONAL, _DRAFT_TLV + head + entries)]
        case Form.RATIFIED:
            head = _RATIFIED.pack(
                message.status, type_id, version, _UUID_FORMAT, identity, _MAC_AND_VLAN, len(vsi.entries)
            )
            tlvs = [Tlv(_MANAGER_TLV, vsi.manager), Tlv(number + 1, head + entries)]
        case unknown:
            assert_never(unknown)
    return built_tlvs(tlvs) + b"\0\0"


def parsed(form: Form, payload: bytes) -> tuple[Message, ...]:
    """The messages in an ECPDU of that form; none in the empty one that opens a conversation."""
    tlvs = parsed_tlvs(payload)
    if form is Form.DRAFT:
        return tuple(_draft(tlv.value[4:]) for tlv in tlvs if tlv.value[:4] == _DRAFT_TLV)
    found: list[Message] = []
    manager = bytes(_MANAGER_OCTETS[form])
    for tlv in tlvs:
        if tlv.kind == _MANAGER_TLV:
            manager = tlv.value
            _hold_manager(manager, form)
        elif tlv.kind - 1 in _MODES:
            found.append(_ratified(tlv, manager))
    return tuple(found)


def _draft(value: bytes) -> Message:
    if len(value) < _DRAFT.size:
        raise Malformed(f"a VDP TLV of {len(value)} octets has no whole VSI")
    number, status, manager, type_id, version, identity, filter_format, count = _DRAFT.unpack_from(value)
    if number not in _MODES:
        raise Malformed(f"VDP has no mode {number}")
    vsi = _vsi(
        bytes([manager]), type_id, version, identity, _entries(filter_format, count, value[_DRAFT.size :])
    )
    return Message(Form.DRAFT, _MODES[number], status, vsi)


def _ratified(tlv: Tlv, manager: bytes) -> Message:
    if len(tlv.value) < _RATIFIED.size:
        raise Malformed(f"a VDP TLV of {len(tlv.value)} octets has no whole VSI")
    status, type_id, version, id_format, identity, filter_format, count = _RATIFIED.unpack_from(tlv.value)
    if id_format != _UUID_FORMAT:
        raise Malformed(f"the VSI's id is of format {id_format}; only UUIDs ({_UUID_FORMAT}) are known here")
    vsi = _vsi(
        manager, type_id, version, identity, _entries(filter_format, count, tlv.value[_RATIFIED.size :])
    )
    return Message(Form.RATIFIED, _MODES[tlv.kind - 1], status, vsi)


def _vsi(manager: bytes, type_id: bytes, version: int, identity: bytes, entries: tuple[Entry, ...]) -> Vsi:
    return Vsi(manager, int.from_bytes(type_id, "big"), version, UUID(bytes=identity), entries)


def _entries(filter_format: int, count: int, octets: bytes) -> tuple[Entry, ...]:
    if filter_format != _MAC_AND_VLAN or len(octets) != count * _ENTRY.size or not count:
        raise Malformed(f"a filter of format {filter_format} with {count} entries in {len(octets)} octets")
    found = []
    for mac, tag in _ENTRY.iter_unpack(octets):
        found.append(Entry(mac, tag & _VLAN_MASK, tag >> _PRIORITY_AT & _PRIORITY_MASK))
    return tuple(found)


def _hold_manager(manager: bytes, form: Form) -> None:
    if len(manager) != _MANAGER_OCTETS[form]:
        raise Malformed(f"a manager id of {len(manager)} octets; this form has {_MANAGER_OCTETS[form]}")
