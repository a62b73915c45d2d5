"""Devices that share an IOMMU group: vfio gives it to one server, or a driver of the host keeps it."""

from dataclasses import replace

import pytest

from fairlead.model.binding import Allocation
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.ids import RequestId, ServerId
from fairlead.model.pci import DeviceKind
from fairlead.model.request import KeptDevice
from fairlead.placement.boundary import Fit, HostView
from fairlead.placement.boundary import ReasonCode as Code
from fairlead.placement.filters import candidates
from fairlead.placement.fits import fits
from fairlead.placement.keeping import offering_kept
from fairlead.placement.need import need_of
from fairlead.placement.snapshot import Fleet, host_view
from tests.unit.placement.rows import family, host, plain, request, vf, vfs, whole

GPU = {"tags": ("gpu",), "kernel_driver": "nouveau"}
SOUND = {"tags": ("sound",), "kernel_driver": "snd_hda_intel"}


def undriven(*devices: Device) -> list[Device]:
    """VFs, as they are made: no driver of the host has them."""
    return [replace(each, kernel_driver=None) if each.kind is DeviceKind.VF else each for each in devices]


def in_groups(devices: list[Device], *groups: tuple[int, ...]) -> list[Device]:
    """The devices, those whose places a group names being in it, and each other in one of its own."""
    of = {place: number for number, places in enumerate(groups, 1) for place in places}
    return [replace(device, iommu_group=of.get(at, 100 + at)) for at, device in enumerate(devices)]


def held(device: Device, server: str, **fields: object) -> tuple[Device, Allocation]:
    row = Allocation(device.id, device.family_id, device.host_id, ServerId(server), RequestId(device.id))
    return replace(device, status=DeviceStatus.ALLOCATED), replace(row, **fields)


def view(devices: list[Device], *allocations: Allocation, own: str | None = None) -> HostView:
    return host_view(host(), devices, allocations, (), own=ServerId(own) if own else None)


def taken(devices: list[Device], at: int, server: str, own: str | None = None, **fields: object) -> HostView:
    """The host on which the server has that device."""
    device, row = held(devices[at], server, **fields)
    return view([*devices[:at], device, *devices[at + 1 :]], row, own=own)


def vf_indexes(host_seen: HostView, *wanted: object) -> list[int | None]:
    fit = fits(host_seen, request(*wanted))
    assert isinstance(fit, Fit), fit
    return [grant.vf_index for grant in fit.grants]


def why_not(host_seen: HostView, *wanted: object):
    reasons = fits(host_seen, request(*wanted))
    assert not isinstance(reasons, Fit), reasons
    (reason,) = reasons
    return reason


def four_vfs(*groups: tuple[int, ...]) -> list[Device]:
    """A PF, which is at place 0, and its VFs 0 to 3 at the places 1 to 4."""
    return in_groups(undriven(*family("h1", 1)), *groups)


def test_a_group_is_one_servers():
    seen = taken(four_vfs((1, 2)), 1, "web")
    assert vf_indexes(seen, *vfs(2)) == [2, 3]
    reason = why_not(seen, *vfs(3))
    assert (reason.code, reason.asked, reason.had) == (Code.IOMMU_GROUP, 3, 2)
    assert "a server has 0000:01:01.0, which is in its IOMMU group 1" in reason.message
    reason = why_not(seen, *vfs(4))
    assert reason.code is Code.NOT_ENOUGH_DEVICES
    assert "2 are free: 1 is held" in reason.message
    assert reason.message.endswith("; 1 is kept back by IOMMU groups")


def test_one_server_may_have_all_of_a_group():
    assert vf_indexes(view(four_vfs((1, 2, 3, 4))), *vfs(4)) == [0, 1, 2, 3]
    assert vf_indexes(taken(four_vfs((1, 2, 3, 4)), 1, "web", own="web"), *vfs(3)) == [1, 2, 3]


@pytest.mark.parametrize("status", [DeviceStatus.RELEASING, DeviceStatus.FAULTY])
def test_a_group_is_nobodys_until_all_of_it_is_clean(status):
    devices = four_vfs((1, 2))
    devices[1] = replace(devices[1], status=status)
    assert vf_indexes(view(devices), *vfs(2)) == [2, 3]
    assert "0000:01:01.0 is not clean yet" in why_not(view(devices), *vfs(3)).message


def test_a_device_that_is_away_keeps_its_group_as_long_as_somebody_has_it():
    devices = four_vfs((1, 2))
    gone, row = held(devices[1], "web")
    gone = replace(gone, status=DeviceStatus.MISSING)
    assert vf_indexes(view([devices[0], gone, *devices[2:]], row), *vfs(2)) == [2, 3]
    assert vf_indexes(view([devices[0], gone, *devices[2:]]), *vfs(3)) == [1, 2, 3]


def test_vfs_in_their_pfs_group_are_for_macvtaps_alone():
    seen = view(four_vfs((0, 1, 2, 3, 4)))
    reason = why_not(seen, vf())
    assert (reason.code, reason.had) == (Code.IOMMU_GROUP, 0)
    assert "the host's driver has 0000:01:00.0" in reason.message
    assert vf_indexes(seen, *vfs(4, is_host_driven=True)) == [0, 1, 2, 3]
    fleet = Fleet([seen])
    assert not candidates(fleet.columns, need_of(request(vf()))).could_do[0]
    assert candidates(fleet.columns, need_of(request(vf(is_host_driven=True)))).could_do[0]


