"""Whether and how a server fits on one host: size, devices, exclusion, bandwidth, trust, spread."""

from collections import Counter
from dataclasses import replace

import pytest

from fairlead.model.device import DeviceStatus
from fairlead.model.pci import DeviceKind, LinkLayer
from fairlead.placement.boundary import Fit, HostView
from fairlead.placement.boundary import ReasonCode as Code
from fairlead.placement.fits import fits
from fairlead.placement.snapshot import host_view
from tests.unit.placement.rows import family, host, plain, request, vf, vfs, view, whole


def fitted(host, wanted):
    fit = fits(host, wanted)
    assert isinstance(fit, Fit), fit
    return fit


def families(host, wanted):
    """Slots of the families that serve the requests, in the order of the requests."""
    slots = {made.family_id: int(made.label.split(":")[1], 16) for made in host.families}
    return [slots[grant.family_id] for grant in fitted(host, wanted).grants]


def codes(host, wanted):
    reasons = fits(host, wanted)
    assert not isinstance(reasons, Fit), reasons
    return [reason.code for reason in reasons]


def only(host, wanted):
    """The one reason why it does not fit."""
    reasons = fits(host, wanted)
    assert not isinstance(reasons, Fit), reasons
    (reason,) = reasons
    return reason


def test_a_server_without_devices_fits_where_there_is_room():
    assert fitted(view(), request()) == Fit((), ())


@pytest.mark.parametrize(
    ("wanted", "code", "asked", "had"),
    [
        (request(vcpus=33), Code.VCPUS, 33, 32),
        (request(memory_mib=65_537), Code.MEMORY, 65_537, 65_536),
        (request(disk_gib=1_001), Code.DISK, 1_001, 1_000),
    ],
)
def test_a_server_that_is_too_big_is_told_what_is_lacking(wanted, code, asked, had):
    reason = only(view(), wanted)
    assert (reason.code, reason.asked, reason.had) == (code, asked, had)


def test_every_lack_is_told_at_once():
    assert codes(view(), request(vf(), vcpus=33, bridged_networks=("physnet1",))) == [
        Code.VCPUS,
        Code.NO_BRIDGE,
        Code.NO_PHYSICAL_NETWORK,
    ]


def test_a_host_that_takes_nothing_has_that_one_reason():
    reason = only(view(why_not="disabled: new memory"), request(vcpus=99))
    assert (reason.code, reason.message) == (Code.HOST_UNAVAILABLE, "disabled: new memory")


def test_another_host_was_asked_for():
    assert codes(view(), request(host="h2")) == [Code.NOT_ASKED_FOR]
    assert fitted(view(), request(host="h1"))


def test_vfs_of_one_pf_are_given_lowest_first():
    grants = fitted(view(family("h1", 1)), request(*vfs(2))).grants
    assert [(grant.request_id, grant.vf_index) for grant in grants] == [("p1", 0), ("p2", 1)]


def test_two_vfs_of_a_server_come_from_two_pfs():
    host = view(family("h1", 1, num_vfs=8) + family("h1", 2, num_vfs=1))
    assert sorted(families(host, request(*vfs(2)))) == [1, 2]


def test_vfs_are_spread_even_when_a_choosy_request_comes_last():
    host = view(family("h1", 1, tags=("fast",)) + family("h1", 2, num_vfs=1))
    assert families(host, request(vf("p1"), vf("p2", tags=("fast",)))) == [2, 1]


def test_requests_move_over_for_one_that_has_no_other_choice():
    tags = (("x", "p", "q"), ("x", "y"), ("y", "z", "p"))
    devices = [device for slot, each in enumerate(tags, 1) for device in family("h1", slot, 1, tags=each)]
    host = view([*devices, *family("h1", 4, 0, tags=("z",))])
    wanted = request(vf("p1", tags=("x",)), vf("p2", tags=("y",)), vf("p3", tags=("z",)))
    assert families(host, wanted) == [1, 2, 3]


def test_the_pf_with_most_free_vfs_is_taken_first():
    host = view(family("h1", 1, num_vfs=2) + family("h1", 2, num_vfs=5) + family("h1", 3, num_vfs=3))
    assert families(host, request(vf())) == [2]


def test_nine_vfs_of_eight_are_refused_and_the_pf_is_no_vf():
    reason = only(view(family("h1", 1, num_vfs=8)), request(*vfs(9)))
    assert (reason.code, reason.asked, reason.had) == (Code.NOT_ENOUGH_DEVICES, 9, 8)


