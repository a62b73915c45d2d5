"""Networks, subnets, ports with their addresses, QoS policies, port profiles, and with whom they are shared."""

from dataclasses import dataclass

import sqlalchemy as sa

from fairlead.model.ids import PortId, SubnetId
from fairlead.model.network import Network, Subnet
from fairlead.model.port import Port
from fairlead.model.port_profile import PortProfile
from fairlead.model.qos import QosPolicy
from fairlead.model.sharing import RbacPolicy
from fairlead.store.noun import declare
from fairlead.store.references import cascades, refers

QOS_POLICIES = declare(QosPolicy, "qos_policies", "QoS policy", order=("created_at",))

PORT_PROFILES = declare(PortProfile, "port_profiles", "port profile", order=("created_at",))

_is_flat = sa.text("kind = 'flat'")
NETWORKS = declare(
    Network,
    "networks",
    "network",
    refers("networks", "qos_policy_id", "qos_policies"),
    sa.UniqueConstraint("physical_network", "vlan", name="uq_networks_vlan"),
    sa.Index(
        "uq_networks_flat",
        "physical_network",
        unique=True,
        sqlite_where=_is_flat,
        postgresql_where=_is_flat,
    ),
    refers("networks", "port_profile_id", "port_profiles"),
    sa.Index("ix_networks_qos_policy", "qos_policy_id"),
    sa.Index("ix_networks_port_profile", "port_profile_id"),
    order=("created_at",),
)

RBAC_POLICIES = declare(
    RbacPolicy,
    "rbac_policies",
    "rbac policy",
    cascades("rbac_policies", "network_id", "networks"),
    cascades("rbac_policies", "qos_policy_id", "qos_policies"),
    cascades("rbac_policies", "port_profile_id", "port_profiles"),
    sa.UniqueConstraint("network_id", "target", name="uq_rbac_policies_network"),
    sa.UniqueConstraint("qos_policy_id", "target", name="uq_rbac_policies_qos_policy"),
    sa.UniqueConstraint("port_profile_id", "target", name="uq_rbac_policies_port_profile"),
    order=("created_at",),
)

SUBNETS = declare(
    Subnet,
    "subnets",
    "subnet",
    refers("subnets", "network_id", "networks"),
    sa.Index("ix_subnets_network", "network_id"),
    order=("created_at",),
)

PORTS = declare(
    Port,
    "ports",
    "port",
    refers("ports", "network_id", "networks"),
    refers("ports", "qos_policy_id", "qos_policies"),
    refers("ports", "port_profile_id", "port_profiles"),
    refers("ports", "server_id", "servers", deferred=True),
    sa.UniqueConstraint("network_id", "mac", name="uq_ports_mac"),
    sa.UniqueConstraint("guid", name="uq_ports_guid"),
    sa.Index("ix_ports_server", "server_id"),
    sa.Index("ix_ports_qos_policy", "qos_policy_id"),
    sa.Index("ix_ports_port_profile", "port_profile_id"),
    order=("created_at",),
)


@dataclass(frozen=True, slots=True)
class HeldAddress:
    """An address of a port, once more, as a row of its own: so it is unique in its subnet."""

    subnet_id: SubnetId
    ip_address: str
    port_id: PortId


HELD_ADDRESSES = declare(
    HeldAddress,
    "fixed_ips",
    "fixed ip",
    refers("fixed_ips", "subnet_id", "subnets"),
    cascades("fixed_ips", "port_id", "ports"),
    sa.Index("ix_fixed_ips_port", "port_id"),
    key=("subnet_id", "ip_address"),
)
