"""Rows and requests that placement's tests are made of; every argument that does not matter has a value."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

from fairlead.model.device import Device, DeviceStatus
from fairlead.model.host import Host, HostCapacity
from fairlead.model.ids import (
    FlavorId,
    HostId,
    NetworkId,
    PfKey,
    PolicyId,
    PortId,
    ProjectId,
    RequestId,
    ServerId,
    device_id,
    vf_key,
)
from fairlead.model.network import Network, SegmentKind
from fairlead.model.numa import GuestCell, NumaNode, NumaPolicy
from fairlead.model.pci import DeviceKind, LinkLayer, MacAddress, PciAddress
from fairlead.model.port import Port, VnicType
from fairlead.model.request import PciRequest, ServerRequest
from fairlead.model.server import Flavor, Power, Server, ServerStatus
from fairlead.placement.boundary import HostView
from fairlead.placement.snapshot import host_view

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
PROJECT = ProjectId("project")
numbers = count(1)


def nodes(*sockets: int | None, cpus: int = 16, memory_mib: int = 32_768) -> tuple[NumaNode, ...]:
    """One NUMA node for each socket given."""
    return tuple(
        NumaNode(node, socket, tuple(range(node * cpus, (node + 1) * cpus)), memory_mib)
        for node, socket in enumerate(sockets)
    )


def host(name: str = "h1", numa: tuple[NumaNode, ...] = (), **fields: object) -> Host:
    capacity = HostCapacity(vcpus=32, memory_mib=65_536, disk_gib=1_000, numa=numa)
    return replace(Host(HostId(name), name, EPOCH, capacity=capacity), **fields)


def family(host_id: str, slot: int, num_vfs: int = 4, **fields: object) -> tuple[Device, ...]:
    """A managed Ethernet PF of 100 Gbit/s on physnet1 at PCI slot `slot`, with its VFs, all free.

    `fields` are put on all of them; `status` on the PF alone.
    """
    key = PfKey(f"pf-{slot}")
    pf_id = device_id(HostId(host_id), key)
    pf = Device(
        id=pf_id,
        host_id=HostId(host_id),
        family_id=pf_id,
        kind=DeviceKind.PF,
        key=key,
        status=DeviceStatus.AVAILABLE,
        pci_address=PciAddress(f"0000:{slot:02x}:00.0"),
        vendor="8086",
        product="1592",
        kernel_driver="ice",
        numa_node=None,
        iommu_group=None,
        link_layer=LinkLayer.ETHERNET,
        name=f"ens{slot}f0",
        link_up=True,
        speed_mbps=100_000,
        total_vfs=64,
        num_vfs=num_vfs,
        policy_id=PolicyId("policy"),
        physical_network="physnet1",
    )
    vfs = (
        replace(
            pf,
            id=device_id(HostId(host_id), vf_key(key, index)),
            kind=DeviceKind.VF,
            key=vf_key(key, index),
            pci_address=PciAddress(f"0000:{slot:02x}:{1 + index // 8:02x}.{index % 8}"),
            product="1889",
            name=None,
            pf=key,
            vf_index=index,
            total_vfs=0,
            num_vfs=0,
        )
        for index in range(num_vfs)
    )
    shared = {name: value for name, value in fields.items() if name != "status"}
    return (replace(pf, **fields), *(replace(vf, **shared) for vf in vfs))


def plain(host_id: str, slot: int, **fields: object) -> Device:
    """A managed plain PCI device."""
    device, *_ = family(host_id, slot, num_vfs=0)
    changed = {"kind": DeviceKind.PCI, "link_layer": LinkLayer.NONE, "name": None, "physical_network": None}
    return replace(device, **{**changed, **fields})


def view(devices: Sequence[Device] = (), numa: tuple[NumaNode, ...] = (), **fields: object) -> HostView:
    """The view of host h1 with these devices; `fields` are put on the view."""
    return replace(host_view(host(numa=numa), devices, (), ()), **fields)


def vf(name: str = "p1", network: str | None = "physnet1", **fields: object) -> PciRequest:
    """The request of a direct port."""
    wanted = PciRequest(
        RequestId(name),
        DeviceKind.VF,
        f"port {name}",
        PortId(name),
        physical_network=network,
        link_layer=LinkLayer.ETHERNET,
    )
    return replace(wanted, **fields)


def vfs(number: int, **fields: object) -> tuple[PciRequest, ...]:
    return tuple(vf(f"p{at}", **fields) for at in range(1, number + 1))


def whole(name: str = "a1-1", **fields: object) -> PciRequest:
    """The request of a flavor's alias of kind PF."""
    return replace(PciRequest(RequestId(name), DeviceKind.PF, "flavor alias a1"), **fields)


def request(*pci: PciRequest, vcpus: int = 2, memory_mib: int = 2_048, **fields: object) -> ServerRequest:
    return replace(ServerRequest(vcpus, memory_mib, disk_gib=10, pci=tuple(pci)), **fields)


def near(policy: NumaPolicy, number: int = 1, **fields: object) -> tuple[PciRequest, ...]:
    return vfs(number, numa_policy=policy, **fields)


def flavor(vcpus: int = 2, memory_mib: int = 2_048, disk_gib: int = 10, **specs: str) -> Flavor:
    """`specs` with `__` for the colon: pci_passthrough__alias."""
    extra = {name.replace("__", ":"): value for name, value in specs.items()}
    return Flavor(FlavorId("f"), "small", vcpus, memory_mib, disk_gib, EPOCH, extra_specs=extra)


def network(physical_network: str = "physnet1", **fields: object) -> Network:
    made = Network(
        NetworkId(f"net-{physical_network}"),
        PROJECT,
        "net",
        SegmentKind.VLAN,
        physical_network,
        100,
        1500,
        EPOCH,
        EPOCH,
    )
    return replace(made, **fields)


def port(name: str = "p1", vnic_type: VnicType = VnicType.DIRECT, **fields: object) -> Port:
    mac = MacAddress(f"fa:16:3e:00:{next(numbers) // 256 % 256:02x}:{next(numbers) % 256:02x}")
    made = Port(PortId(name), PROJECT, NetworkId("net-physnet1"), name, mac, vnic_type, EPOCH, EPOCH)
    return replace(made, **fields)


def server(
    name: str, host_id: str | None = "h1", cells: Sequence[GuestCell] = (), **fields: object
) -> Server:
    made = Server(
        ServerId(name), PROJECT, "user", name, ServerStatus.BUILD, Power.RUNNING, flavor(), EPOCH, EPOCH
    )
    return replace(made, host_id=host_id and HostId(host_id), cells=tuple(cells), **fields)


def macs() -> Iterator[MacAddress]:
    """MAC addresses, each once."""
    return (MacAddress(f"fa:16:3e:{n >> 16:02x}:{n >> 8 & 255:02x}:{n & 255:02x}") for n in count())
