"""The frames of EVB as lldpad sends them, octet for octet."""

from uuid import UUID

import pytest

from evb import ecp, lldp, vdp
from evb.frames import NEAREST_BRIDGE, Form, Malformed, parsed_frame, parsed_tlvs
from evb.vdp import Entry, Message, Mode, Vsi

STATION = bytes.fromhex("9e88800b2d7c")
INSTANCE = UUID("09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f")
ENTRY = Entry(bytes.fromhex("525400aabb01"), vlan=100)
DRAFT = Vsi(b"\x0b", 0x123456, 2, INSTANCE, (ENTRY,))
RATIFIED = Vsi(b"\x0b".ljust(16, b"\0"), 0x123456, 2, INSTANCE, (ENTRY,))
DRAFT_FRAME = bytes.fromhex(
    "0180c200000e 9e88800b2d7c 88b7 001b3f00 0000 00 0002"
    "fe26 001b3f02 02 00 0b 123456 02 09b11c538b5c4eeb8f00d84eaa0aaa4f 02 0001 525400aabb01 0064 0000"
)
RATIFIED_FRAME = bytes.fromhex(
    "0180c2000000 9e88800b2d7c 8940 1001 0001 0a10 0b000000000000000000000000000000"
    "0621 00 123456 02 05 09b11c538b5c4eeb8f00d84eaa0aaa4f 02 0001 525400aabb01 0064"
)


@pytest.mark.parametrize(
    ("form", "octets", "vsi", "sequence"),
    [(Form.DRAFT, DRAFT_FRAME, DRAFT, 2), (Form.RATIFIED, RATIFIED_FRAME, RATIFIED, 1)],
    ids=["draft", "2012"],
)
def test_an_association_is_read_as_lldpad_writes_it(form, octets, vsi, sequence):
    frame = parsed_frame(octets)
    assert (frame.source, frame.ethertype) == (STATION, ecp.ETHERTYPES[form])
    ecpdu = ecp.parsed(form, frame.payload)
    assert (ecpdu.is_acknowledgement, ecpdu.sequence) == (False, sequence)
    assert vdp.parsed(form, ecpdu.payload) == (Message(form, Mode.ASSOCIATE, 0, vsi),)


def test_a_request_is_written_as_lldpad_writes_it():
    payload = vdp.built(Message(Form.DRAFT, Mode.ASSOCIATE, 0, DRAFT))
    ecpdu = ecp.Ecpdu(Form.DRAFT, is_acknowledgement=False, sequence=2, payload=payload)
    assert ecp.framed(ecpdu, STATION, NEAREST_BRIDGE).built() == DRAFT_FRAME
    # lldpad leaves out the end TLV in the standard's form, and takes one.
    assert vdp.built(Message(Form.RATIFIED, Mode.ASSOCIATE, 0, RATIFIED)) == RATIFIED_FRAME[18:] + b"\0\0"


@pytest.mark.parametrize(
    ("form", "octets"),
    [(Form.DRAFT, "001b3f00 0000 01 0002"), (Form.RATIFIED, "1401 0001")],
    ids=["draft", "2012"],
)
def test_an_acknowledgement_is_its_header_alone(form, octets):
    payload = bytes.fromhex(octets)
    ecpdu = ecp.parsed(form, payload.ljust(46, b"\0"))
    assert ecpdu.is_acknowledgement
    request = ecp.Ecpdu(form, is_acknowledgement=False, sequence=ecpdu.sequence, payload=b"x")
    assert ecp.built(request.acknowledged()) == payload


@pytest.mark.parametrize(
    ("octets", "evb", "is_agreed"),
    [
        ("fe0d 001b3f00 40 07 40 07 0cdf 0000 0f", lldp.DraftEvb(0x40, 7, 0x40, 7, 0x0CDF, 0, 15), True),
        ("fe0d 001b3f00 40 07 00 00 0cdf 0000 0f", lldp.DraftEvb(0x40, 7, 0, 0, 0x0CDF, 0, 15), False),
        ("fe09 0080c20d 02 04 6a b2 33", lldp.RatifiedEvb(2, 4, 3, 10, 2, 18, 19), False),
        ("fe09 0080c20d 03 05 6a b2 33", lldp.RatifiedEvb(3, 5, 3, 10, 2, 18, 19), True),
    ],
)
def test_what_a_station_announces(octets, evb, is_agreed):
    said = lldp.parsed(bytes.fromhex("020704 9e88800b2d7c 040703 9e88800b2d7c 06020014" + octets + "0000"))
    assert (said.evb, said.ttl_seconds) == ((evb,), 20)
    assert evb.is_agreed is is_agreed


@pytest.mark.parametrize(
    ("evb", "octets"),
    [
        (lldp.OUR_DRAFT, "fe0d 001b3f00 c0 07 40 07 0fff 0000 0f"),
        (lldp.OUR_RATIFIED, "fe09 0080c20d 02 00 6a 52 13"),
    ],
)
def test_what_the_bridge_announces(evb, octets):
    built = lldp.built(lldp.announcement(STATION, "br0", 20, (evb,)))
    assert built == bytes.fromhex("020704 9e88800b2d7c 040405 627230 06020014" + octets + "0000")


@pytest.mark.parametrize(
    ("form", "code", "is_kept", "status"),
    [(Form.DRAFT, 3, False, 3), (Form.RATIFIED, 3, False, 0x43), (Form.RATIFIED, 0, False, 0x40),
     (Form.RATIFIED, 2, True, 0x62)],
)  # fmt: skip
def test_the_status_of_an_answer(form, code, is_kept, status):
    assert vdp.answered(code, form, is_kept=is_kept) == status


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (lambda: parsed_frame(b"\0" * 13), "no whole header"),
        (lambda: parsed_tlvs(bytes.fromhex("0a10 0b")), "type 5 says 16 octets and has 1"),
        (lambda: lldp.parsed(b"\0\0"), "begins with chassis"),
        (lambda: lldp.parsed(bytes.fromhex("020104 040105 06020014 fe05 0080c20d 00")), "has 5 octets, not 1"),
        (lambda: ecp.parsed(Form.DRAFT, b"\0\x1b\x3f"), "no whole header"),
        (lambda: ecp.parsed(Form.DRAFT, bytes.fromhex("001b3f00 0000 02 0002")), "not a header"),
        (lambda: ecp.parsed(Form.RATIFIED, bytes.fromhex("2001 0002")), "not a header"),
        (lambda: vdp.parsed(Form.RATIFIED, bytes.fromhex("0a01 0b")), "manager id of 1 octets"),
        (lambda: vdp.parsed(Form.RATIFIED, bytes.fromhex("0601 00")), "no whole VSI"),
        (lambda: vdp.parsed(Form.DRAFT, DRAFT_FRAME[23:49] + b"\0\0"), "says 38 octets"),
        (lambda: vdp.parsed(Form.RATIFIED, RATIFIED_FRAME[18:].replace(b"\x02\x05\x09", b"\x02\x04\x09")),
         "format 4"),
        (lambda: vdp.parsed(Form.DRAFT, DRAFT_FRAME[23:].replace(b"\x02\0\x01\x52", b"\x03\0\x01\x52")),
         "filter of format 3"),
    ],
)  # fmt: skip
def test_what_is_not_a_frame_is_refused_with_its_reason(read, words):
    with pytest.raises(Malformed, match=words):
        read()
