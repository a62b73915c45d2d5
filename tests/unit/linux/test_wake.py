"""Which uevents are worth a look at the host."""

import pytest

from fairlead.linux.wake import concerns_us


@pytest.mark.parametrize(
    ("uevent", "does"),
    [
        (b"bind@/devices/pci0000:00/0000:01:10.0\0ACTION=bind\0SUBSYSTEM=pci\0DRIVER=vfio-pci\0", True),
        (b"add@/devices/virtual/net/tap0\0ACTION=add\0SUBSYSTEM=net\0", True),
        (b"change@/devices/virtual/block/dm-0\0SUBSYSTEM=block\0", False),
        (b"add@/devices/x\0SUBSYSTEM=netfilter\0", False),
        (b"", False),
    ],
)
def test_pci_and_network_devices_are_ours_to_look_at(uevent: bytes, *, does: bool):
    assert concerns_us(uevent) is does
