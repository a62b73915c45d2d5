"""What every mechanism driver promises, held on each that the registry names: one that is added is in it by that.

Each is tried with every wish there is by itself, and with wishes that meet (tests/port_wishes.py). Where a driver lets
one go without a word to the host, a row of ELSEWHERE says who sees to it; where its clients read more of a binding, a
row of KEYS. Both are in tests/driver_claims.py.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import fields, replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fairlead.drivers.base import BoundPort, Driver
from fairlead.drivers.registry import DRIVERS, choose, driver_for
from fairlead.hoststate.desired import DesiredState
from fairlead.hoststate.settings import Settings
from fairlead.model.binding import VifType
from fairlead.model.errors import Conflict
from fairlead.model.infiniband import TAKES_PARTITIONS, guid_of_mac
from fairlead.model.multicast import needed_groups
from fairlead.model.pci import LinkLayer
from fairlead.model.port import VnicType
from fairlead.model.port_profile import (
    HIGHEST_MANAGER_ID,
    HIGHEST_TYPE_ID,
    HIGHEST_TYPE_ID_VERSION,
    HIGHEST_VLAN,
    HIGHEST_VLAN_PRIORITY,
    LONGEST_PROFILE_ID,
    PortProfileKind,
)
from fairlead.model.port_settings import broken_claim
from fairlead.model.request import ServerRequest
from fairlead.model.vf import LinkState, VfSettings, baseline_of, differences
from fairlead.model.vf_capabilities import CAPABILITIES
from fairlead.sim.drivers import fields_of
from fairlead.wire.codec import decode, encode
from tests import port_wishes, rows
from tests.driver_claims import (
    CLAIMS,
    ELSEWHERE,
    KEYS,
    MOST_U32,
    ON_DEVICES,
    ON_VFS,
    Claim,
    asked,
    document_of,
    is_possible,
    machine_for,
    names_in,
    ports_of,
    refusal_of,
    seen,
    served_ports_of,
    wishes_of,
    write,
)

ROOT = Path(__file__).parents[2]
MECHANISMS = ROOT / "docs" / "concepts" / "mechanisms"
GOLDEN = ROOT / "tests" / "golden" / "drivers"
IFNAMSIZ = 16
UNCLAIMED = {VifType.UNBOUND, VifType.BINDING_FAILED}
"""VIF types that no mechanism makes."""

each_claim = pytest.mark.parametrize("claim", CLAIMS, ids=str)
each_driver = pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.vif_type.value)
much = settings(max_examples=25, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
"""Many that are drawn are refused before a driver sees them: a port and its profile contradict."""


# Who serves what


def test_no_two_drivers_claim_the_same_ports() -> None:
    served = [(claim.vnic_type, claim.link_layer, claim.kind) for claim in CLAIMS]
    assert len(served) == len(set(served))


def test_each_vif_type_is_one_drivers() -> None:
    made = [driver.vif_type for driver in DRIVERS]
    assert sorted(made, key=str) == sorted(set(VifType) - UNCLAIMED, key=str)
    assert all(driver_for(driver.vif_type) is driver for driver in DRIVERS)


@each_claim
def test_a_port_comes_to_the_driver_that_claims_it(claim: Claim) -> None:
    assert choose(claim.vnic_type, claim.link_layer, claim.kind) is claim.driver


@pytest.mark.parametrize("vnic_type", VnicType)
def test_each_vnic_type_is_served_on_ethernet_without_a_profile(vnic_type: VnicType) -> None:
    assert choose(vnic_type, LinkLayer.ETHERNET).vnic_types >= {vnic_type}


def test_a_port_that_nobody_claims_is_refused_by_what_it_is() -> None:
    served = {(claim.vnic_type, claim.link_layer, claim.kind) for claim in CLAIMS}
    for vnic_type, link_layer, kind in set(product(VnicType, LinkLayer, PortProfileKind)) - served:
        with pytest.raises(Conflict) as refused:
            choose(vnic_type, link_layer, kind)
        assert refused.value.code == "cannot_bind"
        assert vnic_type.value in refused.value.message
        assert link_layer.value in refused.value.message


# A yes or a no


@each_claim
@much
@given(data=st.data())
def test_a_plain_port_is_served(claim: Claim, data: st.DataObject) -> None:
    bound = data.draw(port_wishes.plain(claim.vnic_type, claim.link_layer, claim.kind))
    # On a VLAN network the guest of a whole device is trusted to keep to it.
    is_whole = claim.vnic_type is VnicType.DIRECT_PHYSICAL
    bound = replace(bound, port=replace(bound.port, trusted=is_whole))
    assert refusal_of(claim.driver.bind, bound) is None
    assert refusal_of(claim.driver.settings, bound) is None


@each_claim
@much
@given(data=st.data())
def test_a_port_is_bound_or_refused_for_a_reason_that_stays(claim: Claim, data: st.DataObject) -> None:
    bound = data.draw(ports_of(claim))
    refusal = refusal_of(claim.driver.bind, bound)
    again = refusal_of(claim.driver.settings, bound)
    assert (refusal and refusal.message) == (again and again.message)
    # What is never possible is refused as the server is booted, before a device is looked for.
    before = refusal_of(claim.driver.settings, replace(bound, device=None, pf=None))
    assert (before and before.message) == (refusal and refusal.message)
    if refusal is not None:
        assert refusal.code == "cannot_bind"
        assert bound.port.id in refusal.message or bound.port.name in refusal.message
        assert refusal.message.endswith(".")
        assert not any(word in refusal.message for word in ("None", "<", "object at", "\n"))


@each_claim
@much
@given(data=st.data())
def test_the_same_port_is_always_served_the_same(claim: Claim, data: st.DataObject) -> None:
    bound = data.draw(served_ports_of(claim))
    copy, driver = deepcopy(bound), type(claim.driver)()
    assert encode(claim.driver.bind(bound)) == encode(driver.bind(copy))
    assert claim.driver.settings(bound) == driver.settings(copy) == claim.driver.settings(bound)
    assert bound == copy


@pytest.mark.parametrize("claim", ON_DEVICES, ids=str)
@much
@given(data=st.data())
def test_without_the_device_that_is_held_for_it_no_port_is_bound(claim: Claim, data: st.DataObject) -> None:
    bound = data.draw(served_ports_of(claim))
    refusal = refusal_of(claim.driver.bind, replace(bound, device=None, pf=None))
    assert refusal is not None
    assert refusal.code == "cannot_bind"


# What clients read


@each_claim
@much
@given(data=st.data())
def test_a_binding_has_what_neutrons_users_look_for(claim: Claim, data: st.DataObject) -> None:
    bound = data.draw(served_ports_of(claim))
    made = claim.driver.bind(bound)
    details, profile = KEYS.get(claim.driver.vif_type, (set(), set()))
    assert made.vif_type is claim.driver.vif_type
    assert made.vif_details["port_filter"] == "False"
    assert made.vif_details["bound_drivers"] == claim.driver.vif_type.value
    assert details <= set(made.vif_details)
    assert profile <= set(made.profile)
    if "vlan" in details:
        assert made.vif_details["vlan"] == str(bound.network.vlan or 0)
    if bound.device is not None:
        assert made.profile["pci_slot"] == bound.device.pci_address
        assert made.profile["physical_network"] == bound.network.physical_network
    text = (*made.vif_details.items(), *made.profile.items())
    assert all(isinstance(key, str) and isinstance(value, str) and value for key, value in text)


# What a host is told


@each_claim
@much
@given(data=st.data())
def test_what_a_host_is_told_is_within_the_standards_ranges(claim: Claim, data: st.DataObject) -> None:
    bound = data.draw(served_ports_of(claim))
    told = claim.driver.settings(bound)
    if vf := told.vf:
        assert vf.vlan is None or 1 <= vf.vlan <= HIGHEST_VLAN
        assert 0 <= vf.vlan_priority <= HIGHEST_VLAN_PRIORITY
        assert vf.vlan is not None or not vf.vlan_priority
        low, high = vf.min_rate_mbps or 0, vf.max_rate_mbps or 0
        assert 0 <= low <= MOST_U32 and 0 <= high <= MOST_U32  # noqa: PT018 - IFLA_VF_RATE, struct ifla_vf_rate
        assert not high or low <= high
        assert vf.mac in (None, bound.port.mac)
        assert vf.association is None or 1 <= len(vf.association.profile_id.encode()) <= LONGEST_PROFILE_ID
    if vsi := told.vsi:
        assert 1 <= vsi.manager_id <= HIGHEST_MANAGER_ID
        assert 0 <= vsi.type_id <= HIGHEST_TYPE_ID
        assert 0 <= vsi.type_id_version <= HIGHEST_TYPE_ID_VERSION
        assert (vsi.mac, vsi.vlan) == (bound.port.mac, bound.network.vlan)
    for name in names_in(told):
        assert 1 <= len(name) < IFNAMSIZ


@each_claim
@much
@given(data=st.data())
def test_what_nobody_asked_for_is_at_its_safe_baseline(claim: Claim, data: st.DataObject) -> None:
    bound = data.draw(port_wishes.plain(claim.vnic_type, claim.link_layer, claim.kind))
    assume(refusal_of(claim.driver.settings, bound) is None)
    told = claim.driver.settings(bound)
    if told.vf is not None:
        own = ("mac", "vlan", "association", "port_guid", "node_guid", "partition_key")
        safe = replace(baseline_of(claim.link_layer), **{name: getattr(told.vf, name) for name in own})
        assert told.vf == replace(safe, link_state=LinkState.AUTO)
    if told.tap is not None:
        assert told.tap.spoof_check
        assert told.tap.sources
        assert told.tap.is_up


def single_wishes(claim: Claim) -> Iterator[tuple[BoundPort, BoundPort]]:
    """A port that is served, and the same with one wish: each wish, on a flat and on a VLAN network."""
    for profile, vlan in product(port_wishes.SETTINGS[claim.kind], (None, 100)):
        before = port_wishes.plain_port(claim.vnic_type, claim.link_layer, profile, vlan)
        for wish in port_wishes.all_wishes(claim.kind):
            after = wish.grant(before)
            if refusal_of(claim.driver.bind, before) is None and is_possible(after):
                yield before, after


def check_no_less_is_told(claim: Claim, bound: BoundPort) -> None:
    """Whatever was asked of the port is what its VF or tap is told."""
    told, wanted = claim.driver.settings(bound), bound.in_force
    is_down = wanted.link_state is LinkState.DISABLE
    assert (told.macvtap is not None) is (claim.vnic_type is VnicType.MACVTAP)
    assert (told.tap is not None) is (claim.vnic_type is VnicType.NORMAL)
    vf, tap = told.vf, told.tap
    if vf and claim.link_layer is LinkLayer.ETHERNET and claim.kind is not PortProfileKind.QBH:
        assert (vf.mac, vf.vlan, vf.vlan_priority) == (
            bound.port.mac,
            bound.network.vlan,
            wanted.vlan_priority,
        )
        assert (vf.vlan_protocol, vf.link_state) == (wanted.vlan_protocol, wanted.link_state)
        assert (vf.spoof_check, vf.trust) == (wanted.spoof_check, wanted.trusted)
        assert (vf.min_rate_mbps, vf.max_rate_mbps) == (wanted.min_kbps / 1000, (wanted.max_kbps or 0) / 1000)
    if vf and claim.link_layer is LinkLayer.INFINIBAND:
        guid = bound.port.guid or guid_of_mac(bound.port.mac)
        is_told_partitions = bound.pf is not None and TAKES_PARTITIONS in bound.pf.capabilities
        assert (vf.port_guid, vf.node_guid, vf.link_state) == (guid, guid, wanted.link_state)
        assert vf.partition_key == (wanted.partition if is_told_partitions else None)
    if vf and claim.kind is PortProfileKind.QBH:
        assert vf.mac == bound.port.mac
        assert is_down or vf.association is not None
    if tap:
        assert (tap.vlan, tap.mtu, tap.max_rate_kbps) == (bound.network.vlan, wanted.mtu, wanted.max_kbps)
        assert (tap.spoof_check, tap.is_up) == (wanted.spoof_check, not is_down)
        own = {f"{each.ip_address}/32" for each in bound.port.fixed_ips} | set(bound.port.allowed_addresses)
        assert own <= set(tap.sources) if tap.spoof_check else not tap.sources
    if told.macvtap:
        assert (vf is not None, told.macvtap.mtu) == (True, wanted.mtu)
        assert told.macvtap.groups == needed_groups(bound.port)
        assert told.macvtap.all_groups is wanted.trusted
    if vf and is_down and claim.kind in {PortProfileKind.QBH, PortProfileKind.QBG}:
        assert (vf.association, told.vsi) == (None, None)


def check_nothing_is_dropped(claim: Claim, before: BoundPort, after: BoundPort) -> None:
    """What is asked besides is refused, told to the host, or somebody else's to see to."""
    was, is_now = before.in_force, after.in_force
    changed = {field.name for field in fields(was) if getattr(was, field.name) != getattr(is_now, field.name)}
    changed |= {"vlan"} if before.network.vlan != after.network.vlan else set()
    if is_now.spoof_check and before.port.allowed_addresses != after.port.allowed_addresses:
        changed |= {"allowed_addresses"}
    unspoken = changed - set(ELSEWHERE.get(claim.driver.vif_type, ()))
    if unspoken and was.link_state is not LinkState.DISABLE and not refusal_of(claim.driver.settings, after):
        assert claim.driver.settings(before) != claim.driver.settings(after), sorted(unspoken)


