"""VF records as the kernel writes and reads them, octet for octet."""

import struct

import pytest

from fairlead.linux.message import attribute, nested, parts
from fairlead.linux.vfinfo import read_vf_info, write_vf_info
from fairlead.model.pci import MacAddress
from fairlead.model.vf import BASELINE, LinkState, VfSettings, VlanProtocol, differences

MAC = MacAddress("fa:16:3e:00:00:01")
UNKNOWN = 0xFFFFFFFF


def record(
    vf: int = 3, *, mac: bytes = b"", vlan: tuple[int, int, int] = (0, 0, 0x8100), spoof: int = 1
) -> bytes:
    """IFLA_VF_INFO as rtnl_fill_vfinfo writes it, little endian, without statistics."""
    number, priority, ethertype = vlan
    return b"".join(
        (
            attribute(1, struct.pack("=I32s", vf, mac)),
            attribute(2, struct.pack("=III", vf, number, priority)),
            attribute(6, struct.pack("=III", vf, 100, 500)),
            attribute(3, struct.pack("=II", vf, 500)),
            attribute(4, struct.pack("=II", vf, spoof)),
            attribute(5, struct.pack("=II", vf, 1)),
            attribute(7, struct.pack("=II", vf, 0)),
            attribute(9, struct.pack("=II", vf, UNKNOWN)),
            nested(
                12, attribute(1, struct.pack("=III", vf, number, priority) + struct.pack(">Hxx", ethertype))
            ),
        )
    )


def test_every_field_is_read():
    found = read_vf_info(record(mac=bytes.fromhex("fa163e000001"), vlan=(100, 5, 0x88A8)))
    assert found == (
        3,
        VfSettings(
            mac=MAC,
            vlan=100,
            vlan_priority=5,
            vlan_protocol=VlanProtocol.DOT1AD,
            spoof_check=True,
            trust=None,
            link_state=LinkState.ENABLE,
            min_rate_mbps=100,
            max_rate_mbps=500,
        ),
    )


def test_no_mac_and_vlan_0_are_nothing_and_minus_one_is_not_reported():
    found = read_vf_info(record(spoof=UNKNOWN))
    assert found is not None
    assert (found[1].mac, found[1].vlan, found[1].spoof_check, found[1].trust) == (None, None, None, None)


def test_an_old_kernel_without_vlan_list_and_rate_is_read():
    found = read_vf_info(
        attribute(1, struct.pack("=I32s", 0, b""))
        + attribute(2, struct.pack("=III", 0, 7, 1))
        + attribute(3, struct.pack("=II", 0, 10))
    )
    assert found is not None
    settings = found[1]
    assert (settings.vlan, settings.vlan_priority) == (7, 1)
    assert (settings.min_rate_mbps, settings.max_rate_mbps, settings.link_state) == (None, 10, None)


def test_a_record_that_does_not_say_whose_it_is_is_passed_over():
    assert read_vf_info(attribute(4, struct.pack("=II", 0, 1))) is None


@pytest.mark.parametrize(
    "wanted",
    [
        BASELINE,
        VfSettings(mac=MAC, vlan=100, vlan_priority=5, spoof_check=False, trust=True),
        VfSettings(vlan=4094, vlan_protocol=VlanProtocol.DOT1AD, link_state=LinkState.DISABLE),
        VfSettings(mac=MAC, min_rate_mbps=10, max_rate_mbps=20),
        VfSettings(max_rate_mbps=20),
    ],
)
def test_what_is_written_reads_back_as_wanted(wanted: VfSettings):
    ((_, written),) = parts(write_vf_info(6, wanted, tuple(VfSettings.__slots__)))
    found = read_vf_info(written)
    assert found is not None
    assert found[0] == 6
    assert differences(wanted, found[1]) == ()


def test_only_named_fields_are_written():
    ((_, written),) = parts(write_vf_info(0, BASELINE, ("trust",)))
    assert [kind for kind, _ in parts(written)] == [9]


def test_a_maximum_without_a_minimum_leaves_the_minimum_alone():
    ((_, written),) = parts(write_vf_info(0, VfSettings(max_rate_mbps=20), ("max_rate_mbps",)))
    assert list(parts(written)) == [(3, struct.pack("=II", 0, 20))]


def test_dot1q_goes_in_the_attribute_that_every_driver_takes():
    ((_, written),) = parts(
        write_vf_info(2, VfSettings(vlan=100, vlan_priority=3), ("vlan", "vlan_priority"))
    )
    assert list(parts(written)) == [(2, struct.pack("=III", 2, 100, 3))]


def test_no_mac_is_32_zero_octets():
    ((_, written),) = parts(write_vf_info(2, VfSettings(), ("mac",)))
    assert list(parts(written)) == [(1, struct.pack("=I", 2) + bytes(32))]
