"""What is sent to lldpad, octet by octet as libvirt sends it, and what it answers."""

import struct

import pytest

from fairlead.linux.message import attribute, nested, parts
from fairlead.linux.vdp import read_vsis, write_question, write_request
from fairlead.model.pci import MacAddress
from fairlead.model.vsi import VdpRequest, VdpResponse, VsiReading, VsiSettings, VsiState

INSTANCE = "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f"
VSI = VsiSettings(INSTANCE, 11, 0x123456, 2, MacAddress("52:54:00:aa:bb:01"), 100)
NESTED = 0x8000


def of_libvirt(vlan: int = 100) -> list[tuple[str, bytes]]:
    """What libvirt 11.3 sends to lldpad (traced with strace) for a `macvtap` interface on st0, ifindex 7, with
    `<parameters managerid='11' typeid='1193046' typeidversion='2' instanceid='09b11c53-...'/>`, in order.
    """
    return [
        ("ifinfomsg", bytes.fromhex("00000000 07000000 00000000 00000000")),
        ("IFLA_IFNAME", bytes.fromhex("0800 0300") + b"st0\0"),
        ("IFLA_VFINFO_LIST", bytes.fromhex("4000 1680")),
        ("IFLA_VF_INFO", bytes.fromhex("3c00 0180")),
        ("IFLA_VF_MAC", bytes.fromhex("2800 0100 ffffffff 525400aabb01") + bytes(26)),
        ("IFLA_VF_VLAN", bytes.fromhex("1000 0200 ffffffff") + struct.pack("<II", vlan, 0)),
        ("IFLA_VF_PORTS", bytes.fromhex("3000 1880")),
        ("IFLA_VF_PORT", bytes.fromhex("2c00 0180")),
        ("IFLA_PORT_VSI_TYPE", bytes.fromhex("0c00 0300 0b 563412 02 000000")),
        ("IFLA_PORT_INSTANCE_UUID", bytes.fromhex("1400 0400 09b11c538b5c4eeb8f00d84eaa0aaa4f")),
        ("IFLA_PORT_REQUEST", bytes.fromhex("0500 0600 02 000000")),
    ]


def cut(message: bytes, like: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """The message in pieces as long as those."""
    pieces, offset = [], 0
    for name, piece in like:
        pieces.append((name, message[offset : offset + len(piece)]))
        offset += len(piece)
    return [*pieces, ("rest", message[offset:])]


def test_a_request_is_libvirts_attribute_by_attribute():
    wanted = of_libvirt()
    assert cut(write_request("st0", 7, VSI, VdpRequest.ASSOCIATE), wanted) == [*wanted, ("rest", b"")]


def test_a_request_is_as_long_as_libvirts():
    assert len(write_request("st0", 7, VSI, VdpRequest.ASSOCIATE)) == 152 - 16


def test_without_a_vlan_it_is_0():
    wanted = of_libvirt(vlan=0)
    untagged = VsiSettings(INSTANCE, 11, 0x123456, 2, VSI.mac)
    assert cut(write_request("st0", 7, untagged, VdpRequest.ASSOCIATE), wanted)[:-1] == wanted


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (VdpRequest.PREASSOCIATE, 0),
        (VdpRequest.PREASSOCIATE_RR, 1),
        (VdpRequest.ASSOCIATE, 2),
        (VdpRequest.DISASSOCIATE, 3),
    ],
)
def test_each_request_has_its_code_in_one_octet(request_: VdpRequest, code: int):
    assert write_request("st0", 7, VSI, request_)[-8:] == struct.pack("=HHB3x", 5, 6, code)


def test_the_question_is_libvirts():
    body = bytes.fromhex("00000000 07000000 00000000 00000000 0800 1d00 01000000")
    assert write_question(7) == body


def answer(*ports: bytes) -> bytes:
    return struct.pack("=BxHiII", 0, 0, 7, 0, 0) + nested(24, *(nested(1, port) for port in ports))


def port(instance: bytes, response: int | None = None) -> bytes:
    own = attribute(4, instance) + attribute(1, struct.pack("=i", -1))
    return own if response is None else own + attribute(7, struct.pack("=H", response))


def test_all_vsis_of_an_answer_are_read():
    first, second, third = bytes([1] * 16), bytes([2] * 16), bytes([3] * 16)
    said = read_vsis(answer(port(first), port(second, 0), port(third, 4)))
    assert said == {
        "01010101-0101-0101-0101-010101010101": VsiReading(VsiState.PENDING),
        "02020202-0202-0202-0202-020202020202": VsiReading(VsiState.ASSOCIATED),
        "03030303-0303-0303-0303-030303030303": VsiReading(VsiState.REFUSED, VdpResponse.VTID_VIOLATION),
    }


@pytest.mark.parametrize("response", [*VdpResponse][1:])
def test_each_response_but_success_is_a_refusal(response: VdpResponse):
    (said,) = read_vsis(answer(port(bytes(16), response.code))).values()
    assert said == VsiReading(VsiState.REFUSED, response)


def test_a_response_of_no_standard_is_a_refusal():
    (said,) = read_vsis(answer(port(bytes(16), 0x1FF))).values()
    assert said == VsiReading(VsiState.REFUSED, None)


def test_of_an_instance_that_is_listed_twice_nothing_is_known():
    own = bytes([1] * 16)
    (said,) = read_vsis(answer(port(own, 0), port(own))).values()
    assert said == VsiReading(VsiState.UNKNOWN)


@pytest.mark.parametrize(
    "body", [b"", bytes(16), bytes(16) + b"\x04\x00\x18\x80", answer(b""), answer(port(b"short"))]
)
def test_an_answer_without_a_vsi_has_none(body: bytes):
    assert read_vsis(body) == {}


def test_a_request_can_be_taken_apart_as_any_attributes():
    body = write_request("st0", 7, VSI, VdpRequest.ASSOCIATE)
    assert [kind for kind, _ in parts(body[16:])] == [3, 22, 24]
