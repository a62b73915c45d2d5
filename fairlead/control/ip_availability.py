"""How many addresses the subnets of a network have to give, and how many ports have."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from fairlead.control.boundary import Tx
from fairlead.model.ids import NetworkId, SubnetId
from fairlead.model.network import Network, Subnet


@dataclass(frozen=True, slots=True)
class SubnetAvailability:
    """`total` is what the pools have, `used` what ports have: also addresses that they asked for outside the pools."""

    subnet: Subnet
    total: int
    used: int


@dataclass(frozen=True, slots=True)
class NetworkAvailability:
    """A network with its subnets."""

    network: Network
    subnets: tuple[SubnetAvailability, ...]

    @property
    def total(self) -> int:
        """Addresses that all its subnets have to give."""
        return sum(subnet.total for subnet in self.subnets)

    @property
    def used(self) -> int:
        """Addresses that ports have."""
        return sum(subnet.used for subnet in self.subnets)


def find(tx: Tx, **where: object) -> tuple[NetworkAvailability, ...]:
    """Of the networks whose columns equal the values, oldest first; a fixed number of queries."""
    networks = tx.networks.find(**where)
    return _of(tx, networks)


def show(tx: Tx, network_id: NetworkId) -> NetworkAvailability:
    """Of one network; raises NotFound."""
    return _of(tx, (tx.networks.fetch(network_id),))[0]


def _of(tx: Tx, networks: tuple[Network, ...]) -> tuple[NetworkAvailability, ...]:
    subnets = tx.subnets.find(network_id=tuple(network.id for network in networks)) if networks else ()
    used = tx.held_addresses(tuple(subnet.id for subnet in subnets))
    by_network: dict[NetworkId, list[Subnet]] = {network.id: [] for network in networks}
    for subnet in subnets:
        by_network[subnet.network_id].append(subnet)
    return tuple(
        NetworkAvailability(network, tuple(_counted(by_network[network.id], used))) for network in networks
    )


def _counted(subnets: Iterable[Subnet], used: Mapping[SubnetId, int]) -> Iterable[SubnetAvailability]:
    return (SubnetAvailability(subnet, _total(subnet), used.get(subnet.id, 0)) for subnet in subnets)


def _total(subnet: Subnet) -> int:
    return sum(int(ip_address(pool.end)) - int(ip_address(pool.start)) + 1 for pool in subnet.pools)