@each_claim
def test_each_wish_is_told_to_the_host_or_refused(claim: Claim) -> None:
    tried = list(single_wishes(claim))
    assert tried
    for before, after in tried:
        check_nothing_is_dropped(claim, before, after)
        if refusal_of(claim.driver.settings, after) is None:
            check_no_less_is_told(claim, after)


@each_claim
@much
@given(data=st.data())
def test_so_are_wishes_that_meet(claim: Claim, data: st.DataObject) -> None:
    before = data.draw(served_ports_of(claim))
    check_no_less_is_told(claim, before)
    after = data.draw(wishes_of(claim)).grant(before)
    assume(is_possible(after))
    check_nothing_is_dropped(claim, before, after)


# On the wire, on the VF, and off it again


@each_claim
@much
@given(data=st.data())
def test_what_a_host_is_told_comes_through_the_wire(claim: Claim, data: st.DataObject) -> None:
    bound = data.draw(served_ports_of(claim))
    told = claim.driver.settings(bound)
    assert decode(Settings, encode(told)) == told
    document = document_of(bound, told)
    assert decode(DesiredState, encode(document)) == document
    assert [vf.settings for vf in document.vfs] == ([told.vf] if told.vf else [])
    assert [vsi.settings for vsi in document.vsis] == ([told.vsi] if told.vsi else [])
    opened = [each.name for each in (*document.taps, *document.macvtaps)]
    assert opened == ([told.tap_name] if told.tap_name else [])
    for part in (field.name for field in fields(told) if getattr(told, field.name) is not None):
        assert document_of(bound, replace(told, **{part: None})) != document, part


