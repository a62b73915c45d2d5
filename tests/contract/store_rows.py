"""One row of each noun, full of values that are easy to lose on the way to a database and back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from fairlead.model.aggregate import Aggregate
from fairlead.model.binding import Allocation, Binding, BindingRole, VifType, Wiring
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.dhcp_option import DhcpOption
from fairlead.model.errors import Failure
from fairlead.model.fabric import Fabric, PartitionMember, Telling
from fairlead.model.host import Hold, Host, HostAdmin, HostCapacity
from fairlead.model.ids import (
    AggregateId,
    DeviceId,
    FlavorId,
    HostId,
    ImageId,
    MigrationId,
    NetworkId,
    PfKey,
    PolicyId,
    PortId,
    PortProfileId,
    ProjectId,
    QosPolicyId,
    QosRuleId,
    RbacPolicyId,
    RequestId,
    ServerGroupId,
    ServerId,
    SubnetId,
)
from fairlead.model.image_member import ImageMember, MemberStatus
from fairlead.model.infiniband import Guid, Membership
from fairlead.model.keypair import KeyPair
from fairlead.model.migration import Migration, MigrationKind, MigrationStatus
from fairlead.model.network import AddressRange, HostRoute, Network, SegmentKind, Subnet
from fairlead.model.numa import GuestCell, NumaNode, NumaPolicy
from fairlead.model.pci import DeviceKind, LinkLayer, MacAddress, PciAddress
from fairlead.model.policy import Alias, DeviceMatch, DevicePolicy
from fairlead.model.port import FixedIp, Port, VnicType
from fairlead.model.port_profile import EthernetSettings, PortProfile, PortProfileSettings, parse_vlans
from fairlead.model.qos import Direction, QosPolicy, QosRule, QosRuleKind
from fairlead.model.question import Question
from fairlead.model.server import Event, Flavor, Image, ImageStatus, Power, Resize, Server, ServerStatus, Size
from fairlead.model.server_group import GroupPolicy, ServerGroup
from fairlead.model.sharing import RbacPolicy
from fairlead.model.vf import LinkState, VfSettings, VlanProtocol

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
PROJECT = ProjectId("project")
FAILURE = Failure("no_vlan", "setting vlan 7 on", "enp1s0f0 vf 3", "EINVAL «nö»", "Ask it.")


def later(seconds: int) -> datetime:
    return AT + timedelta(seconds=seconds)


def fresh() -> str:
    return str(uuid4())


def qos_policy() -> QosPolicy:
    rule = QosRule(QosRuleId(fresh()), QosRuleKind.BANDWIDTH_LIMIT, Direction.EGRESS, 1000, 7)
    return QosPolicy(QosPolicyId(fresh()), PROJECT, "gold", AT, AT, "10 %", rules=(rule,), tags=("a",))


def port_profile(settings: PortProfileSettings | None = None) -> PortProfile:
    said = settings or EthernetSettings(
        allowed_vlans=parse_vlans(["7", "100-199"]), spoof_check=False, mtu=9000
    )
    return PortProfile(PortProfileId(fresh()), PROJECT, "gold", said, AT, AT, "of «ö»")


def fabric() -> Fabric:
    failure = Failure("manager_unheard", "Telling", "the fabric «ö»", "it ended with 3")
    return Fabric("fabric", "host:/var/lib/fairlead", AT, AT, failure)


def partition_member() -> PartitionMember:
    guid = Guid("fa:16:3e:00:00:00:00:01")
    return PartitionMember("fabric", guid, "0x7fff", Membership.LIMITED, Telling.LEAVING)


def network(vlan: int | None = 7, physical_network: str = "left", name: str = "net") -> Network:
    kind = SegmentKind.FLAT if vlan is None else SegmentKind.VLAN
    return Network(
        NetworkId(fresh()),
        PROJECT,
        name,
        kind,
        physical_network,
        vlan,
        9000,
        AT,
        AT,
        tags=("b", "a"),
    )


def subnet(of: Network) -> Subnet:
    pools = (AddressRange("10.0.0.2", "10.0.0.99"), AddressRange("10.0.0.200", "10.0.0.254"))
    return Subnet(
        SubnetId(fresh()),
        PROJECT,
        of.id,
        "sub",
        4,
        "10.0.0.0/24",
        None,
        pools,
        AT,
        AT,
        dns_nameservers=("9.9.9.9",),
        host_routes=(HostRoute("10.9.0.0/16", "10.0.0.1"),),
        cursor="10.0.0.7",
    )


def rbac_policy(of: Network, target: str = "theirs") -> RbacPolicy:
    return RbacPolicy(RbacPolicyId(fresh()), PROJECT, target, AT, network_id=of.id)


def port(of: Network, mac: str = "fa:16:3e:00:00:01", ips: tuple[FixedIp, ...] = ()) -> Port:
    return Port(
        PortId(fresh()),
        PROJECT,
        of.id,
        "",
        MacAddress(mac),
        VnicType.DIRECT,
        AT,
        AT,
        fixed_ips=ips,
        trusted=True,
        numa_policy=NumaPolicy.SOCKET,
        dhcp_options=(DhcpOption("router", ""), DhcpOption("59", "http://[::1]/boot", 6)),
    )


def host(name: str = "h1") -> Host:
    return Host(
        HostId(fresh()),
        name,
        AT,
        labels={"rack": "7"},
        admin=HostAdmin.DISABLED,
        capacity=HostCapacity(8, 4096, 100, (NumaNode(0, None, (0, 1), 2048),)),
        token_expires_at=later(3),
        holds=(Hold("0000:af:00.0", "num_vfs", "held", ("s1",)),),
    )


def pf(of: Host, key: str = "aa") -> Device:
    made = DeviceId(fresh())
    return Device(
        made,
        of.id,
        made,
        DeviceKind.PF,
        key,
        DeviceStatus.AVAILABLE,
        PciAddress("0000:af:00.0"),
        "8086",
        "10fb",
        "ixgbe",
        0,
        None,
        link_layer=LinkLayer.ETHERNET,
        link_up=False,
        capabilities=("vlan", "trust"),
        is_management=False,
        tags=("fast",),
    )


def vf(of: Device, index: int) -> Device:
    return replace(
        of,
        id=DeviceId(fresh()),
        kind=DeviceKind.VF,
        key=f"{of.key}/vf{index}",
        pf=PfKey(of.key),
        vf_index=index,
        link_up=None,
        pci_address=PciAddress(f"0000:af:06.{index % 8}"),
        seen=VfSettings(
            mac=MacAddress("fa:16:3e:00:00:09"),
            vlan=0,
            vlan_protocol=VlanProtocol.DOT1AD,
            trust=False,
            link_state=LinkState.DISABLE,
        ),
        policy_id=PolicyId("p"),
    )


def device_policy(name: str = "nics") -> DevicePolicy:
    match = DeviceMatch(hosts=("h*",), host_labels={"rack": "?"}, address=("0000:af:*",))
    return DevicePolicy(
        PolicyId(fresh()), name, match, AT, AT, exclude=(DeviceMatch(name=("x",)),), num_vfs=0
    )


def alias(name: str = "gpu") -> Alias:
    return Alias(name, DeviceKind.PCI, AT, vendor=("10de",), numa_policy=NumaPolicy.REQUIRED)


def flavor(name: str = "small") -> Flavor:
    return Flavor(
        FlavorId(fresh()), name, 2, 1024, 10, AT, rxtx_factor=0.1, extra_specs={"hw:numa_nodes": "2"}
    )


def image() -> Image:
    return Image(
        ImageId(fresh()),
        PROJECT,
        "debian",
        ImageStatus.QUEUED,
        "qcow2",
        None,
        AT,
        AT,
        size=1 << 40,
        properties={"k": "v"},
    )


def server_group() -> ServerGroup:
    return ServerGroup(
        ServerGroupId(fresh()), PROJECT, "user", "web", GroupPolicy.ANTI_AFFINITY, AT, max_per_host=2
    )


def aggregate() -> Aggregate:
    return Aggregate(
        AggregateId("7"), fresh(), "east", AT, AT, "zone east", (HostId("h2"), HostId("h1")), {"ssd": "true"}
    )


def image_member(of: Image) -> ImageMember:
    return ImageMember(of.id, ProjectId("other"), MemberStatus.REJECTED, AT, later(1))


def keypair() -> KeyPair:
    return KeyPair("user", "my key", "ssh-ed25519 AAAA anna", "00:11", AT)


def server(name: str = "s") -> Server:
    return Server(
        ServerId(fresh()),
        PROJECT,
        "user",
        name,
        ServerStatus.BUILD,
        Power.RUNNING,
        flavor(),
        AT,
        AT,
        ports=(PortId("p2"), PortId("p1")),
        cells=(GuestCell(1, 2, 1024),),
        resize=Resize(
            MigrationId("m"),
            Size(flavor(), (GuestCell(0, 1, 512),)),
            Size(flavor()),
            Power.STOPPED,
            aside=(DeviceId("d"),),
            finished_at=AT,
        ),
        metadata={"ключ": "значение"},
        fault=FAILURE,
        fault_at=later(9),
    )


def migration(of: Server) -> Migration:
    return Migration(
        MigrationId(fresh()),
        MigrationKind.RESIZE,
        MigrationStatus.FINISHED,
        of.id,
        PROJECT,
        "user",
        "h1",
        "h1",
        FlavorId("f1"),
        FlavorId("f2"),
        AT,
        later(9),
    )


def allocation(of: Device, to: Server, number: int = 0) -> Allocation:
    return Allocation(of.id, of.family_id, of.host_id, to.id, RequestId(f"gpu-{number}"), None, 500)


def binding(
    of: Port, on: Host, role: BindingRole = BindingRole.ACTIVE, device: Device | None = None
) -> Binding:
    return Binding(
        of.id,
        on.id,
        role,
        Wiring.FAILED,
        VifType.HW_VEB,
        device_id=device.id if device else None,
        vif_details={"vlan": "7"},
        failure=FAILURE,
    )


def question(to: Host, about: Server) -> Question:
    return Question(fresh(), to.id, about.id, AT, lines=5)


def event(subject: str, message: str = "done", server_id: ServerId | None = None) -> Event:
    return Event(0, AT, "port_bound", subject, message, server_id=server_id, is_failure=True)
