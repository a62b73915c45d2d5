"""What a host's QEMU can do for guests, and where a guest's files are on that host."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class DomainType(Enum):
    """libvirt's `<domain type=>`: with KVM, or emulated (for machines without it; a hundred times slower)."""

    KVM = "kvm"
    QEMU = "qemu"


class Chipset(Enum):
    """QEMU's machine: Q35 with PCI Express, PC without. A passed-through VF works in both."""

    Q35 = "q35"
    PC = "pc"


class CpuModel(Enum):
    """What CPU the guest sees: the host's own, or the least that any x86-64 kernel runs on."""

    HOST_PASSTHROUGH = "host-passthrough"
    QEMU64 = "qemu64"


@dataclass(frozen=True, slots=True)
class Machine:
    """How guests run on one host. `emulator` None: libvirt's own choice."""

    domain_type: DomainType = DomainType.KVM
    chipset: Chipset = Chipset.Q35
    cpu: CpuModel = CpuModel.HOST_PASSTHROUGH
    emulator: Path | None = None


@dataclass(frozen=True, slots=True)
class GuestFiles:
    """Where a guest's files are on its host. None: it has no such file."""

    console_log: Path
    disk: Path | None
    config_drive: Path | None
    kernel: Path | None
    ramdisk: Path | None
