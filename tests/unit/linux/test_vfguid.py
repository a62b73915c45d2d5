"""An InfiniBand VF over netlink: the layout octet by octet, as recorded of Linux 6.12 (little-endian)."""

import pytest

from fairlead.linux.message import attribute, nested, parts
from fairlead.linux.vfguid import read_infiniband_info, write_infos
from fairlead.linux.vfinfo import VF_INFO
from fairlead.model.infiniband import Guid
from fairlead.model.vf import INFINIBAND_BASELINE, LinkState, VfSettings

GUID = Guid("00:11:22:33:44:55:66:77")
VF_1_GUID = bytes.fromhex("01000000 00000000 7766554433221100")
VF_1_NOBODYS = bytes.fromhex("01000000 00000000 ffffffffffffffff")
VF_1_UNSET = bytes.fromhex("01000000 00000000 0000000000000000")
PF_ADDRESS = bytes.fromhex("00001028 fe80000000000000 0002c90300a1b2c3").ljust(32, b"\0")


def told(*records: bytes, link: int = 2) -> bytes:
    """What mlx5_ib tells of VF 1: its PF's own address as MAC, and zeros where it has nothing to say."""
    return b"".join(
        [
            attribute(1, bytes.fromhex("01000000") + PF_ADDRESS),
            attribute(2, bytes.fromhex("01000000 00000000 00000000")),
            attribute(6, bytes.fromhex("01000000 00000000 00000000")),
            attribute(4, bytes.fromhex("01000000 00000000")),
            attribute(5, bytes.fromhex("01000000") + link.to_bytes(4, "little")),
            attribute(9, bytes.fromhex("01000000 00000000")),
            *records,
        ]
    )


def test_both_guids_are_read_and_nothing_that_the_driver_has_no_notion_of():
    data = told(attribute(10, VF_1_GUID), attribute(11, VF_1_GUID), link=1)
    assert read_infiniband_info(data) == (
        1,
        VfSettings(link_state=LinkState.ENABLE, port_guid=GUID, node_guid=GUID),
    )


@pytest.mark.parametrize("record", [VF_1_NOBODYS, VF_1_UNSET])
def test_a_vf_without_a_guid_and_a_link_is_nobodys(record: bytes):
    data = told(attribute(10, record), attribute(11, record))
    assert read_infiniband_info(data) == (1, INFINIBAND_BASELINE)


def test_a_kernel_before_5_5_tells_no_guid():
    assert read_infiniband_info(told()) == (1, INFINIBAND_BASELINE)


def test_each_guid_has_a_record_of_its_own_after_all_else():
    """In one record the kernel would set the node's alone, without an error."""
    wanted = VfSettings(link_state=LinkState.AUTO, port_guid=GUID, node_guid=GUID)
    infos = list(parts(write_infos(1, wanted, ("link_state", "port_guid", "node_guid"))))
    assert [kind for kind, _ in infos] == [VF_INFO] * 3
    assert [dict(parts(info)) for _, info in infos] == [
        {5: bytes.fromhex("01000000 00000000")},
        {11: VF_1_GUID},
        {10: VF_1_GUID},
    ]


def test_the_message_is_as_recorded():
    wanted = VfSettings(port_guid=GUID, node_guid=GUID)
    assert write_infos(1, wanted, ("port_guid", "node_guid")) == bytes.fromhex(
        "18000180 14000b00 01000000 00000000 7766554433221100"
        "18000180 14000a00 01000000 00000000 7766554433221100"
    )


def test_no_guid_is_told_as_the_one_that_stands_for_none():
    assert write_infos(1, INFINIBAND_BASELINE, ("port_guid",)) == nested(VF_INFO, attribute(11, VF_1_NOBODYS))


def test_a_record_of_an_ethernet_vf_is_one_as_before():
    infos = list(parts(write_infos(1, VfSettings(trust=True), ("trust",))))
    assert [dict(parts(info)) for _, info in infos] == [{9: bytes.fromhex("01000000 01000000")}]
