"""What each mechanism makes of ports: the binding that clients read, and what a host is told."""

from dataclasses import asdict, replace
from enum import Enum
from pathlib import Path

import pytest

from fairlead.drivers.base import BoundPort
from fairlead.drivers.registry import choose, driver_for
from fairlead.hoststate.settings import Settings
from fairlead.model.association import Association
from fairlead.model.binding import VifType
from fairlead.model.errors import Conflict
from fairlead.model.infiniband import Guid, Membership
from fairlead.model.network import Network
from fairlead.model.pci import LinkLayer
from fairlead.model.port import VnicType
from fairlead.model.port_profile import (
    ALL_VLANS,
    EthernetSettings,
    InfinibandSettings,
    PortProfileKind,
    QbgSettings,
    QbhSettings,
    parse_vlans,
)
from fairlead.model.vf import LinkState, VlanProtocol
from tests import rows
from tests.golden.comparison import OF_SOME, assert_golden

HERE = Path(__file__).parent
NORMAL = {"vnic_type": VnicType.NORMAL}
TAPPED = {"vnic_type": VnicType.MACVTAP}
WHOLE = {"vnic_type": VnicType.DIRECT_PHYSICAL, "port_security_enabled": False}


def direct(bound: BoundPort) -> BoundPort:
    return replace(bound, device=rows.vf(1), pf=rows.pf())


def whole(vlan: int | None = None, port: dict[str, object] | None = None, **settings: object) -> BoundPort:
    """A port with a PF of its own, and with a port profile where that is to say something."""
    profile = rows.profile(EthernetSettings(**settings)) if settings else None  # type: ignore[arg-type]
    given = rows.port(vlan=vlan, **{**WHOLE, **(port or {})})
    return BoundPort(given, rows.network(vlan), None, rows.pf(), rows.pf(), profile)


def profiled(network: Network, port: dict[str, object] | None = None, **settings: object) -> BoundPort:
    given = rows.port(vlan=network.vlan, **(port or {}))
    profile = rows.profile(EthernetSettings(**settings))  # type: ignore[arg-type]
    return BoundPort(given, network, None, profile=profile)


def fabric(bound: BoundPort) -> BoundPort:
    return replace(direct(bound), profile=rows.profile(QbhSettings("finance")))


def station(bound: BoundPort, instance_id: str | None = None) -> BoundPort:
    return replace(direct(bound), profile=rows.profile(QbgSettings(11, 1193046, 2, instance_id)))