def test_a_macvtap_makes_a_group_the_hosts_and_vfio_makes_it_no_hosts():
    devices = four_vfs((1, 2))
    below = taken(devices, 1, "web", is_host_driven=True)
    assert vf_indexes(below, *vfs(3, is_host_driven=True)) == [1, 2, 3]
    assert why_not(below, *vfs(3)).code is Code.IOMMU_GROUP
    for own in (None, "web"):
        passed = taken(devices, 1, "web", own=own)
        assert vf_indexes(passed, *vfs(2, is_host_driven=True)) == [2, 3]
        assert why_not(passed, *vfs(3, is_host_driven=True)).code is Code.IOMMU_GROUP


def test_macvtaps_of_a_group_that_is_the_hosts_need_not_wait_for_one_that_is_not_clean():
    devices = four_vfs((0, 1, 2, 3, 4))
    devices[1] = replace(devices[1], status=DeviceStatus.RELEASING)
    assert vf_indexes(view(devices), vf(is_host_driven=True)) == [1]


def test_a_server_that_wants_both_gets_them_of_different_groups():
    seen = view(four_vfs((1, 2), (3, 4)))
    assert vf_indexes(seen, vf("p1"), vf("p2", is_host_driven=True)) == [0, 2]
    macvtaps = vfs(2, is_host_driven=True)
    assert vf_indexes(seen, vf("p3"), vf("p4"), *macvtaps) == [0, 1, 2, 3]
    assert why_not(seen, vf("p3"), vf("p4"), vf("p5"), *macvtaps[:1]).code is Code.NOT_TOGETHER


def test_a_gpu_is_given_with_its_sound_or_not_at_all():
    seen = view(in_groups([plain("h1", 1, **GPU), plain("h1", 2, **SOUND)], (0, 1)))
    gpu, sound = (whole(tag, kind=DeviceKind.PCI, tags=(tag,)) for tag in ("gpu", "sound"))
    assert vf_indexes(seen, gpu, sound) == [None, None]
    reason = why_not(seen, gpu)
    assert reason.code is Code.IOMMU_GROUP
    assert "0000:01:00.0 with " in reason.message
    assert "0000:02:00.0" in reason.message


def test_a_gpu_goes_alone_where_no_driver_has_its_sound_and_then_that_is_nobody_elses():
    devices = in_groups([plain("h1", 1, **GPU), plain("h1", 2, tags=("sound",), kernel_driver=None)], (0, 1))
    gpu, sound = (whole(tag, kind=DeviceKind.PCI, tags=(tag,)) for tag in ("gpu", "sound"))
    assert vf_indexes(view(devices), gpu) == [None]
    assert why_not(taken(devices, 0, "web"), sound).code is Code.IOMMU_GROUP
    assert vf_indexes(taken(devices, 0, "web", own="web"), sound) == [None]


@pytest.mark.parametrize(
    "fields", [{"policy_id": None}, {"is_management": True}, {"host_use": "has address 10.0.0.5/24"}]
)
def test_what_is_never_given_keeps_back_its_group(fields):
    devices = in_groups([*family("h1", 1, 0), *family("h1", 2, 0, **fields)], (0, 1))
    reason = why_not(view(devices), whole())
    assert reason.code is Code.IOMMU_GROUP
    assert "0000:02:00.0, which is in its IOMMU group 1" in reason.message


def test_of_two_pairs_of_ports_one_is_given_whole():
    devices = in_groups([port for slot in range(1, 5) for port in family("h1", slot, 0)], (0, 2), (1, 3))
    fit = fits(view(devices), request(whole("a"), whole("b")))
    assert isinstance(fit, Fit)
    assert {grant.family_id for grant in fit.grants} in (
        {devices[0].id, devices[2].id},
        {devices[1].id, devices[3].id},
    )
    assert why_not(view(devices), whole("a"), whole("b"), whole("c")).code is Code.IOMMU_GROUP


def test_of_ports_that_are_alike_the_one_that_a_device_needs_is_given_with_it():
    """Nothing is tied to a port whose group has a device that no driver has; the device is tied to the port."""
    ports = [port for slot in (1, 2, 3) for port in family("h1", slot, 0)]
    devices = in_groups([*ports, plain("h1", 4, kernel_driver=None)], (2, 3))
    fit = fits(view(devices), request(whole("a"), whole("b", kind=DeviceKind.PCI)))
    assert isinstance(fit, Fit)
    assert [grant.family_id for grant in fit.grants] == [devices[2].id, devices[3].id]


def test_a_pf_is_not_kept_back_by_its_own_vfs():
    assert vf_indexes(view(four_vfs((0, 1, 2, 3, 4))), whole()) == [None]


@pytest.mark.parametrize("is_host_driven", [False, True])
def test_what_a_resized_server_keeps_is_its_own(is_host_driven):
    devices = four_vfs((1, 2))
    seen = taken(devices, 1, "web", own="web", is_host_driven=is_host_driven)
    kept = vf("p1", keeps=KeptDevice(devices[0].id, 0), is_host_driven=is_host_driven)
    others = vfs(3, is_host_driven=is_host_driven)
    asked = request(kept, *(replace(each, id=RequestId(f"n{at}")) for at, each in enumerate(others)))
    fit = fits(offering_kept(seen, asked), asked)
    assert isinstance(fit, Fit)
    assert [grant.vf_index for grant in fit.grants] == [0, 1, 2, 3]


def test_devices_without_a_group_are_in_nobodys_way():
    devices = [replace(device, iommu_group=None) for device in four_vfs()]
    assert vf_indexes(taken(devices, 1, "web"), *vfs(3)) == [1, 2, 3]
