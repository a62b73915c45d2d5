"""The compute host is what the other phases take it for."""

from lab.bed import Lab
from lab.machine.arguments import PFS
from lab.phase import Phase


def _show(lab: Lab) -> None:
    host = lab.host
    for pf in PFS:
        device = f"/sys/class/net/{pf.name}/device"
        assert host.read(f"{device}/numa_node") == str(pf.numa_node)
        assert host.read(f"{device}/sriov_totalvfs") == "7"
        assert host.must(f"basename $(readlink {device}/driver)").strip() == "igb"
    assert "kvm" in host.virsh("domcapabilities --virttype kvm | grep '<domain>'").output
    host.must('[ -c /dev/vfio/vfio ] && [ -n "$(ls /sys/kernel/iommu_groups)" ]')


HARDWARE = Phase(
    "hardware", "two igb PFs, each on its NUMA node, an IOMMU, KVM in libvirt", _show, limit_seconds=60
)
