"""libvirt's words, as the releases in use say them, and the hint that each one gets."""

import pytest

from fairlead.hypervisor.faults import hint, refusal


@pytest.mark.parametrize(
    ("answer", "help_"),
    [
        (
            "unsupported configuration: host doesn't support passthrough of host PCI devices",
            "modprobe vfio-pci",
        ),
        (
            "Requested operation is not valid: PCI device 0000:41:10.2 is in use by driver QEMU, domain web",
            "stop it",
        ),
        (
            "Failed to connect socket to '/var/run/libvirt/libvirt-sock': No such file or directory",
            "libvirtd",
        ),
        (
            "internal error: qemu unexpectedly closed: vfio 0000:41:10.2: group 11 is not viable",
            "IOMMU group",
        ),
        ("target managed='no' but specified dev 'fltap-1' is missing", "tap"),
    ],
)
def test_what_libvirt_says_has_a_hint(answer: str, help_: str):
    assert help_ in hint(answer)


def test_words_that_nobody_knows_have_none():
    fault = refusal("Starting", "fl-x", "something new")
    assert str(fault) == "Starting fl-x failed: something new."
    assert fault.failure.code == "libvirt_refused"
