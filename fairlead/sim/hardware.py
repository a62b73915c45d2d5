"""What a simulated machine is built of, before anything runs on it."""

from dataclasses import dataclass

from fairlead.model.host import HostCapacity
from fairlead.model.ids import PfKey
from fairlead.model.numa import NumaNode
from fairlead.model.pci import MacAddress, PciAddress

GIB = 1024


@dataclass(frozen=True, slots=True)
class Nic:
    """A NIC port. `vf_product` and `total_vfs` of a NIC without SR-IOV: "" and 0."""

    name: str
    pci_address: PciAddress
    mac: MacAddress
    numa_node: int
    vendor: str = "8086"
    product: str = "159b"
    vf_product: str = "1889"
    kernel_driver: str = "ice"
    speed_mbps: int = 25_000
    total_vfs: int = 8
    is_management: bool = False
    refuses_no_mac: bool = False
    """Its driver says EINVAL to a VF's cleared MAC address."""
    takes_associations: bool = False
    """Its driver has 802.1Qbh's operations for VFs."""
    tells_macs: bool = True
    """Its driver tells what VFs were told; False: their associations alone, as in-tree enic."""

    @property
    def key(self) -> PfKey:
        """Lasting identity, as the kernel adapter makes it of a permanent MAC."""
        return PfKey(f"mac:{self.mac}")

    def vf_address(self, index: int) -> PciAddress:
        """First VF at offset 8, stride 1: functions 0 to 7 of the next slots of the PF's bus."""
        bus = self.pci_address.rpartition(":")[0]
        return PciAddress(f"{bus}:{1 + index // 8:02x}.{index % 8}")


@dataclass(frozen=True, slots=True)
class PlainDevice:
    """A PCI device that is no NIC. `class_code` as in sysfs."""

    pci_address: PciAddress
    vendor: str
    product: str
    class_code: int
    kernel_driver: str | None
    numa_node: int

    @property
    def key(self) -> str:
        """Lasting identity: plain devices have none but their address."""
        return f"address:{self.pci_address}"


@dataclass(frozen=True, slots=True)
class Hardware:
    """A machine's parts."""

    nics: tuple[Nic, ...]
    plain: tuple[PlainDevice, ...]
    capacity: HostCapacity


def two_socket_server(number: int) -> Hardware:
    """Two 25G ports with eight VFs each, one on each NUMA node, the second at a switch that speaks 802.1Qbh; a
    management NIC; a GPU and a free NVMe disk; 16 CPUs, 64 GiB, 1 TiB. `number` makes its MAC addresses its own.
    """

    def mac(port: int) -> MacAddress:
        return MacAddress(f"3c:fd:fe:{number >> 8 & 0xFF:02x}:{number & 0xFF:02x}:{port:02x}")

    nodes = tuple(NumaNode(node, node, tuple(range(node * 8, node * 8 + 8)), 32 * GIB) for node in range(2))
    return Hardware(
        nics=(
            Nic(
                "eno1",
                PciAddress("0000:01:00.0"),
                mac(0),
                0,
                product="1521",
                vf_product="1520",
                kernel_driver="igb",
                speed_mbps=1000,
                total_vfs=7,
                is_management=True,
            ),
            Nic("ens1f0", PciAddress("0000:3b:00.0"), mac(1), 0),
            Nic("ens2f0", PciAddress("0000:af:00.0"), mac(2), 1, takes_associations=True),
        ),
        plain=(
            PlainDevice(PciAddress("0000:5e:00.0"), "10de", "20b5", 0x030200, None, 0),
            PlainDevice(PciAddress("0000:d8:00.0"), "144d", "a80a", 0x010802, "vfio-pci", 1),
        ),
        capacity=HostCapacity(vcpus=16, memory_mib=64 * GIB, disk_gib=1024, numa=nodes),
    )