def test_a_pf_is_given_whole_beside_vfs_of_another():
    host = view(family("h1", 1) + family("h1", 2))
    served = families(host, request(*vfs(2), whole()))
    assert served[0] == served[1] != served[2]
    assert codes(host, request(*vfs(5), whole())) == [Code.NOT_TOGETHER]


def test_a_pf_and_its_vf_are_not_given_together():
    assert codes(view(family("h1", 1)), request(vf(), whole())) == [Code.NOT_TOGETHER]


def test_two_aliases_for_one_device_do_not_fit_together():
    host = view([plain("h1", 1)])
    one = whole("a1-1", kind=DeviceKind.PCI)
    other = whole("a2-1", kind=DeviceKind.PCI, vendor=("80*",))
    assert codes(host, request(one, other)) == [Code.NOT_TOGETHER]


def test_a_pf_no_vf_of_which_is_made_says_so():
    reason = only(view(family("h1", 1, num_vfs=0)), request(vf()))
    assert reason.code is Code.NOT_ENOUGH_DEVICES
    assert "--vfs" in reason.hint


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (vf(network="physnet9"), Code.NO_PHYSICAL_NETWORK),
        (vf(vendor=("15b3",)), Code.NO_SUCH_DEVICE),
        (vf(product=("1592",)), Code.NO_SUCH_DEVICE),
        (vf(tags=("fast",)), Code.NO_SUCH_DEVICE),
        (vf(trusted=True), Code.TRUST),
        (vf(capabilities=("802.1qbh",)), Code.CAPABILITY),
        (whole(kind=DeviceKind.PCI), Code.NO_SUCH_DEVICE),
    ],
)
def test_what_is_not_there_at_all_is_named(wanted, code):
    assert codes(view(family("h1", 1)), request(wanted)) == [code]


def test_globs_match_vendor_and_product_of_the_vf():
    assert fitted(view(family("h1", 1)), request(vf(vendor=("15b3", "80*"), product=("188?",))))


def test_no_physical_network_asked_for_means_any_or_none():
    assert fitted(view([plain("h1", 1)]), request(whole(kind=DeviceKind.PCI)))
    assert fitted(view(family("h1", 1)), request(whole()))


def test_a_port_of_ethernet_is_not_served_by_infiniband_nor_the_reverse():
    of_fabric = view(family("h1", 1, link_layer=LinkLayer.INFINIBAND))
    of_ethernet = view(family("h1", 1))
    wanted = vf(link_layer=LinkLayer.INFINIBAND)
    assert codes(of_fabric, request(vf())) == codes(of_ethernet, request(wanted)) == [Code.LINK_LAYER]
    assert fitted(of_fabric, request(wanted))
    reason = only(of_ethernet, request(wanted))
    assert reason.message == (
        "a VF on physnet1 of link layer infiniband is asked for (port p1), and what is there is of another: "
        "ens1f0 (0000:01:00.0)"
    )
    assert reason.about == "has no infiniband VF on physnet1"


def test_of_both_link_layers_on_one_host_each_port_has_its_own():
    host = view(family("h1", 1, 1) + family("h1", 2, 1, link_layer=LinkLayer.INFINIBAND))
    fit = fitted(host, request(vf("a", link_layer=LinkLayer.INFINIBAND), vf("b")))
    assert [grant.family_id for grant in fit.grants] == [
        host.families[1].family_id,
        host.families[0].family_id,
    ]


def test_unmanaged_nics_are_named_when_nothing_is_on_the_network():
    reason = only(view(family("h1", 1, policy_id=None)), request(vf()))
    assert "no device policy matches ens1f0 (0000:01:00.0)" in reason.message
    assert reason.hint == (
        "fairlead policy try <policy> --host h1 --pf ens1f0 --vfs <number> --physical-network physnet1, then create"
    )


def test_a_policy_for_infiniband_is_tried_as_one():
    reason = only(view(family("h1", 1, policy_id=None)), request(vf(link_layer=LinkLayer.INFINIBAND)))
    assert "--vfs <number> --link-layer infiniband --physical-network physnet1" in reason.hint


def test_a_nic_that_has_another_policy_is_taken_by_priority():
    reason = only(view(family("h1", 1, physical_network="physnet2")), request(vf()))
    assert reason.hint == (
        "fairlead policy try <policy> --host h1 --pf <PF name> --vfs <number> --priority <number>"
        " --physical-network physnet1, then create"
    )


def test_a_disabled_host_says_how_to_enable_it():
    reason = only(view(why_not="it is disabled", is_disabled=True), request())
    assert reason.hint == "fairlead host set h1 --enable"


