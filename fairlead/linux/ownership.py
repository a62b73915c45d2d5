"""Which VFs are Fairlead's, for udev: network managers leave those alone (fairlead/main/files/70-fairlead.rules).

A file for each in /run/fairlead/vfs, called as its PCI address: a rule can look for one, and cannot ask anybody. They
last as long as VFs do, until the host boots.
"""

import os
from pathlib import Path

from fairlead.model.pci import PciAddress

OURS_OF_UDEV = "run/fairlead/vfs"
_DEVICES = "sys/bus/pci/devices"


class OwnVfs:
    """Below `root`, which is `/` on a real host."""

    def __init__(self, root: Path) -> None:
        self._folder = root / OURS_OF_UDEV
        self._devices = root / _DEVICES
        self._kept: frozenset[PciAddress] | None = None

    def keep(self, addresses: frozenset[PciAddress]) -> None:
        """These and no others. Raises OSError when that cannot be kept."""
        if addresses == self._kept:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        there = frozenset(map(PciAddress, os.listdir(self._folder)))  # noqa: PTH208 - names, not paths
        for address in sorted(addresses - there):
            (self._folder / address).touch()
        for address in sorted(there - addresses):
            (self._folder / address).unlink()
        for address in sorted(addresses ^ there):
            self._ask_again(address)
        self._kept = addresses

    def _ask_again(self, address: PciAddress) -> None:
        """The network device that the VF has already goes through udev's rules anew (Documentation/ABI/testing/
        sysfs-uevent); one that it gets later does anyway.
        """
        for uevent in (self._devices / address).glob("net/*/uevent"):
            uevent.write_text("change", encoding="ascii")
