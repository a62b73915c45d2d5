"""802.1Qbh messages as the kernel takes and tells them, octet for octet."""

import struct

import pytest

from fairlead.linux.message import attribute, nested, number, octet, parts, short
from fairlead.linux.vfmessage import read_vfs, write_vf
from fairlead.linux.vfport import read_vf_ports, write_vf_port
from fairlead.model.association import SUCCESS, Association, AssociationRequest
from fairlead.model.pci import MacAddress
from fairlead.model.vf import BASELINE, VfSettings

INSTANCE = "8fec0b44-9b0e-4c7e-8a51-2f5f6f0f7a01"
HOST = "4928c1a2-0000-4000-8000-0000000000f1"
FINANCE = Association("finance", INSTANCE, HOST)
WANTED = VfSettings(mac=MacAddress("52:54:00:01:02:03"), association=FINANCE)
NESTED = 0x8000

# What a 6.12 kernel took, and enic demands: 156 octets after struct ifinfomsg.
MESSAGE = (
    "30001600 2c000100 28000100 00000000 525400010203" + "00" * 26 + "6c001800 68000100 08000100 00000000"
    "2c000200 66696e616e6365" + "00" * 33 + f"14000400 {INSTANCE} 14000500 {HOST} 05000600 02000000"
)
# What libvirt 11.3 sent for VF 0 and that profile, by strace, with this page's MAC and UUIDs in place of its own.
LIBVIRT = (
    "30001680 2c000180 28000100 00000000 525400010203" + "00" * 26 + "4c001880 48000180"
    f"0c000200 66696e616e636500 14000400 {INSTANCE} 14000500 {HOST} 08000100 00000000 05000600 02000000"
)
# What a 6.12 kernel told of that VF.
TOLD = (
    "70000100 08000100 00000000 06000600 02000000 06000700 00010000 2c000200 66696e616e6365"
    + "00" * 33
    + f"14000400 {INSTANCE} 14000500 {HOST}"
)


def octets(text: str) -> bytes:
    return bytes.fromhex(text.replace("-", "").replace(" ", ""))


def bare(data: bytes) -> bytes:
    """Without the flag that says that an attribute holds others: kernels take it either way."""
    found = b""
    for kind, value in raw(data):
        inner = bare(value) if kind & NESTED else value
        found += attribute(kind & ~NESTED, inner)
    return found


def raw(data: bytes) -> list[tuple[int, bytes]]:
    found, offset = [], 0
    while offset < len(data):
        length, kind = struct.unpack_from("=HH", data, offset)
        found.append((kind, data[offset + 4 : offset + length]))
        offset += length + (-length % 4)
    return found


def flat(data: bytes) -> dict[tuple[int, ...], bytes]:
    """Values by the path of their attributes."""
    found: dict[tuple[int, ...], bytes] = {}
    for kind, value in raw(data):
        if kind & NESTED:
            found |= {(kind & ~NESTED, *path): inner for path, inner in flat(value).items()}
        else:
            found[kind,] = value
    return found


def test_the_message_is_the_one_that_kernels_take_mac_first():
    assert bare(write_vf(0, WANTED, ("mac", "association"))) == octets(MESSAGE)


def test_attribute_by_attribute_it_says_what_libvirt_says():
    ours, theirs = flat(write_vf(0, WANTED, ("mac", "association"))), flat(octets(LIBVIRT))
    assert ours.keys() == theirs.keys()
    differing = {path for path, value in ours.items() if value != theirs[path]}
    profile = (24, 1, 2)
    assert differing == {profile}
    # libvirt's is as long as the name and its NUL, which enic refuses since Linux 6.10: all 40 octets are to be there.
    assert ours[profile] == theirs[profile].ljust(40, b"\0")


def test_an_association_is_ended_as_libvirt_ends_it():
    assert bare(write_vf_port(3, None)) == octets("14000100 08000100 03000000 05000600 03000000")


def test_an_association_alone_names_no_other_setting():
    assert [kind for kind, _ in parts(write_vf(0, WANTED, ("association",)))] == [24]
    assert [kind for kind, _ in parts(write_vf(0, WANTED, ("mac",)))] == [22]


@pytest.mark.parametrize("name", ["x", "f" * 39, "ü" * 19])
def test_profiles_of_every_length_are_forty_octets(name: str):
    ((_, port),) = parts(write_vf_port(0, Association(name, INSTANCE, HOST)))
    value = dict(parts(port))[2]
    assert (len(value), value.rstrip(b"\0").decode()) == (40, name)


def test_what_a_kernel_tells_is_read():
    assert read_vf_ports(octets(TOLD)) == {0: FINANCE}


def told(vf: int, *attributes: bytes) -> bytes:
    return nested(1, number(1, vf), *attributes)


def test_nothing_asked_and_an_association_that_ended_are_none():
    assert read_vf_ports(b"") == {}
    assert read_vf_ports(told(0, short(6, 3), short(7, SUCCESS))) == {}


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        (told(2, short(6, 2), short(7, 0x101)), Association("", "", "", response=0x101)),
        (told(2, short(6, 2)), Association("", "", "", response=None)),
        (told(2, octet(6, 2), short(7, 0x106)), Association("", "", "", response=0x106)),
        (
            told(2, short(6, 3), short(7, 0x105)),
            Association("", "", "", AssociationRequest.DISASSOCIATE, 0x105),
        ),
        (told(2, short(6, 1), short(7, SUCCESS)), Association("", "", "", AssociationRequest.OTHER)),
        (
            told(2, short(6, 2), short(7, SUCCESS), attribute(4, bytes(16)), attribute(2, bytes(40))),
            Association("", "", ""),
        ),
    ],
    ids=["in-progress", "no-answer", "unnamed-answer", "still-ending", "pre-associated", "zeroes"],
)
def test_whatever_else_is_told_is_no_association_as_wished(port: bytes, expected: Association):
    assert read_vf_ports(port) == {2: expected}
    assert expected != FINANCE


def test_associations_join_what_else_is_told_of_vfs():
    infos = nested(22, *(nested(1, attribute(1, struct.pack("=I32s", vf, b""))) for vf in (0, 1)))
    found = dict(parts(infos + nested(24, octets(TOLD))))
    vfs = read_vfs(found)
    assert (vfs[0].association, vfs[1].association, vfs[0].is_mac_told) == (FINANCE, None, True)


def test_a_driver_that_tells_associations_alone_has_its_vfs_counted():
    vfs = read_vfs(dict(parts(number(21, 3) + nested(24, octets(TOLD)))))
    untold = VfSettings(is_mac_told=False)
    assert vfs == {0: VfSettings(association=FINANCE, is_mac_told=False), 1: untold, 2: untold}


def test_a_driver_that_tells_of_no_vf_now_has_none():
    assert read_vfs(dict(parts(number(21, 3) + nested(22)))) == {}
    assert read_vfs(dict(parts(number(21, 3) + nested(22) + nested(24)))) == {}


def test_256_vfs_are_told_in_one_attribute():
    every = b"".join(
        told(vf, short(6, 2), short(7, SUCCESS), attribute(2, b"finance".ljust(40, b"\0")))
        for vf in range(256)
    )
    assert len(read_vf_ports(every)) == 256


def test_the_baseline_ends_an_association():
    assert bare(write_vf(1, BASELINE, ("association",))) == bare(nested(24, write_vf_port(1, None)))
