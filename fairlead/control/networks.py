"""Networks: create, change, delete, look."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from msgspec import UNSET, UnsetType

from fairlead.control import quotas
from fairlead.control.boundary import Tx
from fairlead.control.changes import applied, check_revision
from fairlead.control.nic_changes import change_nics
from fairlead.control.port_words import in_words
from fairlead.control.qos import default_of
from fairlead.control.requests import holding, nics_of
from fairlead.control.segments import choose
from fairlead.control.sharing import share_with_everybody, targets_of_networks
from fairlead.model.errors import Conflict, InvalidValue, NotFound
from fairlead.model.ids import NetworkId, PortProfileId, ProjectId, QosPolicyId, SubnetId
from fairlead.model.network import Network, SegmentKind
from fairlead.model.port_settings import check_network
from fairlead.model.quota import Resource
from fairlead.model.request import Nic

LEAST_MTU, DEFAULT_MTU, MOST_MTU = 68, 1500, 65535
"""68: RFC 791, the smallest datagram that every link carries."""


@dataclass(frozen=True, slots=True)
class NewNetwork:
    """What a network is made from. A segment that is None is chosen (`segments.choose`); a QoS policy that is
    UNSET is the project's default, None is none.
    """

    project_id: ProjectId
    name: str = ""
    description: str = ""
    kind: SegmentKind | None = None
    physical_network: str | None = None
    vlan: int | None = None
    mtu: int = DEFAULT_MTU
    admin_state_up: bool = True
    shared: bool = False
    port_security_enabled: bool = True
    qos_policy_id: QosPolicyId | UnsetType | None = UNSET
    port_profile_id: PortProfileId | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NetworkChanges:
    """What may change; UNSET stays as it is."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    mtu: int | UnsetType = UNSET
    admin_state_up: bool | UnsetType = UNSET
    shared: bool | UnsetType = UNSET
    port_security_enabled: bool | UnsetType = UNSET
    qos_policy_id: QosPolicyId | UnsetType | None = UNSET
    port_profile_id: PortProfileId | UnsetType | None = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET


_WIRED_FIELDS = ("mtu", "admin_state_up", "qos_policy_id", "port_profile_id")
"""What hosts are told of a network's ports."""


@dataclass(frozen=True, slots=True)
class NetworkView:
    """A network with what is derived for readers; `shared_with` are projects, or EVERYBODY."""

    network: Network
    subnets: tuple[SubnetId, ...] = ()
    shared_with: frozenset[str] = frozenset()


def create(tx: Tx, new: NewNetwork) -> NetworkView:
    """The new network; raises InvalidValue, NotFound for the QoS policy or port
    profile, Conflict `vlan_in_use`, `flat_in_use`.
    """
    _check_mtu(new.mtu)
    quotas.take(tx, new.project_id, {Resource.NETWORK: 1})
    policy_id = _policy(tx, new)
    segment = choose(tx, new.kind, new.physical_network, new.vlan)
    network = Network(
        id=NetworkId(tx.new_id()),
        project_id=new.project_id,
        name=new.name,
        kind=segment.kind,
        physical_network=segment.physical_network,
        vlan=segment.vlan,
        mtu=new.mtu,
        created_at=tx.now,
        updated_at=tx.now,
        description=new.description,
        admin_state_up=new.admin_state_up,
        port_security_enabled=new.port_security_enabled,
        qos_policy_id=policy_id,
        port_profile_id=new.port_profile_id,
        link_layer=segment.link_layer,
        tags=new.tags,
    )
    _check_profile(tx, network)
    _add(tx, network, vlan_is_given=new.vlan is not None)
    if not new.shared:
        return NetworkView(network)
    share_with_everybody(tx, network, wanted=True)
    return views(tx, (network,))[0]


