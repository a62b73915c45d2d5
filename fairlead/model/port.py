"""Ports: a vNIC's place on a network."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from fairlead.model.dhcp_option import DhcpOption
from fairlead.model.ids import NetworkId, PortId, PortProfileId, ProjectId, QosPolicyId, ServerId, SubnetId
from fairlead.model.infiniband import Guid
from fairlead.model.numa import NumaPolicy
from fairlead.model.pci import MacAddress


class VnicType(Enum):
    """How a port reaches its guest (Neutron's binding:vnic_type)."""

    NORMAL = "normal"
    DIRECT = "direct"
    DIRECT_PHYSICAL = "direct-physical"
    MACVTAP = "macvtap"

    @property
    def needs_vf(self) -> bool:
        """Whether a VF is held for it."""
        return self in {VnicType.DIRECT, VnicType.MACVTAP}

    @property
    def is_tap(self) -> bool:
        """Whether its guest has it as a tap or macvtap, by name, and no device of the host."""
        return self in {VnicType.NORMAL, VnicType.MACVTAP}


class PortStatus(Enum):
    """Derived, never stored: see lifecycle.port_status."""

    DOWN = "DOWN"
    BUILD = "BUILD"
    ACTIVE = "ACTIVE"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class FixedIp:
    """An address of the port, unique in its subnet; canonical text."""

    subnet_id: SubnetId
    ip_address: str


@dataclass(frozen=True, slots=True)
class Port:
    """A port. `server_id` "" while no server has it; `device_owner` as Neutron: "compute:<zone>" then.

    `alias` says which kind of device a direct or macvtap port wants (None: any VF of its physical network).
    `vlan_priority` is the 802.1p priority (0..7) of the port's frames. `owned_by_server`: made for a
    server and deleted with it. MAC is unique in the network; while a direct-physical port is bound it is its PF's own.
    `propagate_uplink_status`: a VF's link is up only while its PF's is. `allowed_addresses` are addresses and
    prefixes that its guest may use besides, always with the port's MAC.
    """

    id: PortId
    project_id: ProjectId
    network_id: NetworkId
    name: str
    mac: MacAddress
    vnic_type: VnicType
    created_at: datetime
    updated_at: datetime
    description: str = ""
    admin_state_up: bool = True
    fixed_ips: tuple[FixedIp, ...] = ()
    allowed_addresses: tuple[str, ...] = ()
    dhcp_options: tuple[DhcpOption, ...] = ()
    server_id: ServerId | None = None
    device_owner: str = ""
    owned_by_server: bool = False
    alias: str | None = None
    qos_policy_id: QosPolicyId | None = None
    port_profile_id: PortProfileId | None = None
    """None: the network's, if it has one."""
    port_security_enabled: bool = True
    propagate_uplink_status: bool = True
    trusted: bool = False
    vlan_priority: int = 0
    numa_policy: NumaPolicy | None = None
    wanted_host: str = ""
    """binding:host_id that an operator asked for before any server did; "" when none."""
    guid: Guid | None = None
    """On a network of InfiniBand; None on others. No two ports have the same."""
    device_id_text: str = ""
    """device_id that a client set itself on a port no server of ours has; "" when none."""
    tags: tuple[str, ...] = ()
    revision: int = 0