CASES = {
    "hw_veb_plain": direct(BoundPort(rows.port(), rows.network(), None)),
    "hw_veb_flat": direct(BoundPort(rows.port(vlan=None), rows.network(None), None)),
    "hw_veb_everything": direct(
        BoundPort(
            rows.port(trusted=True, vlan_priority=5, port_security_enabled=False),
            rows.network(),
            rows.qos(limit_kbps=1_500_000, minimum_kbps=400),
        )
    ),
    "hw_veb_down": direct(BoundPort(rows.port(admin_state_up=False), rows.network(), None)),
    "hw_veb_always_up": direct(BoundPort(rows.port(propagate_uplink_status=False), rows.network(), None)),
    "hw_veb_by_profile": direct(
        BoundPort(
            rows.port(),
            rows.network(mtu=9000),
            rows.qos(limit_kbps=800_000),
            profile=rows.profile(
                EthernetSettings(
                    vlan_priority=6,
                    vlan_protocol=VlanProtocol.DOT1AD,
                    trust=True,
                    spoof_check=False,
                    link_state=LinkState.ENABLE,
                    mtu=8000,
                    min_rate_mbps=100,
                    max_rate_mbps=900,
                )
            ),
        )
    ),
    "hw_veb_trunk": direct(
        BoundPort(
            rows.port(vlan=None),
            rows.network(None),
            None,
            profile=rows.profile(EthernetSettings(allowed_vlans=ALL_VLANS)),
        )
    ),
    "hw_veb_no_profile_of_its_network": direct(
        BoundPort(rows.port(), rows.network(), None, profile=rows.profile())
    ),
    "hw_veb_least_of_rates": direct(
        BoundPort(rows.port(), rows.network(), rows.qos(limit_kbps=1, minimum_kbps=1))
    ),
    "qbg_everything": station(
        BoundPort(
            rows.port(trusted=True, vlan_priority=5, port_security_enabled=False),
            rows.network(),
            rows.qos(limit_kbps=1_500_000, minimum_kbps=400_000),
        )
    ),
    "qbh_longest_name": replace(
        direct(BoundPort(rows.port(), rows.network(), None)), profile=rows.profile(QbhSettings("f" * 39))
    ),
    "bridge_with_addresses_besides": BoundPort(
        rows.port(allowed_addresses=("10.9.0.0/24", "2001:db8::7"), **NORMAL), rows.network(), None
    ),
    "bridge_without_an_address": BoundPort(rows.port(fixed_ips=(), **NORMAL), rows.network(), None),
    "hw_veb_macvtap": direct(
        BoundPort(rows.port(trusted=True, vlan_priority=5, **TAPPED), rows.network(mtu=9000), None)
    ),
    "hw_veb_macvtap_flat_down": direct(
        BoundPort(rows.port(vlan=None, admin_state_up=False, **TAPPED), rows.network(None), None)
    ),
    "qbh_plain": fabric(BoundPort(rows.port(), rows.network(), None)),
    "qbh_flat_down": fabric(BoundPort(rows.port(vlan=None, admin_state_up=False), rows.network(None), None)),
    "qbg_plain": station(BoundPort(rows.port(), rows.network(), None)),
    "qbg_flat_with_an_instance": station(
        BoundPort(rows.port(vlan=None), rows.network(None), rows.qos(limit_kbps=100_000)),
        "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f",
    ),
    "qbg_macvtap": station(BoundPort(rows.port(**TAPPED), rows.network(), None)),
    "qbh_macvtap": fabric(BoundPort(rows.port(**TAPPED), rows.network(mtu=9000), None)),
    "qbg_down": station(BoundPort(rows.port(admin_state_up=False), rows.network(), None)),
    "physical_flat": whole(),
    "physical_vlan": whole(100, {"trusted": True}),
    "physical_by_profile": whole(100, trust=True, spoof_check=False, mtu=1400, min_rate_mbps=100),
    "physical_trunk": whole(allowed_vlans=ALL_VLANS),
    "bridge_by_profile": BoundPort(
        rows.port(**NORMAL),
        rows.network(),
        None,
        profile=rows.profile(
            EthernetSettings(spoof_check=False, link_state=LinkState.DISABLE, mtu=1400, max_rate_mbps=5)
        ),
    ),
    "infiniband_mlx5": rows.on_fabric(),
    "infiniband_mlx4": rows.on_fabric(takes_partitions=True),
    "infiniband_mlx4_by_profile": replace(
        rows.on_fabric(takes_partitions=True),
        profile=rows.profile(InfinibandSettings(0x10, Membership.LIMITED)),
    ),
    "infiniband_mlx4_default_partition": rows.on_fabric(vlan=None, takes_partitions=True),
    "infiniband_own_guid_down": rows.on_fabric(guid=Guid("00:02:c9:03:00:00:00:01"), admin_state_up=False),
    "bridge_plain": BoundPort(rows.port(**NORMAL), rows.network(), None),
    "bridge_flat_limited_down": BoundPort(
        rows.port(vlan=None, admin_state_up=False, port_security_enabled=False, **NORMAL),
        rows.network(None, mtu=9000),
        rows.qos(limit_kbps=2500),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_binding_and_its_settings(name: str) -> None:
    case = CASES[name]
    driver = choose(case.port.vnic_type, case.network.link_layer, case.in_force.kind)
    bound, settings = driver.bind(case), driver.settings(case)
    assert driver_for(bound.vif_type) is driver
    text = (
        f"vif_type: {bound.vif_type.value}\n"
        + lines("vif_details", bound.vif_details)
        + lines("profile", bound.profile)
        + "".join(lines(part, said) for part, said in asdict(settings).items() if said)
    )
    assert_golden(HERE / f"{name}.txt", text)


def lines(title: str, values: dict[str, object] | dict[str, str]) -> str:
    told = {key: value for key, value in values.items() if key not in OF_SOME or value is not None}
    body = "".join(f"  {key}: {_shown(value)}\n" for key, value in told.items())
    return f"{title}:\n{body}"


def _shown(value: object) -> object:
    return value.value if isinstance(value, Enum) else value


@pytest.mark.parametrize("vnic_type", VnicType)
def test_every_vnic_type_has_a_mechanism_on_ethernet_that_says_everything(vnic_type: VnicType) -> None:
    driver = choose(vnic_type, LinkLayer.ETHERNET)
    is_whole = vnic_type is VnicType.DIRECT_PHYSICAL
    case = whole() if is_whole else direct(BoundPort(rows.port(vnic_type=vnic_type), rows.network(), None))
    settings = driver.settings(case)
    if settings.vf is not None:
        vf = settings.vf
        assert None not in (vf.spoof_check, vf.trust, vf.link_state, vf.max_rate_mbps)
    if settings.tap is not None:
        assert len(settings.tap.name) < 16
        assert len(settings.tap.bridge) < 16
    assert is_whole is (settings == Settings())


each_refused = pytest.mark.parametrize(
    "case",
    [
        direct(BoundPort(rows.port(vlan=None, vlan_priority=1), rows.network(None), None)),
        direct(BoundPort(rows.port(), rows.network(), rows.qos(limit_kbps=1000, minimum_kbps=2000))),
        BoundPort(rows.port(trusted=True, **NORMAL), rows.network(), None),
        BoundPort(rows.port(vlan_priority=2, **NORMAL), rows.network(), None),
        BoundPort(rows.port(alias="a1", **NORMAL), rows.network(), None),
        BoundPort(rows.port(**NORMAL), rows.network(), rows.qos(minimum_kbps=10)),
        direct(profiled(rows.network(None), allowed_vlans=parse_vlans(["100-199"]))),
        profiled(rows.network(None), NORMAL, allowed_vlans=ALL_VLANS),
        direct(profiled(rows.network(None), TAPPED, allowed_vlans=ALL_VLANS)),
        profiled(rows.network(), NORMAL, vlan_protocol=VlanProtocol.DOT1AD),
        profiled(rows.network(), NORMAL, vlan_priority=3),
        profiled(rows.network(), NORMAL, trust=True),
        profiled(rows.network(), NORMAL, min_rate_mbps=1),
        BoundPort(rows.port(vlan=4094, **NORMAL), rows.network(4094), None),
        profiled(rows.network(), {**NORMAL, "port_security_enabled": False}, trust=True),
        fabric(BoundPort(rows.port(vlan_priority=1), rows.network(), None)),
        station(BoundPort(rows.port(vlan_priority=1), rows.network(None), None)),
        fabric(BoundPort(rows.port(trusted=True), rows.network(), None)),
        fabric(BoundPort(rows.port(port_security_enabled=False), rows.network(), None)),
        fabric(BoundPort(rows.port(propagate_uplink_status=False), rows.network(), None)),
        fabric(BoundPort(rows.port(), rows.network(), rows.qos(limit_kbps=1000))),
        fabric(BoundPort(rows.port(), rows.network(), rows.qos(minimum_kbps=1000))),
        whole(100),
        whole(port={"port_security_enabled": True}),
        whole(100, {"trusted": True, "vlan_priority": 1}),
        whole(port={"admin_state_up": False}),
        whole(port={"propagate_uplink_status": False}),
        replace(whole(), qos=rows.qos(limit_kbps=1000)),
        replace(whole(), network=rows.network(None, admin_state_up=False)),
        whole(max_rate_mbps=1),
        whole(allowed_vlans=parse_vlans(["100"])),
        whole(100, {"trusted": True}, vlan_protocol=VlanProtocol.DOT1AD),
        replace(rows.on_fabric(), qos=rows.qos(limit_kbps=1000)),
        replace(rows.on_fabric(), qos=rows.qos(minimum_kbps=1000)),
    ],
)


@each_refused
def test_what_a_mechanism_can_never_do_is_refused_in_words(case: BoundPort) -> None:
    driver = choose(case.port.vnic_type, case.network.link_layer, case.in_force.kind)
    for ask in (driver.bind, driver.settings):
        with pytest.raises(Conflict) as refusal:
            ask(case)
        assert refusal.value.code == "cannot_bind"


def test_the_words_of_refusals() -> None:
    """Who reads them is the port's owner: a change of them is read here first."""
    said = []
    for case in each_refused.args[1]:
        driver = choose(case.port.vnic_type, case.network.link_layer, case.in_force.kind)
        with pytest.raises(Conflict) as refusal:
            driver.bind(case)
        said.append(f"{driver.vif_type.value}: {refusal.value.message}\n")
    assert_golden(HERE / "refusals.txt", "".join(dict.fromkeys(said)))


@pytest.mark.parametrize(
    ("vnic_type", "kind"),
    [
        (VnicType.NORMAL, PortProfileKind.QBH),
        (VnicType.NORMAL, PortProfileKind.QBG),
        (VnicType.NORMAL, PortProfileKind.INFINIBAND),
        (VnicType.DIRECT, PortProfileKind.INFINIBAND),
        (VnicType.MACVTAP, PortProfileKind.INFINIBAND),
    ],
)
def test_a_profile_of_a_kind_that_no_mechanism_has_is_refused(
    vnic_type: VnicType, kind: PortProfileKind
) -> None:
    with pytest.raises(Conflict, match=f"port profile of kind {kind.value}"):
        choose(vnic_type, LinkLayer.ETHERNET, kind)


def test_a_port_without_a_host_can_be_asked_whether_its_profile_will_do() -> None:
    asked = replace(fabric(BoundPort(rows.port(), rows.network(), None)), device=None, pf=None)
    settings = choose(VnicType.DIRECT, LinkLayer.ETHERNET, PortProfileKind.QBH).settings(asked)
    assert settings.vf is not None
    assert settings.vf.association == Association("finance", asked.port.id, "")


def test_what_nobody_serves_is_refused() -> None:
    with pytest.raises(Conflict):
        choose(VnicType.NORMAL, LinkLayer.INFINIBAND)
    with pytest.raises(Conflict):
        driver_for(VifType.UNBOUND)