def managed_by(policy: str, host: HostView) -> HostView:
    return replace(host, families=tuple(replace(family, policy=policy) for family in host.families))


@pytest.mark.parametrize(
    ("devices", "wanted", "options"),
    [
        (family("h1", 1, tags=("fast",)), vf(trusted=True), "--tag fast --tag trusted"),
        (family("h1", 1, num_vfs=0), vf(), "--vfs <number>: no VFs have been made"),
        (
            family("h1", 1, num_vfs=0),
            vf(capabilities=("802.1qbh",)),
            "--vfs <number>: what a PF is capable of shows once it has VFs",
        ),
        (
            family("h1", 1, speed_mbps=None),
            vf(egress_kbps=1000),
            "--egress-mbps <number>, where the link's speed is not known or not right",
        ),
    ],
)
def test_the_policy_to_change_is_named(devices, wanted, options):
    reason = only(managed_by("fabric", view(devices)), request(wanted))
    assert reason.hint == f"fairlead policy set fabric {options}"


class TestCapabilities:
    def test_a_vf_is_taken_of_a_pf_that_has_all_that_is_asked_for(self):
        host = view(family("h1", 1) + family("h1", 2, capabilities=("sriov", "802.1qbh")))
        assert families(host, request(vf(capabilities=("802.1qbh",)))) == [2]
        assert codes(host, request(vf(capabilities=("802.1qbh", "802.1qbg")))) == [Code.CAPABILITY]

    def test_what_is_lacking_is_said_with_counts(self):
        reason = only(view(family("h1", 1)), request(vf("p1", capabilities=("802.1qbh",))))
        assert reason.message == "no VF on physnet1 is of a PF with capability 802.1qbh, for port p1"
        assert (reason.asked, reason.had, "another port profile" in reason.hint) == (1, 0, True)

    def test_too_few_of_them_are_too_few_vfs(self):
        host = view(family("h1", 1) + family("h1", 2, num_vfs=1, capabilities=("802.1qbh",)))
        wanted = [vf(name, capabilities=("802.1qbh",)) for name in ("p1", "p2")]
        reason = only(host, request(*wanted))
        assert (reason.code, reason.asked, reason.had) == (Code.NOT_ENOUGH_DEVICES, 2, 1)

    def test_who_asks_for_none_may_be_on_any(self):
        assert families(view(family("h1", 1, capabilities=("802.1qbh",))), request(vf())) == [1]


class TestTrust:
    def test_trusted_devices_are_kept_for_those_who_ask(self):
        host = view(family("h1", 1, num_vfs=8, tags=("trusted",)) + family("h1", 2, num_vfs=1))
        assert families(host, request(vf())) == [2]
        assert families(host, request(vf(trusted=True))) == [1]

    def test_untrusted_requests_may_use_them_when_nothing_else_is_free(self):
        assert families(view(family("h1", 1, tags=("trusted",))), request(vf())) == [1]

    def test_a_trusted_vf_is_left_to_the_one_who_asks_in_the_same_server(self):
        host = view(family("h1", 1, num_vfs=1, tags=("trusted",)) + family("h1", 2, num_vfs=1))
        assert families(host, request(vf("p1"), vf("p2", trusted=True))) == [2, 1]


def test_least_tagged_devices_go_first():
    host = view(family("h1", 1, num_vfs=8, tags=("fast", "lab")) + family("h1", 2))
    assert families(host, request(vf())) == [2]


def test_a_pf_whose_link_is_down_is_the_last_resort():
    host = view(family("h1", 1, num_vfs=9, link_up=False) + family("h1", 2, num_vfs=2))
    assert families(host, request(*vfs(2))) == [2, 2]
    assert Counter(families(host, request(*vfs(3)))) == {2: 2, 1: 1}


