"""Rows of the pure core's tests: a host with a PF of two VFs, networks, ports, a server."""

from datetime import UTC, datetime

from fairlead.drivers.base import BoundPort
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.host import Host
from fairlead.model.ids import (
    DeviceId,
    FlavorId,
    HostId,
    ImageId,
    NetworkId,
    PfKey,
    PolicyId,
    PortId,
    PortProfileId,
    ProjectId,
    QosPolicyId,
    QosRuleId,
    ServerId,
    SubnetId,
    vf_key,
)
from fairlead.model.infiniband import TAKES_PARTITIONS, guid_of_mac
from fairlead.model.network import AddressRange, HostRoute, Network, SegmentKind, Subnet
from fairlead.model.pci import DeviceKind, LinkLayer, MacAddress, PciAddress
from fairlead.model.port import FixedIp, Port, VnicType
from fairlead.model.port_profile import EthernetSettings, PortProfile, PortProfileSettings
from fairlead.model.qos import Direction, QosPolicy, QosRule, QosRuleKind
from fairlead.model.server import Flavor, Image, ImageStatus, Power, Server, ServerStatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PROJECT = ProjectId("project")
HOST = HostId("00000000-0000-4000-8000-0000000000f1")
PF = PfKey("mac:3c:fd:fe:00:00:01")
POLICY = PolicyId("policy")


def host(name: str = "h1", **labels: str) -> Host:
    return Host(HOST, name, NOW, labels=labels, generation=7)


def pf(number: int = 1, **fields: object) -> Device:
    mac = MacAddress(f"3c:fd:fe:00:00:{number:02x}")
    own = DeviceId(f"pf{number}")
    given: dict[str, object] = {
        "id": own,
        "host_id": HOST,
        "family_id": own,
        "kind": DeviceKind.PF,
        "key": f"mac:{mac}",
        "status": DeviceStatus.AVAILABLE,
        "pci_address": PciAddress(f"0000:{number:02x}:00.0"),
        "vendor": "8086",
        "product": "159b",
        "kernel_driver": "ice",
        "numa_node": 0,
        "iommu_group": number,
        "link_layer": LinkLayer.ETHERNET,
        "name": f"ens{number}f0",
        "mac": mac,
        "serial": "b4-96-91-ff-ff-00",
        "policy_id": POLICY,
        "physical_network": "physnet1",
    }
    return Device(**{**given, **fields})  # type: ignore[arg-type]


def vf(index: int, number: int = 1, **fields: object) -> Device:
    given: dict[str, object] = {
        "id": DeviceId(f"pf{number}vf{index}"),
        "host_id": HOST,
        "family_id": DeviceId(f"pf{number}"),
        "kind": DeviceKind.VF,
        "key": vf_key(PfKey(f"mac:3c:fd:fe:00:00:{number:02x}"), index),
        "status": DeviceStatus.ALLOCATED,
        "pci_address": PciAddress(f"0000:{number:02x}:01.{index}"),
        "vendor": "8086",
        "product": "1889",
        "kernel_driver": None,
        "numa_node": 0,
        "iommu_group": 20 + index,
        "link_layer": LinkLayer.ETHERNET,
        "pf": PfKey(f"mac:3c:fd:fe:00:00:{number:02x}"),
        "vf_index": index,
        "policy_id": POLICY,
        "physical_network": "physnet1",
    }
    return Device(**{**given, **fields})  # type: ignore[arg-type]