@pytest.mark.parametrize("claim", ON_VFS, ids=str)
@much
@given(data=st.data())
def test_a_scrub_undoes_all_that_a_vf_was_told(claim: Claim, data: st.DataObject) -> None:
    bound = data.draw(served_ports_of(claim))
    told = claim.driver.settings(bound).vf
    assert told is not None
    safe = baseline_of(claim.link_layer)
    machine, pf = machine_for(claim, told)
    made = seen(machine, pf)
    try:
        write(machine, pf, told)
    except OSError:
        # mlx4 tells a VF no link state: what was written before that is scrubbed, too.
        assert pf.nic.has_files
    else:
        has = {name: getattr(seen(machine, pf), name) for name in fields_of(pf.nic)}
        wanted = {name: getattr(told, name) for name in has if getattr(told, name) is not None}
        assert wanted.items() <= has.items()
    write(machine, pf, safe)
    left = seen(machine, pf)
    assert differences(safe, left) == ()
    # A driver that makes a VF with more than nothing (mlx4: in the default partition) may leave it so.
    traces = {
        name: getattr(left, name)
        for name in VfSettings.__slots__
        if getattr(left, name) not in (getattr(safe, name), getattr(made, name))
    }
    assert traces == {}


# Changes


@each_claim
@much
@given(data=st.data())
def test_a_change_is_live_unless_the_device_was_claimed_for_what_changes(
    claim: Claim, data: st.DataObject
) -> None:
    before = data.draw(served_ports_of(claim))
    after = data.draw(wishes_of(claim)).grant(before)
    assume(is_possible(after) and refusal_of(claim.driver.bind, after) is None)
    check_change(claim, before, after)