def update(
    tx: Tx, network_id: NetworkId, changes: NetworkChanges, revision: int | None = None
) -> NetworkView:
    """The changed network. Bound ports are rewired where their hosts have to know. Raises NotFound,
    InvalidValue, Conflict `revision`, `sharing_in_use`, `bound`, `settings_conflict`.
    """
    network = tx.networks.lock(network_id)
    check_revision(network, revision)
    if isinstance(changes.mtu, int):
        _check_mtu(changes.mtu)
    if changes.qos_policy_id and tx.qos_policies.share(changes.qos_policy_id) is None:
        raise NotFound("QoS policy", changes.qos_policy_id)
    if changes.port_profile_id and tx.port_profiles.share(changes.port_profile_id) is None:
        raise NotFound("port profile", changes.port_profile_id)
    if isinstance(changes.shared, bool):
        share_with_everybody(tx, network, wanted=changes.shared)
    changed = applied(replace, network, replace(changes, shared=UNSET), updated_at=tx.now)
    if any(getattr(changed, name) != getattr(network, name) for name in _WIRED_FIELDS):
        _check_profile(tx, changed)
        nics = nics_of(tx, tx.ports.find(network_id=network_id))
        change_nics(tx, nics, _on(tx, changed))
    return views(tx, (tx.networks.put(changed),))[0]


def delete(tx: Tx, network_id: NetworkId, revision: int | None = None) -> None:
    """The network and its subnets are gone; raises NotFound, Conflict `in_use` that names its ports, Conflict
    `revision`.
    """
    network = tx.networks.lock(network_id)
    check_revision(network, revision)
    if ports := tx.ports.find(network_id=network_id):
        raise Conflict(
            "in_use",
            f"Unable to complete operation on network {network.name or network_id}. There are one or more ports "
            f"still in use on the network: {in_words(tx, ports, network.project_id)}.",
            field="network",
        )
    for subnet in tx.subnets.find(network_id=network_id):
        tx.subnets.remove(subnet.id)
    tx.networks.remove(network_id)


def find(tx: Tx, **where: object) -> tuple[NetworkView, ...]:
    """Networks whose columns equal the values, oldest first."""
    return views(tx, tx.networks.find(**where))


def show(tx: Tx, network_id: NetworkId) -> NetworkView:
    """The network; raises NotFound."""
    return views(tx, (tx.networks.fetch(network_id),))[0]


def views(tx: Tx, networks: tuple[Network, ...]) -> tuple[NetworkView, ...]:
    """The networks with what is derived for readers, in their order."""
    subnets: dict[NetworkId, list[SubnetId]] = {network.id: [] for network in networks}
    for subnet in tx.subnets.find(network_id=tuple(subnets)) if networks else ():
        subnets[subnet.network_id].append(subnet.id)
    shared_with = targets_of_networks(tx, subnets)
    return tuple(
        NetworkView(network, tuple(subnets[network.id]), shared_with.get(network.id, frozenset()))
        for network in networks
    )


def _add(tx: Tx, network: Network, *, vlan_is_given: bool) -> None:
    try:
        tx.networks.add(network)
    except Conflict as conflict:
        if conflict.code == "vlan_in_use" and not vlan_is_given:
            raise Conflict("stale", f"VLAN {network.vlan} was taken while it was chosen.") from conflict
        raise


def _check_mtu(mtu: int) -> None:
    if not LEAST_MTU <= mtu <= MOST_MTU:
        raise InvalidValue("mtu", mtu, f"a number of bytes from {LEAST_MTU} to {MOST_MTU}")


def _policy(tx: Tx, new: NewNetwork) -> QosPolicyId | None:
    if new.qos_policy_id is UNSET:
        return default_of(tx, new.project_id)
    return tx.qos_policies.fetch(new.qos_policy_id).id if new.qos_policy_id else None


def _on(tx: Tx, network: Network) -> Callable[[Nic], Nic]:
    """What a NIC of the network is once the network is so."""
    policy = tx.qos_policies.fetch(network.qos_policy_id) if network.qos_policy_id else None
    profile = tx.port_profiles.fetch(network.port_profile_id) if network.port_profile_id else None
    return lambda nic: Nic(
        nic.port,
        network,
        nic.qos if nic.port.qos_policy_id else policy,
        nic.profile if nic.port.port_profile_id else holding(nic.port, network, profile),
    )


def _check_profile(tx: Tx, network: Network) -> None:
    """Raises NotFound, and InvalidValue for a default that no port of the network could have."""
    if network.port_profile_id is not None:
        check_network(tx.port_profiles.fetch(network.port_profile_id), network)