def network(vlan: int | None = 100, **fields: object) -> Network:
    given: dict[str, object] = {
        "id": NetworkId(f"net-{vlan}"),
        "project_id": PROJECT,
        "name": f"net-{vlan}",
        "kind": SegmentKind.FLAT if vlan is None else SegmentKind.VLAN,
        "physical_network": "physnet1",
        "vlan": vlan,
        "mtu": 1500,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Network(**{**given, **fields})  # type: ignore[arg-type]


def subnet(version: int = 4, vlan: int | None = 100) -> Subnet:
    is_v4 = version == 4
    return Subnet(
        id=SubnetId(f"subnet-{version}"),
        project_id=PROJECT,
        network_id=NetworkId(f"net-{vlan}"),
        name="",
        ip_version=version,
        cidr="10.0.0.0/24" if is_v4 else "2001:db8::/64",
        gateway="10.0.0.1" if is_v4 else "2001:db8::1",
        pools=(AddressRange("10.0.0.2", "10.0.0.254"),) if is_v4 else (),
        created_at=NOW,
        updated_at=NOW,
        dns_nameservers=("10.0.0.53",) if is_v4 else ("2001:db8::53",),
        host_routes=(HostRoute("10.9.0.0/16", "10.0.0.9"),) if is_v4 else (),
    )


def port(number: int = 1, vlan: int | None = 100, **fields: object) -> Port:
    given: dict[str, object] = {
        "id": PortId(f"a{number:07d}-0000-4000-8000-000000000000"),
        "project_id": PROJECT,
        "network_id": NetworkId(f"net-{vlan}"),
        "name": f"p{number}",
        "mac": MacAddress(f"fa:16:3e:00:00:{number:02x}"),
        "vnic_type": VnicType.DIRECT,
        "created_at": NOW,
        "updated_at": NOW,
        "fixed_ips": (FixedIp(SubnetId("subnet-4"), f"10.0.0.{10 + number}"),),
    }
    return Port(**{**given, **fields})  # type: ignore[arg-type]


def profile(settings: PortProfileSettings = EthernetSettings()) -> PortProfile:  # noqa: B008
    return PortProfile(PortProfileId("profile"), PROJECT, "gold", settings, NOW, NOW)


def on_fabric(
    number: int = 1, vlan: int | None = 100, *, takes_partitions: bool = False, **fields: object
) -> BoundPort:
    """A direct port of InfiniBand on the fabric's network of that partition, with a VF of a PF there."""
    fabric = network(vlan, physical_network="fabric", link_layer=LinkLayer.INFINIBAND)
    mac = MacAddress(f"fa:16:3e:00:00:{number:02x}")
    own = port(number, vlan, **{"guid": guid_of_mac(mac), **fields})
    capabilities = ("sriov", TAKES_PARTITIONS) if takes_partitions else ("sriov",)
    given = {"vendor": "15b3", "link_layer": LinkLayer.INFINIBAND}
    head = pf(mac=None, key="guid:00:02:c9:03:00:a1:b2:c3", capabilities=capabilities, **given)
    return BoundPort(own, fabric, None, vf(1, **given), head)


def qos(limit_kbps: int | None = None, minimum_kbps: int | None = None) -> QosPolicy:
    wanted = ((QosRuleKind.BANDWIDTH_LIMIT, limit_kbps), (QosRuleKind.MINIMUM_BANDWIDTH, minimum_kbps))
    rules = tuple(
        QosRule(QosRuleId(kind.value), kind, Direction.EGRESS, kbps) for kind, kbps in wanted if kbps
    )
    return QosPolicy(QosPolicyId("qos"), PROJECT, "gold", NOW, NOW, rules=rules)


def image(name: str = "image", disk_format: str = "qcow2") -> Image:
    return Image(
        id=ImageId(name),
        project_id=PROJECT,
        name=name,
        status=ImageStatus.ACTIVE,
        disk_format=disk_format,
        container_format="bare",
        created_at=NOW,
        updated_at=NOW,
        size=1024,
        sha512="ab" * 64,
    )


def server(number: int = 1, **fields: object) -> Server:
    given: dict[str, object] = {
        "id": ServerId(f"5e{number:06d}-0000-4000-8000-000000000000"),
        "project_id": PROJECT,
        "user_id": "user",
        "name": f"web-{number}",
        "status": ServerStatus.ACTIVE,
        "power": Power.RUNNING,
        "flavor": Flavor(FlavorId("f"), "small", 2, 2048, 20, NOW),
        "created_at": NOW,
        "updated_at": NOW,
        "image_id": ImageId("image"),
        "host_id": HOST,
        "hostname": f"web-{number}",
    }
    return Server(**{**given, **fields})  # type: ignore[arg-type]
