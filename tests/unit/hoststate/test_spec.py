"""When a guest's domain must be made again."""

from dataclasses import replace

from fairlead.hoststate.desired import ImageRef
from fairlead.hoststate.spec import spec_of
from fairlead.model.ids import ImageId
from fairlead.model.pci import PciAddress
from tests.host_wishes import HostWish, ServerWish, VfWish, desired

IMAGE = ImageRef(ImageId("5f6d8e2a-0000-4000-8000-000000000001"), "ab" * 64, 1024, "qcow2")
GUEST = replace(desired(HostWish(servers=(ServerWish(1, vfs=(VfWish(0, 3),)),))).guests[0], root=IMAGE)


def test_power_and_serial_make_no_other_domain():
    assert spec_of(GUEST, {}) == spec_of(replace(GUEST, boot_serial=9, hard_reboot=True), {})


def test_a_size_makes_another_domain():
    assert spec_of(GUEST, {}) != spec_of(replace(GUEST, memory_mib=2048), {})


def test_a_card_that_moved_makes_another_domain():
    moved = {GUEST.hostdevs[0].device_id: PciAddress("0000:3c:01.3")}
    assert spec_of(GUEST, {}) != spec_of(GUEST, moved)


def test_the_domain_outlives_its_image():
    assert spec_of(replace(GUEST, root=ImageRef(IMAGE.id, "", 0, "")), {}) == spec_of(GUEST, {})
