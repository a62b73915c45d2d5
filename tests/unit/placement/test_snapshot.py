"""A host's rows become its view; views become the fleet."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from fairlead.model.binding import Allocation
from fairlead.model.device import DeviceStatus
from fairlead.model.ids import HostId, PolicyId, RequestId, ServerId
from fairlead.model.numa import GuestCell
from fairlead.model.pci import LinkLayer
from fairlead.model.policy import DeviceMatch, DevicePolicy
from fairlead.placement.boundary import Fit
from fairlead.placement.fits import fits
from fairlead.placement.snapshot import Fleet, host_view
from tests.unit.placement.rows import family, host, nodes, plain, request, server, vf, view, whole


def held(device, egress_kbps=0):
    return Allocation(
        device.id, device.family_id, device.host_id, ServerId("s"), RequestId("r"), egress_kbps=egress_kbps
    )


def with_status(devices, at, status):
    return (*devices[:at], replace(devices[at], status=status), *devices[at + 1 :])


def seen(devices, allocations=(), **arguments):
    (made,) = host_view(host(), devices, allocations, (), **arguments).families
    return made.is_free, made.free_vfs, made.held_vfs, made.unclean_vfs


def test_a_family_that_nobody_uses_is_free_whole_or_in_parts():
    assert seen(family("h1", 1)) == (True, 0b1111, 0, 0)


@pytest.mark.parametrize("status", [DeviceStatus.CLAIMED, DeviceStatus.ALLOCATED])
def test_a_held_vf_keeps_its_pf(status):
    devices = with_status(family("h1", 1), 2, status)
    assert seen(devices, [held(devices[2])]) == (False, 0b1101, 1, 0)


@pytest.mark.parametrize("status", [DeviceStatus.RELEASING, DeviceStatus.FAULTY])
def test_an_unclean_vf_is_not_free_and_keeps_its_pf(status):
    devices = with_status(family("h1", 1), 1, status)
    assert seen(devices) == (False, 0b1110, 0, 1)
    assert seen(devices, [held(devices[1])]) == (False, 0b1110, 0, 1)


@pytest.mark.parametrize(
    "status", [status for status in DeviceStatus if status is not DeviceStatus.AVAILABLE]
)
def test_a_pf_that_is_not_free_has_no_free_vfs(status):
    assert seen(with_status(family("h1", 1), 0, status)) == (False, 0, 0, 0)


def test_a_missing_vf_is_not_free_but_keeps_nothing_unless_held():
    devices = with_status(family("h1", 1), 4, DeviceStatus.MISSING)
    assert seen(devices) == (True, 0b0111, 0, 0)
    assert seen(devices, [held(devices[4])]) == (False, 0b0111, 0, 1)


def test_an_allocation_counts_whatever_the_status_says():
    devices = family("h1", 1)
    assert seen(devices, [held(devices[1])]) == (False, 0b1110, 1, 0)


def test_an_uplink_in_use_is_not_given_whole_but_its_vfs_are():
    devices = family("h1", 1)
    assert seen(devices, bridged_now={"physnet1"}) == (False, 0b1111, 0, 0)
    assert seen(devices, bridged_now={"physnet2"}) == (True, 0b1111, 0, 0)


def test_an_uplink_given_whole_bridges_nothing_and_no_other_takes_its_place():
    first, second = family("h1", 1), family("h1", 2)
    taken = with_status(first, 0, DeviceStatus.ALLOCATED)
    made = host_view(host(), taken + second, [held(taken[0])], ())
    assert made.bridged_networks == ()
    assert [each.is_uplink for each in made.families] == [True, False]


def test_an_uplink_is_ethernet():
    devices = family("h1", 1, link_layer=LinkLayer.INFINIBAND) + family("h1", 2)
    assert [made.is_uplink for made in view(devices).families] == [False, True]


def test_unmanaged_and_management_nics_are_not_offered():
    devices = family("h1", 1, policy_id=None) + family("h1", 2, is_management=True)
    made = view([*devices, plain("h1", 3, policy_id=None)])
    assert (made.families, made.unmanaged) == ((), ("ens1f0 (0000:01:00.0)",))


def test_families_are_in_pci_address_order():
    made = view(family("h1", 9) + family("h1", 2))
    assert [each.label for each in made.families] == ["ens2f0 (0000:02:00.0)", "ens9f0 (0000:09:00.0)"]


@pytest.mark.parametrize(
    ("speed", "declared", "expected"),
    [
        (25_000, None, (25_000_000, 24_000_000)),
        (25_000, 0, (0, 0)),
        (None, 500, (500_000, 0)),
        (None, None, (0, 0)),
    ],
)
def test_bandwidth_is_what_the_policy_declares_else_the_link_speed(speed, declared, expected):
    devices = with_status(family("h1", 1, speed_mbps=speed, egress_mbps=declared), 1, DeviceStatus.CLAIMED)
    (made,) = host_view(host(), devices, [held(devices[1], 1_000_000)], ()).families
    assert (made.egress_kbps, made.egress_free_kbps) == expected


def test_servers_use_vcpus_memory_disk_and_the_nodes_of_their_cells():
    servers = [server("a", cells=[GuestCell(1, 2, 2_048)]), server("b")]
    made = host_view(host(numa=nodes(0, 1)), (), (), servers)
    assert (made.vcpus_used, made.memory_mib_used, made.disk_gib_used) == (4, 4_096, 20)
    assert (made.numa_vcpus_used, made.numa_memory_used) == (((1, 2),), ((1, 2_048),))


def test_the_view_has_the_hosts_revision():
    made = host_view(host(revision=7), (), (), ())
    assert (made.revision, made.why_not) == (7, "")


class TestFleet:
    def test_a_view_takes_the_place_of_the_hosts_last(self):
        fleet = Fleet([view(), view(host_id=HostId("h2"), name="h2")])
        fleet.replace([view(revision=5)])
        assert len(fleet) == 2
        assert fleet.view(HostId("h1")).revision == 5

    def test_a_removed_host_is_gone_and_the_others_stay(self):
        fleet = Fleet(view(host_id=HostId(f"h{n}"), name=f"h{n}") for n in range(5))
        for gone in ("h1", "h4", "nobody"):
            fleet.remove(HostId(gone))
        assert sorted(each.name for each in fleet) == ["h0", "h2", "h3"]
        assert fleet.view(HostId("h1")) is None
        assert all(fleet.view(each.host_id) is each for each in fleet)

    def test_it_grows_with_its_hosts_and_their_kinds_of_devices(self):
        fleet = Fleet(view(host_id=HostId(f"h{n}"), name=f"h{n}") for n in range(200))
        many = [device for slot in range(1, 9) for device in family("h7", slot, physical_network=f"p{slot}")]
        fleet.replace([view(many, host_id=HostId("h7"), name="h7")])
        assert fleet.columns.kinds.shape[0] == 8
        assert fleet.columns.vfs[:, 7].tolist() == [4] * 8
        fits_now = fits(fleet.view(HostId("h7")), request(vf(network="p3"), whole(physical_network="p4")))
        assert isinstance(fits_now, Fit)


def test_a_family_knows_its_policy_by_name_and_how_many_vfs_that_wants():
    day = datetime(2026, 1, 1, tzinfo=UTC)
    policy = DevicePolicy(PolicyId("policy"), "fabric", DeviceMatch(), day, day, num_vfs=2)
    (made,) = host_view(host(), family("h1", 1), (), (), policies={policy.id: policy}).families
    assert (made.policy, made.free_vfs, made.is_count_due) == ("fabric", 0b11, True)
