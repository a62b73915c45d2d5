"""A machine's sysfs and /proc as files below a folder, declared by the test that needs them."""

from dataclasses import dataclass
from pathlib import Path

IGB_CLASS = 0x020000


@dataclass(frozen=True, slots=True)
class Tree:
    """Writes a fake tree. `root` is what the readers are given."""

    root: Path

    def write(self, path: str, content: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content + "\n", encoding="ascii")
        return file

    def link(self, path: str, target: str) -> None:
        link = self.root / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)

    def function(
        self,
        address: str,
        *,
        class_code: int = IGB_CLASS,
        device: str = "8086:10c9",
        driver: str | None = "igb",
    ) -> str:
        """A PCI function on NUMA node 1; the path of its folder, from the root."""
        folder = f"sys/bus/pci/devices/{address}"
        vendor, _, product = device.partition(":")
        self.write(f"{folder}/class", f"0x{class_code:06x}")
        self.write(f"{folder}/vendor", f"0x{vendor}")
        self.write(f"{folder}/device", f"0x{product}")
        self.write(f"{folder}/numa_node", "1")
        self.link(f"{folder}/iommu_group", "../../../../kernel/iommu_groups/12")
        if driver is not None:
            self.link(f"{folder}/driver", f"../../../../bus/pci/drivers/{driver}")
        return folder

    def net(self, folder: str, name: str, index: int, *, speed: str = "1000", arphrd: int = 1) -> None:
        """The network device of a function, also as /sys/class/net has it."""
        for attribute, value in (("ifindex", str(index)), ("type", str(arphrd)), ("speed", speed)):
            self.write(f"{folder}/net/{name}/{attribute}", value)
        self.link(f"sys/class/net/{name}", str(self.root / folder / "net" / name))

    def rename(self, address: str, name: str, new: str) -> None:
        """The network device of a function gets another name, as somebody else would give it."""
        folder = self.root / f"sys/bus/pci/devices/{address}/net"
        (folder / name).rename(folder / new)

    def virtual(self, folder: str, index: int, address: str) -> None:
        """A VF of the function, without a driver of the host."""
        own = self.function(address, device="8086:10ca", driver=None)
        self.link(f"{folder}/virtfn{index}", f"../{address}")
        self.link(f"{own}/physfn", f"../{Path(folder).name}")
        self.write(f"{own}/reset", "")
        self.write(f"{own}/driver_override", "(null)")


def nic_at(root: Path, address: str, name: str, index: int) -> Tree:
    """A machine with one NIC: what has no PCI address, as a veth, is its network device in a namespace."""
    tree = Tree(root)
    tree.net(tree.function(address), name, index)
    return tree


def igb_machine(root: Path) -> Tree:
    """The lab's card: PF 0000:01:00.0 `pfa` (ifindex 2) with two of seven VFs; two NUMA nodes, one socket."""
    tree = Tree(root)
    pf = tree.function("0000:01:00.0")
    tree.net(pf, "pfa", 2)
    tree.write(f"{pf}/sriov_totalvfs", "7")
    tree.write(f"{pf}/sriov_numvfs", "2")
    tree.write(f"{pf}/sriov_drivers_autoprobe", "1")
    tree.virtual(pf, 0, "0000:01:10.0")
    tree.virtual(pf, 1, "0000:01:10.2")
    tree.write("proc/sys/kernel/random/boot_id", "6f0e6d8a-7b3f-4d83-9a4f-0b5a0a6a7a11")
    tree.write("proc/meminfo", "MemTotal:        8388608 kB\nMemFree: 1 kB")
    tree.write("sys/devices/system/cpu/online", "0-3")
    for node, cpus in ((0, "0-1"), (1, "2-3")):
        tree.write(f"sys/devices/system/node/node{node}/cpulist", cpus)
        tree.write(f"sys/devices/system/node/node{node}/meminfo", f"Node {node} MemTotal:       4194304 kB")
    for cpu in range(4):
        tree.write(f"sys/devices/system/cpu/cpu{cpu}/topology/physical_package_id", "0")
    return tree
