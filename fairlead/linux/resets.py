"""Resets of single PCI functions, by the attribute `reset` of those that the kernel can reset alone.

Source: Linux drivers/pci/pci-sysfs.c, drivers/pci/pci.c (pci_reset_fn_methods).
"""

from collections.abc import Callable
from pathlib import Path

from fairlead.linux.faults import Act, fault, refusal
from fairlead.linux.sysfs import Sysfs
from fairlead.model.pci import STAND_INS, PciAddress

_HINT = (
    "It has no FLReset (lspci -vv), and shares its slot with other functions. Let a driver of the host have it between"
    " guests, that begins with it anew; or match it with no policy."
)


class Resets:
    """`write` is what a write to an attribute does."""

    def __init__(self, sysfs: Sysfs, write: Callable[[Path, str], None]) -> None:
        self._sysfs = sysfs
        self._write = write

    def reset_vf(self, address: PciAddress, subject: str) -> None:
        """Where it has a reset. PCI Express asks one of every VF; of one without (the kernel may lack its quirk), what
        its owner was told lies in its PF all the same, and is the scrub's to clear.
        """
        if self._attribute(address).exists():
            self._reset(address, subject)

    def reset_device(self, address: PciAddress) -> None:
        """Raises Fault where it is gone, or has no reset: then nothing else takes away what its guest left in it."""
        function = self._sysfs.function(address)
        if function is None:
            raise fault("device_missing", Act.RESET, address, "there is no such PCI device any more")
        if function.kernel_driver not in STAND_INS:
            return
        if not self._attribute(address).exists():
            said = "the kernel knows no way to reset it alone: it has no attribute `reset`"
            raise fault("reset_missing", Act.RESET, address, said, _HINT)
        self._reset(address, address)

    def _attribute(self, address: PciAddress) -> Path:
        return self._sysfs.folder(address) / "reset"

    def _reset(self, address: PciAddress, subject: str) -> None:
        try:
            self._write(self._attribute(address), "1")
        except OSError as error:
            raise refusal(Act.RESET, subject, error) from error
