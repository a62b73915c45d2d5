"""A fake /sys and /proc as real files below a folder, laid out as the kernel's, for the real sysfs reader."""

import errno
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from fairlead.agent.boundary import KernelView
from fairlead.linux.attribute import write_attribute as write_file
from fairlead.linux.capacity import Reserve
from fairlead.linux.kernel import LinuxKernel
from fairlead.linux.sysfs import text
from fairlead.linux.vf_binding import SEAL
from fairlead.model.pci import LinkLayer, PciAddress
from fairlead.sim.guid_files import guid_files, told_by
from fairlead.sim.hardware import Nic, PlainDevice
from fairlead.sim.host_links import VfName
from fairlead.sim.machine import Machine, PfState
from fairlead.sim.netlink import SimNetlink, link_index, vf_link_index
from fairlead.sim.switch import LostTime

_CLASSES = {LinkLayer.ETHERNET: 0x020000, LinkLayer.INFINIBAND: 0x020700}
_BUSY = (errno.EBUSY, "Device or resource busy")
_NO_NODE = (errno.ENOENT, "No such file or directory")
_ARPHRD = {LinkLayer.ETHERNET: 1, LinkLayer.INFINIBAND: 32}


class Tree:
    """The files of one machine. `renew` makes them what the machine is now."""

    def __init__(self, machine: Machine, root: Path) -> None:
        self._machine = machine
        self._root = root
        self._devices = root / "sys/bus/pci/devices"
        self._written: dict[Path, str] = {}
        self._devices.mkdir(parents=True, exist_ok=True)
        self._lay_out_cpus()

    def renew(self) -> None:
        """Every device that is plugged in, and no other."""
        machine, users = self._machine, frozenset(self._machine.passed_through())
        self._put(self._root / "proc/sys/kernel/random/boot_id", machine.boot_id)
        wanted: set[str] = set()
        for device in machine.hardware.plain:
            wanted.add(device.pci_address)
            self._plain(device, is_given=device.pci_address in users)
        for pf in machine.pfs.values():
            if pf.is_present:
                wanted.add(pf.nic.pci_address)
                self._pf(pf, is_given=pf.nic.pci_address in users)
                for index in pf.vfs:
                    wanted.add(pf.nic.vf_address(index))
                    self._vf(pf.nic, index, is_given=pf.nic.vf_address(index) in users)
        for folder in self._devices.iterdir():
            if folder.name not in wanted:
                self._forget(folder)

    def write(self, attribute: Path, value: str) -> None:
        """What the kernel does on a write there. Raises OSError with its errno."""
        pf = next(
            (pf for pf in self._machine.pfs.values() if pf.nic.pci_address == attribute.parent.name), None
        )
        if attribute.name == "sriov_numvfs" and pf is not None:
            if not attribute.exists():
                raise OSError(errno.ENOENT, "No such file or directory")
            self._machine.called("set_num_vfs")
            self._machine.set_num_vfs(pf.nic.key, int(value))
            self.renew()
        elif attribute.name == "drivers_probe":
            self._probe(PciAddress(value))
        elif attribute.name == "driver_override":
            self._machine.called("driver_override")
            vf = self._vf_name(PciAddress(attribute.parent.name))
            (self._machine.links.seals.add if value == SEAL else self._machine.links.seals.discard)(vf)
            write_file(attribute, value)
        elif attribute.name == "unbind":
            self._machine.links.take(self._vf_name(PciAddress(value)))
            self.renew()
        elif attribute.name == "reset":
            address = PciAddress(attribute.parent.name)
            self._machine.called("reset_vf" if self._machine.vf_at(address) else "reset_device")
            self._machine.reset(address)
        elif (told := told_by(self._machine, attribute, value)) is not None:
            self._machine.called("set_vf")
            self._machine.write_vf(*told)
            self.renew()
        else:
            write_file(attribute, value)

    def open_vfio(self, node: Path) -> None:
        """As the kernel does on an open of a group's node. Raises OSError."""
        links, hardware = self._machine.links, self._machine.hardware
        held = (self._machine.pfs[key].nic.vf_address(index) for key, index in links.held)
        groups = {f"{hardware.iommu_group(address)}" for address in held}
        raise OSError(*(_BUSY if node.name in groups else _NO_NODE))

    def _probe(self, address: PciAddress) -> None:
        """The driver that the device is told to have takes it."""
        driver = (self._devices / address / "driver_override").read_text(encoding="ascii").strip()
        key, index = self._vf_name(address)
        self._machine.called("make_macvtap")
        self._machine.links.give((key, index), driver, self._machine.pfs[key].vfs[index].mac)
        self.renew()

    def _vf_name(self, address: PciAddress) -> VfName:
        found = self._machine.vf_at(address)
        if found is None:
            raise OSError(errno.ENODEV, "No such device")
        return found[0].nic.key, found[1]

    def _lay_out_cpus(self) -> None:
        capacity, system = self._machine.hardware.capacity, self._root / "sys/devices/system"
        self._put(system / "cpu/online", f"0-{capacity.vcpus - 1}")
        self._put(self._root / "proc/meminfo", f"MemTotal:       {capacity.memory_mib * 1024} kB")
        for node in capacity.numa:
            folder = system / f"node/node{node.node}"
            self._put(folder / "cpulist", f"{node.cpus[0]}-{node.cpus[-1]}")
            self._put(folder / "meminfo", f"Node {node.node} MemTotal:       {node.memory_mib * 1024} kB")
            for cpu in node.cpus:
                self._put(system / f"cpu/cpu{cpu}/topology/physical_package_id", str(node.socket))

    def _plain(self, device: PlainDevice, *, is_given: bool) -> None:
        folder = self._function(device.pci_address, device.class_code, device.vendor, device.product)
        if not device.has_reset:
            (folder / "reset").unlink(missing_ok=True)
        self._put(folder / "numa_node", str(device.numa_node))
        self._driver(folder, "vfio-pci" if is_given else device.kernel_driver)

    def _pf(self, pf: PfState, *, is_given: bool) -> None:
        nic = pf.nic
        folder = self._function(nic.pci_address, _CLASSES[nic.link_layer], nic.vendor, nic.product)
        self._put(folder / "numa_node", str(nic.numa_node))
        self._driver(folder, "vfio-pci" if is_given else nic.kernel_driver if pf.has_driver else None)
        if nic.total_vfs:
            self._put(folder / "sriov_totalvfs", str(nic.total_vfs))
            self._put(folder / "sriov_numvfs", str(len(pf.vfs)))
            self._put(folder / "sriov_drivers_autoprobe", "1")
        for index in range(nic.total_vfs):
            self._link(folder / f"virtfn{index}", nic.vf_address(index) if index in pf.vfs else None)
        if not self._machine.has_network_device(pf):
            self._forget(folder / "net")
            self._forget(folder / "infiniband")
            return
        if nic.has_files:
            self._put_all(guid_files(folder, pf))
        for link in (folder / "net").glob("*"):
            if link.name != nic.name:
                self._forget(link)
        net = folder / "net" / nic.name
        self._put(net / "ifindex", str(link_index(self._machine, nic.key)))
        self._put(net / "type", str(_ARPHRD[nic.link_layer]))
        self._put(net / "address", nic.mac)
        self._put(net / "speed", str(nic.speed_mbps if pf.link_up else -1))

    def _vf(self, nic: Nic, index: int, *, is_given: bool) -> None:
        folder = self._function(nic.vf_address(index), _CLASSES[nic.link_layer], nic.vendor, nic.vf_product)
        self._put(folder / "numa_node", str(nic.numa_node))
        device = self._machine.links.vfs.get((nic.key, index))
        self._driver(folder, "vfio-pci" if is_given else device.driver if device else None)
        self._link(folder / "physfn", nic.pci_address)
        self._override(folder / "driver_override", is_sealed=(nic.key, index) in self._machine.links.seals)
        if device is None:
            self._forget(folder / "net")
            return
        net = folder / "net" / f"{nic.name}v{index}"
        self._put(net / "ifindex", str(vf_link_index(self._machine, (nic.key, index))))
        self._put(net / "type", str(_ARPHRD[nic.link_layer]))

    def _override(self, attribute: Path, *, is_sealed: bool) -> None:
        """It is empty in the beginning, and once a guest had the VF."""
        said = text(attribute)
        if said is None or (said == SEAL and not is_sealed):
            self._written.pop(attribute, None)
            self._put(attribute, "(null)")

    def _function(self, address: PciAddress, class_code: int, vendor: str, product: str) -> Path:
        folder = self._devices / address
        self._put(folder / "class", f"0x{class_code:06x}")
        self._put(folder / "vendor", f"0x{vendor}")
        self._put(folder / "device", f"0x{product}")
        self._put(folder / "reset", "")
        group = self._machine.hardware.iommu_group(address)
        self._link(folder / "iommu_group", f"iommu_groups/{group}")
        return folder

    def _driver(self, folder: Path, name: str | None) -> None:
        self._link(folder / "driver", f"drivers/{name}" if name else None)

    def _link(self, link: Path, target: str | None) -> None:
        """A symbolic link beside the function's folder; None takes it away."""
        shown = f"../{target}" if target is not None else ""
        if self._written.get(link) == shown:
            return
        link.unlink(missing_ok=True)
        if shown:
            link.symlink_to(shown)
        self._written[link] = shown

    def _put(self, path: Path, content: str) -> None:
        if self._written.get(path) == content:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n", encoding="ascii")
        self._written[path] = content

    def _put_all(self, files: Mapping[Path, str]) -> None:
        for path, content in files.items():
            self._put(path, content)

    def _forget(self, folder: Path) -> None:
        if not folder.exists():
            return
        shutil.rmtree(folder)
        self._written = {path: text for path, text in self._written.items() if folder not in path.parents}


class TreeKernel(LinuxKernel):
    """The real kernel adapter over a fake tree and a fake netlink: agent.boundary.Kernel."""

    def __init__(self, machine: Machine, root: Path) -> None:
        self._tree = Tree(machine, root)
        self._tree.renew()
        self._machine = machine
        super().__init__(
            SimNetlink(machine),
            root,
            root,
            Reserve(cpus=0, memory_mib=0),
            write=self._tree.write,
            timer=LostTime(machine.before_call),
            open_vfio=self._tree.open_vfio,
        )

    def observe(self) -> KernelView:
        """See Kernel.observe."""
        self._machine.called("observe")
        self._tree.renew()
        return super().observe()

    def sealed_vfs(self, addresses: Collection[PciAddress]) -> frozenset[PciAddress]:
        """See Kernel.sealed_vfs."""
        self._tree.renew()
        return super().sealed_vfs(addresses)
