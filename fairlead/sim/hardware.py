"""What a simulated machine is built of, before anything runs on it."""

from dataclasses import dataclass, replace

from fairlead.model.host import HostCapacity
from fairlead.model.ids import PfKey
from fairlead.model.infiniband import Guid, guid_key, mac_of_guid
from fairlead.model.numa import NumaNode
from fairlead.model.pci import LinkLayer, MacAddress, PciAddress

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
    guid: Guid | None = None
    """Of a port of InfiniBand; None: it is one of Ethernet. `mac` is no address of such a NIC, and is not shown."""

    @property
    def key(self) -> PfKey:
        """Lasting identity, as the kernel adapter makes it of a permanent MAC or a port's GUID."""
        return PfKey(f"mac:{self.mac}") if self.guid is None else guid_key(self.guid)

    @property
    def link_layer(self) -> LinkLayer:
        """What runs on the port."""
        return LinkLayer.ETHERNET if self.guid is None else LinkLayer.INFINIBAND

    @property
    def has_files(self) -> bool:
        """Whether its VFs are told by files of sysfs, and not over netlink."""
        return self.guid is not None and self.kernel_driver == "mlx4_core"

    def vf_address(self, index: int) -> PciAddress:
        """First VF at offset 8, stride 1: functions 0 to 7 of the next slots of the PF's bus."""
        bus = self.pci_address.rpartition(":")[0]
        return PciAddress(f"{bus}:{1 + index // 8:02x}.{index % 8}")


@dataclass(frozen=True, slots=True)
class PlainDevice:
    """A PCI device that is no NIC. `class_code` as in sysfs. `has_reset`: the kernel can reset it alone."""

    pci_address: PciAddress
    vendor: str
    product: str
    class_code: int
    kernel_driver: str | None
    numa_node: int
    has_reset: bool = True

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
    shared_groups: tuple[tuple[PciAddress, ...], ...] = ()
    """Addresses whose devices share an IOMMU group; every other device is alone in its own."""

    def iommu_group(self, address: PciAddress) -> int:
        """The group of the device at that address: the first one's routing id."""
        first = next((shared[0] for shared in self.shared_groups if address in shared), address)
        _, bus, function = first.split(":")
        return int(bus, 16) << 8 | int(function[:2], 16) << 3 | int(function[-1])


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


def infiniband_server(number: int) -> Hardware:
    """The same with two ports of InfiniBand besides: a ConnectX-6 on node 0 and a ConnectX-3 on node 1, with eight VFs
    each, the second of which its host puts into partitions.
    """
    ethernet = two_socket_server(number)

    def guid(port: int) -> Guid:
        return Guid(f"00:02:c9:03:00:{number >> 8 & 0xFF:02x}:{number & 0xFF:02x}:{port:02x}")

    def nic(name: str, address: str, port: int, product: str, vf_product: str, driver: str) -> Nic:
        return Nic(
            name,
            PciAddress(address),
            mac_of_guid(guid(port)),
            port,
            vendor="15b3",
            product=product,
            vf_product=vf_product,
            kernel_driver=driver,
            speed_mbps=100_000,
            guid=guid(port),
        )

    fabric = (
        nic("ibs3", "0000:41:00.0", 0, "101b", "101c", "mlx5_core"),
        nic("ibs4", "0000:c1:00.0", 1, "1003", "1004", "mlx4_core"),
    )
    return replace(ethernet, nics=(*ethernet.nics, *fabric))


def behind_a_switch(hardware: Hardware) -> Hardware:
    """The same, where a PCIe switch without ACS puts devices into groups: VFs of each data NIC in pairs, one of
    two NICs with each other, and the plain devices.
    """
    data = [nic for nic in hardware.nics if not nic.is_management]
    pairs = [(nic.vf_address(index), nic.vf_address(index + 1)) for nic in data for index in (0, 2, 4)]
    last = tuple(nic.vf_address(6) for nic in data[:2])
    plain = tuple(device.pci_address for device in hardware.plain)
    return replace(hardware, shared_groups=(*pairs, last, plain))
