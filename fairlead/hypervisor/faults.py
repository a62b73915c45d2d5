"""libvirt's errors as Faults: what was being done, to what, libvirt's words, what would help."""

import re

from fairlead.model.errors import Failure, Fault
from fairlead.model.ids import ServerId

# libvirt has few codes and says most in words; the words are of its releases 9 to 11.
_HINTS = (
    (
        r"host doesn't support passthrough of host PCI devices",
        "Turn on the IOMMU (firmware, and intel_iommu=on on Intel) and load the module: modprobe vfio-pci.",
    ),
    (
        r"must be manually detached from the host",
        "A host driver has the device; `virsh nodedev-detach` takes it away.",
    ),
    (
        r"is in use by driver .*, domain (?P<name>\S+)",
        "Another guest has the device: stop it, or exclude the device in the device policy.",
    ),
    (
        r"(group|device) .* is not viable",
        "Other devices of its IOMMU group have host drivers: use a slot with ACS, or give the whole group.",
    ),
    (
        r"[Nn]o more available PCI|No free PCI|free PCI slot",
        "The guest was started with too few slots to plug into: reboot the server hard, and it starts with the device.",
    ),
    (
        r"cannot limit locked memory|[Cc]annot allocate memory",
        "The host is short of memory: guests with devices hold all of theirs.",
    ),
    (
        r"[Cc]ould not open '(?P<path>[^']+)': Permission denied",
        "QEMU's user must reach the file: see dynamic_ownership in qemu.conf.",
    ),
    (
        r"Failed to connect socket|Connection refused",
        "Is libvirtd (or virtqemud) running? systemctl status libvirtd",
    ),
    (r"authentication (failed|unavailable)", "The agent needs libvirt's read-write socket: run it as root."),
    (
        r"emulator .* not found|Cannot find .*QEMU|no emulator",
        "Install QEMU: apt-get install qemu-system-x86",
    ),
    (
        r"KVM is not (available|supported)|could not find capabilities",
        "Turn on virtualisation in firmware and load kvm_intel or kvm_amd.",
    ),
    (r"target managed='no' but specified dev", "The tap is gone; the agent makes it again."),
    (
        r"Failed to terminate process .* Device or resource busy",
        "QEMU hangs in the kernel, mostly on storage; it is tried again.",
    ),
    (
        r"Cannot (set up|acquire|change) .*state .*lock|cannot acquire state change lock",
        "Another call holds the domain; it is tried again.",
    ),
)


def refusal(doing: str, subject: str, answer: str) -> Fault:
    """The Fault for libvirt's words."""
    return Fault(Failure("libvirt_refused", doing, subject, answer, hint(answer)))


def not_released(server_id: ServerId, device: str, answer: str) -> Failure:
    """Why a running guest still has a device that it was asked for."""
    return Failure(
        "not_released",
        "Taking",
        f"device {device} from the running guest of server {server_id}",
        f"the guest keeps it: {answer}",
        "It is asked again. Does the guest's kernel have PCI hot-plug, and does nothing in it hold the device? "
        "`fairlead server detach --force` reboots the server hard, without the device.",
    )


def hint(answer: str) -> str:
    """What would help, as far as the words are known; "" otherwise."""
    return next((said for pattern, said in _HINTS if re.search(pattern, answer)), "")
