"""Subnets: create, change, delete, look."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from msgspec import UNSET, UnsetType

from fairlead.control import quotas
from fairlead.control.address_plan import (
    Plan,
    check_dns_nameservers,
    check_gateway,
    check_host_routes,
    check_ipv6_modes,
    check_pools,
    default_gateway,
    default_pools,
    parse_cidr,
)
from fairlead.control.boundary import Tx
from fairlead.control.changes import applied, check_revision
from fairlead.control.port_words import in_words
from fairlead.control.sharing import targets_of_networks
from fairlead.model.errors import Conflict, InvalidValue
from fairlead.model.ids import NetworkId, ProjectId, SubnetId
from fairlead.model.network import AddressRange, HostRoute, Network, Subnet
from fairlead.model.quota import Resource


@dataclass(frozen=True, slots=True)
class NewSubnet:
    """What a subnet is made from. `gateway` UNSET: the first address, None: no gateway. `pools` None: every
    address but the gateway.
    """

    project_id: ProjectId
    network_id: NetworkId
    cidr: str
    ip_version: int
    name: str = ""
    description: str = ""
    gateway: str | UnsetType | None = UNSET
    pools: tuple[AddressRange, ...] | None = None
    dns_nameservers: tuple[str, ...] = ()
    host_routes: tuple[HostRoute, ...] = ()
    enable_dhcp: bool = True
    ipv6_address_mode: str | None = None
    ipv6_ra_mode: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SubnetChanges:
    """What may change; UNSET stays as it is."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    gateway: str | UnsetType | None = UNSET
    pools: tuple[AddressRange, ...] | UnsetType = UNSET
    dns_nameservers: tuple[str, ...] | UnsetType = UNSET
    host_routes: tuple[HostRoute, ...] | UnsetType = UNSET
    enable_dhcp: bool | UnsetType = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class SubnetView:
    """A subnet with what is derived for readers: the network that it is on, and whom that is shared with."""

    subnet: Subnet
    network: Network
    shared_with: frozenset[str] = frozenset()


def views(tx: Tx, found: Sequence[Subnet]) -> tuple[SubnetView, ...]:
    """The subnets with what is derived for readers, in their order; a fixed number of queries."""
    network_ids = tuple({subnet.network_id for subnet in found})
    networks = {network.id: network for network in (tx.networks.find(id=network_ids) if found else ())}
    shared_with = targets_of_networks(tx, network_ids)
    return tuple(
        SubnetView(subnet, networks[subnet.network_id], shared_with.get(subnet.network_id, frozenset()))
        for subnet in found
    )


def create(tx: Tx, new: NewSubnet) -> Subnet:
    """The new subnet; raises NotFound for the network, InvalidValue that names the field, Conflict
    `gateway_in_pool`.
    """
    quotas.take(tx, new.project_id, {Resource.SUBNET: 1})
    network = tx.networks.lock(new.network_id)
    plan = _plan(new)
    _check_overlap(tx, network.id, plan)
    subnet = Subnet(
        id=SubnetId(tx.new_id()),
        project_id=new.project_id,
        network_id=network.id,
        name=new.name,
        ip_version=new.ip_version,
        cidr=str(plan.cidr),
        gateway=plan.gateway,
        pools=plan.pools,
        created_at=tx.now,
        updated_at=tx.now,
        description=new.description,
        dns_nameservers=check_dns_nameservers(new.dns_nameservers),
        host_routes=check_host_routes(new.host_routes, plan.cidr.version),
        enable_dhcp=new.enable_dhcp,
        ipv6_address_mode=new.ipv6_address_mode,
        ipv6_ra_mode=new.ipv6_ra_mode,
        tags=new.tags,
    )
    tx.subnets.add(subnet)
    return subnet


def update(tx: Tx, subnet_id: SubnetId, changes: SubnetChanges, revision: int | None = None) -> Subnet:
    """The changed subnet; guests learn of it at their next boot. Raises as create, and Conflict `revision`."""
    subnet = tx.subnets.lock(subnet_id)
    check_revision(subnet, revision)
    changed = applied(replace, subnet, changes, updated_at=tx.now)
    cidr = parse_cidr(subnet.cidr, subnet.ip_version)
    gateway = check_gateway(changed.gateway, cidr)
    pools = check_pools(changed.pools, cidr, gateway)
    changed = replace(
        changed,
        gateway=gateway,
        pools=pools,
        cursor=subnet.cursor if pools == subnet.pools else None,
        dns_nameservers=check_dns_nameservers(changed.dns_nameservers),
        host_routes=check_host_routes(changed.host_routes, cidr.version),
    )
    return tx.subnets.put(changed)


def delete(tx: Tx, subnet_id: SubnetId, revision: int | None = None) -> None:
    """The subnet is gone; raises NotFound, Conflict `in_use` that names a port, Conflict `revision`."""
    subnet = tx.subnets.lock(subnet_id)
    check_revision(subnet, revision)
    users = [
        port
        for port in tx.ports.find(network_id=subnet.network_id)
        if any(ip.subnet_id == subnet_id for ip in port.fixed_ips)
    ]
    if users:
        owner = tx.networks.fetch(subnet.network_id).project_id
        raise Conflict(
            "in_use",
            f"Unable to complete operation on subnet {subnet.name or subnet.cidr}: One or more ports have an IP "
            f"allocation from this subnet: {in_words(tx, users, owner)}.",
            field="subnet",
        )
    tx.subnets.remove(subnet_id)


def _plan(new: NewSubnet) -> Plan:
    cidr = parse_cidr(new.cidr, new.ip_version)
    check_ipv6_modes(cidr, new.ipv6_ra_mode, new.ipv6_address_mode, dhcp=new.enable_dhcp)
    gateway = (
        default_gateway(cidr) if isinstance(new.gateway, UnsetType) else check_gateway(new.gateway, cidr)
    )
    pools = default_pools(cidr, gateway) if new.pools is None else check_pools(new.pools, cidr, gateway)
    return Plan(cidr, gateway, pools)


def _check_overlap(tx: Tx, network_id: NetworkId, plan: Plan) -> None:
    for other in tx.subnets.find(network_id=network_id, ip_version=plan.cidr.version):
        if parse_cidr(other.cidr, other.ip_version).overlaps(plan.cidr):
            raise InvalidValue(
                "cidr",
                str(plan.cidr),
                f"free: it overlaps with {other.cidr} of subnet {other.id} in the network",
            )
