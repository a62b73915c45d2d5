"""Whether this machine's KVM can run the compute host, or QEMU must emulate it.

The compute host runs guests with KVM itself, so the machine's KVM must nest: kvm_intel and kvm_amd say so. Any other
/dev/kvm (some sandboxes have one that neither Intel's nor AMD's module made) is no help. QEMU's emulation, TCG, has
AMD's SVM with nested paging, slow but whole.
"""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Accelerator:
    """QEMU's -accel and -cpu."""

    name: str
    accel: str
    cpu: str


KVM = Accelerator("kvm", "kvm", "host")
# A family of 23: for the older family that "max" has by default, the kernel looks for an AGP bridge at boot, which in a
# guest costs 4 s of emulated port reads.
# x2apic: with the older xAPIC about one run in thirty hung on a timer write that went to the IOMMU's registers.
TCG = Accelerator("tcg", "tcg,thread=multi,tb-size=512", "max,+x2apic,family=23,model=49,stepping=0")


def best_accelerator() -> Accelerator:
    """KVM where it nests and may be opened, else TCG."""
    parameters = Path("/sys/module")
    nests = any(
        (parameters / module / "parameters/nested").is_file()
        and (parameters / module / "parameters/nested").read_text().strip() in {"1", "Y"}
        for module in ("kvm_intel", "kvm_amd")
    )
    return KVM if nests and os.access("/dev/kvm", os.R_OK | os.W_OK) else TCG
