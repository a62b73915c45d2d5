"""Plain PCI devices that are worth offering to guests: neither networks nor parts the host runs on."""

from collections.abc import Iterable
from pathlib import Path

from fairlead.hoststate.observed import ObservedPci
from fairlead.linux.sysfs import PciFunction, integer
from fairlead.model.pci import STAND_INS

# PCI Code and ID Assignment Specification, base classes.
OFFERED = {
    0x01: "mass storage",
    0x03: "display",
    0x04: "multimedia",
    0x0B: "processor",
    0x0C: "serial bus",
    0x0D: "wireless",
    0x10: "encryption",
    0x11: "signal processing",
    0x12: "processing accelerator",
    0x40: "co-processor",
    0xFF: "of no class",
}
"""Base classes of plain devices. Left out: networks, bridges, memory controllers, system peripherals."""

_SMBUS = 0x0C05
_RUNS_THE_HOST = (0x01, 0x0C)
"""Disks and USB: only once no host driver has them, for nobody else can say what is mounted or typed there."""
_VIRTIO = "virtio-pci"


def plain_devices(functions: Iterable[PciFunction], devices: Path) -> tuple[ObservedPci, ...]:
    """Those to offer, in address order. `devices` is sysfs' folder of PCI devices."""
    return tuple(
        ObservedPci(
            key=f"address:{function.address}",
            pci_address=function.address,
            vendor=function.vendor,
            product=function.product,
            kernel_driver=function.kernel_driver,
            numa_node=function.numa_node,
            iommu_group=function.iommu_group,
        )
        for function in functions
        if not function.is_network
        and is_offered(function, is_boot_display=_is_boot_display(devices, function))
    )


def _is_boot_display(devices: Path, function: PciFunction) -> bool:
    return integer(f"{devices}/{function.address}/boot_vga") == 1


def is_offered(function: PciFunction, *, is_boot_display: bool) -> bool:
    """Whether a guest could have the device without taking from the host what it lives on."""
    base = function.class_code >> 16
    if base not in OFFERED or function.class_code >> 8 == _SMBUS or is_boot_display:
        return False
    if function.kernel_driver == _VIRTIO:
        return False  # the machine is a guest itself, and this is its console, balloon or disk
    return base not in _RUNS_THE_HOST or function.kernel_driver in STAND_INS
