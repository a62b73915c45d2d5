"""What sysfs says of PCI functions and their network devices. Reads only.

A pass reads a dozen files of each function of the machine, so it is written with plain `os` calls and text
paths: pathlib makes it four times as slow.

Sources: Documentation/ABI/testing/sysfs-bus-pci, Documentation/ABI/testing/sysfs-class-net,
Documentation/PCI/pci-iov-howto.rst.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from fairlead.model.errors import InvalidValue
from fairlead.model.pci import LinkLayer, PciAddress, parse_pci_address

NETWORK_CLASS = 0x02
_INFINIBAND_SUBCLASS = 0x0207
_ARPHRD = {1: LinkLayer.ETHERNET, 32: LinkLayer.INFINIBAND}
_PAGE = 4096
# What a PF in switchdev mode calls the devices that stand for its VFs and SFs: they are of its PCI function as well.
_REPRESENTOR = re.compile(r"(c\d+)?pf\d+(vf|sf)\d+")
_VIRTFN = re.compile(r"virtfn(\d+)")


@dataclass(frozen=True, slots=True)
class NetDevice:
    """A network device of a PCI function. `speed_mbps` None: no link, or the driver does not say."""

    name: str
    index: int
    link_layer: LinkLayer
    speed_mbps: int | None
    port_name: str | None
    switch_id: str | None


@dataclass(frozen=True, slots=True)
class PciFunction:
    """A function as /sys/bus/pci/devices has it. `physical` is the PF of a VF, None for all others.

    `class_code` is 24 bits: class, subclass, programming interface. `net` None: no network driver has it.
    """

    address: PciAddress
    class_code: int
    vendor: str
    product: str
    kernel_driver: str | None
    numa_node: int | None
    iommu_group: int | None
    physical: PciAddress | None
    total_vfs: int
    num_vfs: int
    virtual: tuple[tuple[int, PciAddress], ...]
    net: NetDevice | None

    @property
    def is_network(self) -> bool:
        """Whether its class is network controller: Ethernet, InfiniBand or another."""
        return self.class_code >> 16 == NETWORK_CLASS

    @property
    def link_layer(self) -> LinkLayer:
        """What runs on the port: the network device says, else the class (it may be vfio's)."""
        if self.net is not None:
            return self.net.link_layer
        if not self.is_network:
            return LinkLayer.NONE
        is_infiniband = self.class_code >> 8 == _INFINIBAND_SUBCLASS
        return LinkLayer.INFINIBAND if is_infiniband else LinkLayer.ETHERNET


class Sysfs:
    """/sys and /proc below `root`, which is `/` on a real host and a fake tree elsewhere."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root
        self.bus = root / "sys/bus/pci"
        self._devices = self.bus / "devices"

    def functions(self) -> tuple[PciFunction, ...]:
        """All PCI functions in address order. One that vanishes while it is read is left out."""
        found = (self.function(address) for address in self._addresses())
        return tuple(function for function in found if function is not None)

    def function(self, address: PciAddress) -> PciFunction | None:
        """One function, None when it is not there."""
        here = f"{self._devices}/{address}"
        has = frozenset(listed(here))
        class_code = _hexadecimal(f"{here}/class")
        vendor, product = _hexadecimal(f"{here}/vendor"), _hexadecimal(f"{here}/device")
        if class_code is None or vendor is None or product is None:
            return None
        physical = target(f"{here}/physfn") if "physfn" in has else None
        node = integer(f"{here}/numa_node")
        group = target(f"{here}/iommu_group")
        has_vfs = "sriov_totalvfs" in has
        return PciFunction(
            address=address,
            class_code=class_code,
            vendor=f"{vendor:04x}",
            product=f"{product:04x}",
            kernel_driver=target(f"{here}/driver"),
            numa_node=node if node is not None and node >= 0 else None,
            iommu_group=int(group) if group is not None and group.isdigit() else None,
            physical=parse_pci_address(physical) if physical else None,
            total_vfs=(integer(f"{here}/sriov_totalvfs") or 0) if has_vfs else 0,
            num_vfs=(integer(f"{here}/sriov_numvfs") or 0) if has_vfs else 0,
            virtual=_virtual_functions(here, has),
            net=_net(here, has),
        )

    def net_device(self, address: PciAddress) -> NetDevice | None:
        """The function's network device as it is called and numbered now; None when it has none, or is not there."""
        here = f"{self._devices}/{address}"
        return _net(here, frozenset(listed(here)))

    def folder(self, address: PciAddress) -> Path:
        """Where the function's attributes are."""
        return self._devices / address

    def lower(self, name: str) -> tuple[str, ...]:
        """Network devices directly below a bridge, bond, VLAN or macvlan (its `lower_*` links)."""
        folder = self.root / "sys/class/net" / name
        return tuple(sorted(link.name.removeprefix("lower_") for link in folder.glob("lower_*")))

    def upper(self, name: str) -> tuple[str, ...]:
        """Network devices directly above it (its `upper_*` links): its master, VLANs and macvlans on it."""
        folder = self.root / "sys/class/net" / name
        return tuple(sorted(link.name.removeprefix("upper_") for link in folder.glob("upper_*")))

    def net_names(self) -> tuple[str, ...]:
        """All network devices of this network namespace."""
        return listed(self.root / "sys/class/net")

    def boot_id(self) -> str:
        """A UUID that is new with each boot of the kernel; "" where there is none."""
        return text(self.root / "proc/sys/kernel/random/boot_id") or ""

    def _addresses(self) -> tuple[PciAddress, ...]:
        found = []
        for name in listed(self._devices):
            try:
                found.append(parse_pci_address(name))
            except InvalidValue:
                continue
        return tuple(found)


def _net(folder: str, has: frozenset[str]) -> NetDevice | None:
    # A virtio NIC has its network device below the virtio device, not the PCI function.
    below = [f"{folder}/{name}" for name in sorted(has) if name.startswith("virtio")]
    for place in (folder, *below) if "net" in has else below:
        for name in listed(f"{place}/net"):
            found = _net_device(f"{place}/net/{name}", name)
            if not (found and _REPRESENTOR.fullmatch(found.port_name or "")):
                return found
    return None


def _net_device(folder: str, name: str) -> NetDevice | None:
    index = integer(f"{folder}/ifindex")
    if index is None:
        return None
    speed = integer(f"{folder}/speed")
    return NetDevice(
        name=name,
        index=index,
        link_layer=_ARPHRD.get(integer(f"{folder}/type") or 0, LinkLayer.NONE),
        speed_mbps=speed if speed is not None and speed > 0 else None,
        port_name=text(f"{folder}/phys_port_name") or None,
        switch_id=text(f"{folder}/phys_switch_id") or None,
    )


def text(path: str | Path) -> str | None:
    """The attribute without its newline; None where it is not there or the driver does not answer."""
    try:
        attribute = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        parts = []
        while part := os.read(attribute, _PAGE):
            parts.append(part)
        return b"".join(parts).decode("ascii", errors="replace").strip()
    except OSError:
        return None
    finally:
        os.close(attribute)


def integer(path: str | Path) -> int | None:
    """A decimal attribute; None where it is not there, or no number."""
    value = text(path)
    try:
        return int(value) if value is not None else None
    except ValueError:
        return None


def target(link: str | Path) -> str | None:
    """The last part of what a symbolic link points to; None where it is not there."""
    try:
        return os.readlink(link).rpartition("/")[2]  # noqa: PTH115 - see the module
    except OSError:
        return None


def _hexadecimal(path: str) -> int | None:
    value = text(path)
    try:
        return int(value, 16) if value is not None else None
    except ValueError:
        return None


def listed(folder: str | Path) -> tuple[str, ...]:
    """The names in a folder, in order; none where it is not there."""
    try:
        return tuple(sorted(os.listdir(folder)))  # noqa: PTH208 - see the module
    except OSError:
        return ()


def _virtual_functions(folder: str, has: frozenset[str]) -> tuple[tuple[int, PciAddress], ...]:
    found = []
    for name in has:
        match = _VIRTFN.fullmatch(name)
        address = target(f"{folder}/{name}") if match else None
        if match and address:
            found.append((int(match[1]), parse_pci_address(address)))
    return tuple(sorted(found))
