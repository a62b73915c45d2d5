"""Port profiles: what the standards allow, and nothing else."""

from collections.abc import Callable

import pytest

from fairlead.model.errors import InvalidValue
from fairlead.model.port_profile import (
    ALL_VLANS,
    EthernetSettings,
    InfinibandSettings,
    PortProfileKind,
    QbgSettings,
    QbhSettings,
    VlanRange,
    parse_vlans,
)
from fairlead.model.vf import VlanProtocol
from tests import rows

UUID = "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f"


@pytest.mark.parametrize(
    "settings",
    [
        QbhSettings("f"),
        QbhSettings("f" * 39),
        QbgSettings(1, 0, 0),
        QbgSettings(255, 2**24 - 1, 255, UUID),
        EthernetSettings(),
        EthernetSettings(vlan_priority=0, mtu=68, min_rate_mbps=1, max_rate_mbps=1),
        EthernetSettings(vlan_priority=7, vlan_protocol=VlanProtocol.DOT1AD, mtu=65535),
        EthernetSettings(allowed_vlans=ALL_VLANS),
        InfinibandSettings(1),
        InfinibandSettings(0x7FFF),
    ],
)
def test_what_the_standards_allow_is_a_profile(settings: object) -> None:
    assert settings


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: QbhSettings(""), "profile_id"),
        (lambda: QbhSettings("f" * 40), "profile_id"),
        (lambda: QbhSettings("ö" * 20), "profile_id"),
        (lambda: QbhSettings("fin\0ance"), "profile_id"),
        (lambda: QbgSettings(0, 1, 1), "manager_id"),
        (lambda: QbgSettings(256, 1, 1), "manager_id"),
        (lambda: QbgSettings(1, 2**24, 1), "type_id"),
        (lambda: QbgSettings(1, 1, 256), "type_id_version"),
        (lambda: QbgSettings(1, 1, 1, "me"), "instance_id"),
        (lambda: QbgSettings(1, 1, 1, UUID.upper()), "instance_id"),
        (lambda: EthernetSettings(vlan_priority=8), "vlan_priority"),
        (lambda: EthernetSettings(mtu=67), "mtu"),
        (lambda: EthernetSettings(min_rate_mbps=0), "min_rate_mbps"),
        (lambda: EthernetSettings(max_rate_mbps=2147484), "max_rate_mbps"),
        (lambda: EthernetSettings(min_rate_mbps=2, max_rate_mbps=1), "max_rate_mbps"),
        (lambda: EthernetSettings(allowed_vlans=()), "allowed_vlans"),
        (lambda: EthernetSettings(allowed_vlans=ALL_VLANS, vlan_priority=1), "vlan_priority"),
        (
            lambda: EthernetSettings(allowed_vlans=ALL_VLANS, vlan_protocol=VlanProtocol.DOT1Q),
            "vlan_protocol",
        ),
        (lambda: InfinibandSettings(0), "partition_key"),
        (lambda: InfinibandSettings(0x8000), "partition_key"),
        (lambda: VlanRange(0, 1), "allowed_vlans"),
        (lambda: VlanRange(2, 1), "allowed_vlans"),
        (lambda: VlanRange(1, 4095), "allowed_vlans"),
        (lambda: parse_vlans(["all"]), "allowed_vlans"),
        (lambda: parse_vlans(["1-"]), "allowed_vlans"),
        (lambda: parse_vlans(["\u0661"]), "allowed_vlans"),
    ],
)
def test_what_is_out_of_range_is_no_profile(make: Callable[[], object], field: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        make()
    assert refused.value.field == field


def test_vlans_are_in_order_and_apart() -> None:
    ranges = parse_vlans(["300", "100-110", "105-120", "121", "4094"])
    assert [str(each) for each in ranges] == ["100-121", "300", "4094"]
    assert parse_vlans(["1-4094"]) == ALL_VLANS


def test_a_profile_knows_its_kind() -> None:
    kinds = (QbhSettings("f"), QbgSettings(1, 1, 1), EthernetSettings(), InfinibandSettings(1))
    assert [rows.profile(settings).kind for settings in kinds] == list(PortProfileKind)
