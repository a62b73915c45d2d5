"""Networks, their segments, and subnets."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from fairlead.model.ids import NetworkId, PortProfileId, ProjectId, QosPolicyId, SubnetId
from fairlead.model.pci import LinkLayer


class SegmentKind(Enum):
    """How a network appears on its physical network: untagged, or with one 802.1Q tag."""

    FLAT = "flat"
    VLAN = "vlan"


@dataclass(frozen=True, slots=True)
class Network:
    """A layer-2 network on a physical network. `vlan` (1..4094) is set exactly when kind is VLAN.

    At most one network has a given (physical_network, vlan), and at most one is flat on it. `link_layer` is that of its
    physical network; on one of InfiniBand `vlan` is its partition's key, and a flat one is in the default partition.
    """

    id: NetworkId
    project_id: ProjectId
    name: str
    kind: SegmentKind
    physical_network: str
    vlan: int | None
    mtu: int
    created_at: datetime
    updated_at: datetime
    description: str = ""
    admin_state_up: bool = True
    port_security_enabled: bool = True
    qos_policy_id: QosPolicyId | None = None
    port_profile_id: PortProfileId | None = None
    """For its ports that have none of their own."""
    link_layer: LinkLayer = LinkLayer.ETHERNET
    tags: tuple[str, ...] = ()
    revision: int = 0


@dataclass(frozen=True, slots=True)
class AddressRange:
    """First and last address, both given out, as canonical text."""

    start: str
    end: str


@dataclass(frozen=True, slots=True)
class HostRoute:
    """A static route handed to guests."""

    destination: str
    nexthop: str


@dataclass(frozen=True, slots=True)
class Subnet:
    """Addresses of one IP version on a network. `gateway` None: the subnet has none.

    `cursor` is the last address given out from the pools; allocation goes on behind it.
    """

    id: SubnetId
    project_id: ProjectId
    network_id: NetworkId
    name: str
    ip_version: int
    cidr: str
    gateway: str | None
    pools: tuple[AddressRange, ...]
    created_at: datetime
    updated_at: datetime
    description: str = ""
    dns_nameservers: tuple[str, ...] = ()
    host_routes: tuple[HostRoute, ...] = ()
    enable_dhcp: bool = True
    ipv6_address_mode: str | None = None
    ipv6_ra_mode: str | None = None
    tags: tuple[str, ...] = ()
    cursor: str | None = None
    revision: int = 0