@each_claim
def test_so_is_each_change_by_itself(claim: Claim) -> None:
    for before, after in single_wishes(claim):
        if refusal_of(claim.driver.bind, after) is None:
            check_change(claim, before, after)


def check_change(claim: Claim, before: BoundPort, after: BoundPort) -> None:
    """What a NIC's kernel driver alone decides is live where that can do it: control asks the table of it. And whatever
    was claimed for more does for less.
    """
    needs_replug = bool(broken_claim(before.in_force, after.in_force))
    claimed = of_any_driver(asked(before))
    assert needs_replug is (with_no_less(of_any_driver(asked(after)), claimed) != claimed)
    # What the guest has of its host stays the very device.
    assert claim.driver.bind(before).profile == claim.driver.bind(after).profile


def of_any_driver(request: ServerRequest) -> ServerRequest:
    """The request, but for what it needs of the PFs' kernel drivers."""
    pci = tuple(
        replace(each, capabilities=tuple(name for name in each.capabilities if name not in CAPABILITIES))
        for each in request.pci
    )
    return replace(request, pci=pci)


def with_no_less(request: ServerRequest, claimed: ServerRequest) -> ServerRequest:
    """The request, with what was claimed where it asks for less."""
    pci = tuple(
        replace(
            wanted,
            trusted=wanted.trusted or held.trusted,
            egress_kbps=max(wanted.egress_kbps, held.egress_kbps),
        )
        for wanted, held in zip(request.pci, claimed.pci, strict=True)
    )
    return replace(request, pci=pci)


