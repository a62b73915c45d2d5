"""Whether somebody has a device open through vfio, also one that libvirt does not know: DPDK, a container, a QEMU.

To unbind a device that is open is to wait for whoever has it, with the device's lock held, while QEMU is asked to give
it up (drivers/vfio/vfio_main.c, vfio_unregister_group_dev). Who writes or reads its `driver_override` waits as well.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path

from fairlead.linux.faults import Act, fault, refusal
from fairlead.linux.sysfs import Sysfs, listed, target
from fairlead.model.errors import Fault
from fairlead.model.pci import PciAddress

_GONE = (errno.ENOENT, errno.ENODEV, errno.ENXIO)
_BARRED = (
    "Does the agent's unit allow it char-vfio (DeviceAllow: `fairlead install agent`), and was vfio loaded before it"
    " began? Restart the agent."
)


def open_node(node: Path) -> None:
    """Opened, and closed at once. Raises OSError."""
    os.close(os.open(node, os.O_RDWR | os.O_CLOEXEC))


def is_vfio(driver: str | None) -> bool:
    """Whether it is a driver of vfio's family (drivers/vfio/pci): vfio-pci, mlx5_vfio_pci and the like."""
    return driver is not None and "vfio" in driver


class VfioUsers:
    """`open_node` is what an open of a group's node does, where that is more than the file's: in a fake tree."""

    def __init__(self, sysfs: Sysfs, open_node: Callable[[Path], None]) -> None:
        self._sysfs = sysfs
        self._open = open_node

    def check_none(self, act: Act, address: PciAddress) -> None:
        """Raises Fault `in_use`, and what else the kernel says. One without a group's node passes."""
        try:
            node = self._busy(address)
        except OSError as error:
            raise refusal(act, address, error, _BARRED) from error
        if node is not None:
            raise in_use(act, address, str(node))

    def has_any(self, address: PciAddress) -> bool:
        """Whether somebody has it open, for all that is known."""
        try:
            return self._busy(address) is not None
        except OSError:
            return True

    def _busy(self, address: PciAddress) -> Path | None:
        """The node that is open. A group opens once, and not at all while one of its devices is open by itself: EBUSY
        (drivers/vfio/group.c, vfio_group_fops_open). Raises OSError where it says anything else.
        """
        group = target(self._sysfs.folder(address) / "iommu_group")
        if group is None or not self._may_be_open(address):
            return None
        for name in (group, f"noiommu-{group}"):
            node = self._sysfs.root / "dev/vfio" / name
            try:
                self._open(node)
            except OSError as error:
                if error.errno == errno.EBUSY:
                    return node
                if error.errno not in _GONE:
                    raise
        return None

    def _may_be_open(self, address: PciAddress) -> bool:
        """One that has no driver may be in the middle of an unbind, which waits. In a group with others that is not to
        be told from theirs.
        """
        folder = self._sysfs.folder(address)
        driver = target(folder / "driver")
        return is_vfio(driver) or (driver is None and listed(folder / "iommu_group/devices") == (address,))


def in_use(act: Act, address: PciAddress, node: str) -> Fault:
    """The Fault for a device that somebody has open."""
    said = f"somebody outside libvirt has it open through vfio: {node}"
    hint = (
        f"It is done once nobody has it: `fuser -v {node}` shows who that is. Or match its PF by no policy."
    )
    return fault("in_use", act, address, said, hint)
