"""What holds for a port: whichever attributes, QoS policy and port profile meet."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fairlead.model.errors import InvalidValue
from fairlead.model.network import Network
from fairlead.model.port import Port
from fairlead.model.port_profile import ALL_VLANS, EthernetSettings, PortProfileSettings, QbhSettings
from fairlead.model.port_settings import PortSettings, settings_in_force
from fairlead.model.qos import QosPolicy
from fairlead.model.vf import LinkState, VlanProtocol
from tests import rows

MAYBE_TRUTH = st.none() | st.booleans()
RATES = st.none() | st.integers(1, 5)


@st.composite
def ethernet(draw: st.DrawFn) -> EthernetSettings:
    is_trunk = draw(st.booleans())
    low, high = draw(RATES), draw(RATES)
    return EthernetSettings(
        vlan_priority=None if is_trunk else draw(st.none() | st.integers(0, 7)),
        vlan_protocol=None if is_trunk else draw(st.none() | st.sampled_from(VlanProtocol)),
        allowed_vlans=ALL_VLANS if is_trunk else None,
        trust=draw(MAYBE_TRUTH),
        spoof_check=draw(MAYBE_TRUTH),
        link_state=draw(st.none() | st.sampled_from(LinkState)),
        mtu=draw(st.none() | st.sampled_from([68, 1500, 9000])),
        min_rate_mbps=low,
        max_rate_mbps=high if low is None or high is None else max(low, high),
    )


@st.composite
def ports(draw: st.DrawFn) -> Port:
    return rows.port(
        admin_state_up=draw(st.booleans()),
        port_security_enabled=draw(st.booleans()),
        propagate_uplink_status=draw(st.booleans()),
        trusted=draw(st.booleans()),
        vlan_priority=draw(st.sampled_from([0, 0, 3])),
    )


NETWORKS = st.builds(rows.network, st.sampled_from([None, 100]), mtu=st.sampled_from([1500, 9000]))
POLICIES = st.none() | st.builds(
    lambda low, more: rows.qos(limit_kbps=low + more, minimum_kbps=low),
    st.integers(0, 3000),
    st.integers(1, 3000),
)


def in_force(
    port: Port, network: Network, qos: QosPolicy | None, said: PortProfileSettings | None
) -> PortSettings | None:
    try:
        return settings_in_force(port, network, qos, rows.profile(said) if said else None)
    except InvalidValue:
        return None


@given(ports(), NETWORKS, POLICIES)
def test_a_profile_that_says_nothing_is_as_none(port, network, qos):
    assert in_force(port, network, qos, EthernetSettings()) == in_force(port, network, qos, None)


@given(ports(), NETWORKS, POLICIES, ethernet())
def test_whatever_the_profile_says_holds_or_is_refused(port, network, qos, said):
    found = in_force(port, network, qos, said)
    assume(found is not None)
    pairs = [
        (said.vlan_priority or None, found.vlan_priority),
        (said.vlan_protocol, found.vlan_protocol),
        (said.allowed_vlans, found.allowed_vlans),
        (said.trust, found.trusted),
        (said.spoof_check, found.spoof_check),
        (said.mtu, found.mtu),
    ]
    assert all(wanted in (None, have) for wanted, have in pairs)
    if port.admin_state_up:
        assert said.link_state in (None, found.link_state)


@given(ports(), NETWORKS, POLICIES, ethernet())
def test_whatever_the_port_says_of_itself_holds_or_is_refused(port, network, qos, said):
    found = in_force(port, network, qos, said)
    assume(found is not None)
    assert found.trusted or not port.trusted
    assert not found.spoof_check or port.port_security_enabled
    assert port.vlan_priority in (0, found.vlan_priority)
    if not port.admin_state_up:
        assert found.link_state is LinkState.DISABLE


@given(ports(), NETWORKS, POLICIES, ethernet())
def test_no_profile_gives_more_than_policy_and_network(port, network, qos, said):
    found, without = in_force(port, network, qos, said), in_force(port, network, qos, None)
    assume(found is not None)
    assert found.min_kbps >= without.min_kbps
    assert without.max_kbps is None or (found.max_kbps is not None and found.max_kbps <= without.max_kbps)
    assert found.max_kbps is None or found.min_kbps <= found.max_kbps
    assert found.mtu <= network.mtu


@given(ports(), NETWORKS, POLICIES)
def test_another_kind_changes_nothing_but_the_mechanism(port, network, qos):
    plain, other = in_force(port, network, qos, None), in_force(port, network, qos, QbhSettings("finance"))
    assert replace(other, kind=plain.kind, beyond_ethernet=None) == plain
    assert other.kind is not plain.kind


@pytest.mark.parametrize(
    ("port", "said"),
    [
        ({"trusted": True}, {"trust": False}),
        ({"port_security_enabled": False}, {"spoof_check": True}),
        ({"propagate_uplink_status": False}, {"link_state": LinkState.AUTO}),
        ({"propagate_uplink_status": False}, {"link_state": LinkState.DISABLE}),
        ({"vlan_priority": 1}, {"vlan_priority": 0}),
        ({}, {"mtu": 1501}),
        ({}, {"allowed_vlans": ALL_VLANS}),
    ],
)
def test_contradictions_are_refused(port, said):
    assert in_force(rows.port(**port), rows.network(), None, EthernetSettings(**said)) is None


def test_a_flat_network_has_no_tag_for_a_priority_or_protocol():
    for said in ({"vlan_priority": 1}, {"vlan_protocol": VlanProtocol.DOT1AD}):
        assert in_force(rows.port(vlan=None), rows.network(None), None, EthernetSettings(**said)) is None
    promise = EthernetSettings(min_rate_mbps=2)
    assert in_force(rows.port(), rows.network(), rows.qos(limit_kbps=1999), promise) is None