@each_claim
def test_a_profile_of_another_kind_needs_another_device(claim: Claim) -> None:
    here = (claim.vnic_type, claim.link_layer)
    others = {
        other.kind
        for other in CLAIMS
        if (other.vnic_type, other.link_layer) == here and other.driver is not claim.driver
    }

    @much
    @given(data=st.data())
    def asks_for_more(data: st.DataObject) -> None:
        plain = data.draw(port_wishes.plain(claim.vnic_type, claim.link_layer, claim.kind))
        kind = data.draw(st.sampled_from(sorted(others, key=str)))
        other = replace(plain, profile=rows.profile(data.draw(st.sampled_from(port_wishes.SETTINGS[kind]))))
        assert broken_claim(plain.in_force, other.in_force)
        assert asked(plain) != asked(other)

    if others:
        asks_for_more()


# For people


@each_driver
def test_a_page_says_who_sets_what_and_the_index_names_it(driver: Driver) -> None:
    said = f"VIF type `{driver.vif_type.value}`"
    pages = [page for page in MECHANISMS.glob("*.md") if said in page.read_text()]
    assert len(pages) == 1, f"one page of {MECHANISMS} has to say: {said}"
    assert "\n```\n" in pages[0].read_text(), f"{pages[0].name} has no picture"
    index = (ROOT / "docs" / "README.md").read_text()
    assert f"(concepts/mechanisms/{pages[0].name})" in index


@each_driver
def test_golden_cases_show_what_it_makes(driver: Driver) -> None:
    first = f"vif_type: {driver.vif_type.value}\n"
    assert [path for path in GOLDEN.glob("*.txt") if path.read_text().startswith(first)]