class TestBandwidth:
    def test_it_is_counted_on_the_pf(self):
        host = view(family("h1", 1, egress_mbps=10_000))
        assert fitted(host, request(*vfs(2, egress_kbps=5_000_000))).grants[0].egress_kbps == 5_000_000
        reason = only(host, request(*vfs(3, egress_kbps=5_000_000)))
        assert (reason.code, reason.asked, reason.had) == (Code.BANDWIDTH, 15_000, 10_000)
        assert reason.message == (
            "3 VFs on physnet1 with 5000 Mbit/s each are asked for (port p1, port p2, port p3), 2 can be had; "
            "Mbit/s free: ens1f0 (0000:01:00.0) 10000 of 10000"
        )
        assert reason.families == ()
        assert reason.hint == "a smaller minimum bandwidth, or fewer servers with one"

    def test_the_most_that_is_left_is_told(self):
        left = family("h1", 1, egress_mbps=300) + family("h1", 2, egress_mbps=400)
        reason = only(view(left), request(vf(egress_kbps=500_500)))
        assert (reason.about, reason.asked, reason.had) == ("lacks Mbit/s for VFs on physnet1", 501, 400)

    def test_a_link_of_unknown_speed_promises_nothing(self):
        host = view(family("h1", 1, speed_mbps=None))
        assert codes(host, request(vf(egress_kbps=1))) == [Code.BANDWIDTH]
        assert fitted(host, request(vf()))

    def test_sizes_are_packed_so_that_all_fit(self):
        host = view(
            family("h1", 1, egress_mbps=10)
            + family("h1", 2, egress_mbps=10)
            + family("h1", 3, egress_mbps=10)
        )
        sizes = (6, 4, 5, 5, 3, 7)
        wanted = [vf(f"p{at}", egress_kbps=1_000 * size) for at, size in enumerate(sizes)]
        load = Counter()
        for slot, size in zip(families(host, request(*wanted)), sizes, strict=True):
            load[slot] += size
        assert load == {1: 10, 2: 10, 3: 10}

    def test_a_choice_that_leads_nowhere_is_taken_back(self):
        host = view(family("h1", 1, egress_mbps=20) + family("h1", 2, egress_mbps=10))
        wanted = [vf(f"p{size}", egress_kbps=1_000 * size) for size in (8, 7, 4)]
        more = [vf(f"q{at}", egress_kbps=5_000) for at in range(2)]
        assert families(host, request(*wanted, *more)) == [1, 1, 1, 2, 2]

    def test_a_vf_without_promise_leaves_room_for_one_with(self):
        host = view(family("h1", 1, num_vfs=1, egress_mbps=10) + family("h1", 2, num_vfs=1, egress_mbps=1))
        assert families(host, request(vf("p1"), vf("p2", egress_kbps=10_000))) == [2, 1]

    def test_many_odd_sizes_end_in_a_decision(self):
        devices = [device for slot in range(1, 9) for device in family("h1", slot, egress_mbps=100)]
        wanted = [vf(f"p{at}", egress_kbps=33_400 + 7 * at) for at in range(23)]
        reason = only(view(devices), request(*wanted))
        assert reason.code is Code.NOT_TOGETHER
        assert "too many ways to try" in reason.message


class TestUplink:
    def test_the_first_device_of_a_network_carries_its_ordinary_vnics(self):
        host = view(family("h1", 1) + family("h1", 2))
        assert [made.is_uplink for made in host.families] == [True, False]
        assert host.bridged_networks == ("physnet1",)

    def test_it_is_not_given_whole_to_the_server_whose_vnic_it_carries(self):
        host = view(family("h1", 1) + family("h1", 2))
        assert families(host, request(whole(), bridged_networks=("physnet1",))) == [2]
        (alone, wanted) = view(family("h1", 1)), request(whole(), bridged_networks=("physnet1",))
        assert codes(alone, wanted) == [Code.NOT_ENOUGH_DEVICES]

    def test_one_that_carries_vnics_or_that_the_host_uses_says_so(self):
        bridged = host_view(host(), family("h1", 1), (), (), ("physnet1",))
        assert "ens1f0 (0000:01:00.0) has ordinary vNICs" in only(bridged, request(whole())).message
        used = view(family("h1", 1, num_vfs=0, host_use="has address 10.0.0.5/24"))
        assert "is used by the host: it has address 10.0.0.5/24" in only(used, request(whole())).message
        assert fitted(bridged, request(vf()))

    @pytest.mark.parametrize(
        ("status", "why"),
        [(DeviceStatus.ALLOCATED, "is given whole"), (DeviceStatus.RELEASING, "waits for its scrub")],
    )
    def test_a_vf_of_one_that_is_not_free_is_refused_with_why(self, status, why):
        reason = only(view(family("h1", 1, status=status)), request(vf()))
        assert f"; ens1f0 (0000:01:00.0) {why}" in reason.message

    def test_a_whole_pf_is_rather_one_that_is_no_uplink(self):
        assert families(view(family("h1", 1) + family("h1", 2)), request(whole())) == [2]

    def test_a_network_without_uplink_is_named(self):
        reason = only(view(family("h1", 1)), request(bridged_networks=("physnet2",)))
        assert (reason.code, reason.about) == (Code.NO_BRIDGE, "has no bridge on physnet2")
