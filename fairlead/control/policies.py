"""Device policies: declared once, matched on every host at once."""

from dataclasses import dataclass, field, replace

from msgspec import UNSET, UnsetType

from fairlead.control.boundary import Tx
from fairlead.control.changes import applied, check_revision
from fairlead.control.policy_matches import rematch
from fairlead.model.errors import Conflict, InvalidValue
from fairlead.model.ids import PolicyId
from fairlead.model.pci import LinkLayer
from fairlead.model.policy import DeviceMatch, DevicePolicy

LEAST_MTU, MOST_MTU = 68, 65535
_NAMED = 3
MOST_VFS = 4096
"""More than any NIC has; the kernel's own limit is each device's sriov_totalvfs."""


@dataclass(frozen=True, slots=True)
class NewPolicy:
    """What a device policy is made from."""

    name: str
    match: DeviceMatch = field(default_factory=DeviceMatch)
    exclude: tuple[DeviceMatch, ...] = ()
    priority: int = 0
    num_vfs: int | None = None
    physical_network: str | None = None
    tags: tuple[str, ...] = ()
    mtu: int | None = None
    egress_mbps: int | None = None
    link_layer: LinkLayer = LinkLayer.ETHERNET


@dataclass(frozen=True, slots=True)
class PolicyChanges:
    """What may change. What is not given (UNSET) stays as it is; None is what it means in the policy itself."""

    name: str | UnsetType = UNSET
    match: DeviceMatch | UnsetType = UNSET
    exclude: tuple[DeviceMatch, ...] | UnsetType = UNSET
    priority: int | UnsetType = UNSET
    num_vfs: int | UnsetType | None = UNSET
    physical_network: str | UnsetType | None = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    mtu: int | UnsetType | None = UNSET
    egress_mbps: int | UnsetType | None = UNSET
    link_layer: LinkLayer | UnsetType = UNSET


def create(tx: Tx, new: NewPolicy) -> DevicePolicy:
    """The new policy, in force on every host. Raises InvalidValue, Conflict `name_in_use`, and `in_use` where
    a device that somebody holds would be on another physical network, and where that is one of another link layer.
    """
    policy = draft(tx, new)
    tx.policies.add(policy)
    _apply(tx, policy.id)
    return policy


def update(tx: Tx, policy_id: PolicyId, changes: PolicyChanges, revision: int | None = None) -> DevicePolicy:
    """The changed policy, in force on every host; raises as create, and NotFound, Conflict `revision`."""
    policy = tx.policies.lock(policy_id)
    check_revision(policy, revision)
    changed = applied(replace, policy, changes, updated_at=tx.now)
    check(changed)
    check_link_layer(tx, changed)
    changed = tx.policies.put(changed)
    _apply(tx, policy_id)
    return changed


def delete(tx: Tx, policy_id: PolicyId) -> None:
    """The policy is gone; its devices have the next that matches, or are offered to nobody. Raises NotFound,
    Conflict `in_use` that names the servers which have such a device.
    """
    tx.policies.lock(policy_id)
    tx.policies.remove(policy_id)
    _apply(tx, policy_id)


def draft(tx: Tx, new: NewPolicy) -> DevicePolicy:
    """The policy that would be made, which is not; raises InvalidValue."""
    policy = DevicePolicy(
        id=PolicyId(tx.new_id()),
        name=new.name,
        match=new.match,
        created_at=tx.now,
        updated_at=tx.now,
        exclude=new.exclude,
        priority=new.priority,
        num_vfs=new.num_vfs,
        physical_network=new.physical_network,
        tags=new.tags,
        mtu=new.mtu,
        egress_mbps=new.egress_mbps,
        link_layer=new.link_layer,
    )
    check(policy)
    check_link_layer(tx, policy)
    return policy


def check(policy: DevicePolicy) -> None:
    """Raises InvalidValue for a field that breaks a rule."""
    if not policy.name.strip():
        raise InvalidValue("name", policy.name, "a name")
    if policy.match == DeviceMatch():
        raise InvalidValue("match", "nothing", "a match: to mean every NIC of every host, say so with name *")
    if policy.num_vfs is not None and not 0 <= policy.num_vfs <= MOST_VFS:
        raise InvalidValue("num_vfs", policy.num_vfs, f"a number of VFs from 0 to {MOST_VFS}")
    if policy.mtu is not None and not LEAST_MTU <= policy.mtu <= MOST_MTU:
        raise InvalidValue("mtu", policy.mtu, f"a number of octets from {LEAST_MTU} to {MOST_MTU}")
    if policy.egress_mbps is not None and policy.egress_mbps < 1:
        raise InvalidValue("egress_mbps", policy.egress_mbps, "a rate of 1 Mbit/s or more")
    if policy.physical_network is not None and not policy.physical_network.strip():
        raise InvalidValue("physical_network", policy.physical_network, "the name of a physical network")
    if policy.link_layer is LinkLayer.NONE:
        raise InvalidValue("link_layer", policy.link_layer.value, "ethernet or infiniband")


def check_link_layer(tx: Tx, policy: DevicePolicy) -> None:
    """A physical network is of one link layer: raises Conflict `in_use` that names who has it as one of another. Two
    that are made at once may both find nobody; then placement finds no device, for it asks for the network's own.
    """
    where = policy.physical_network
    if where is None:
        return
    others = [p for p in tx.policies.find(physical_network=where) if p.id != policy.id]
    named = [f"device policy {p.name}" for p in others if p.link_layer is not policy.link_layer]
    networks = tx.networks.find(physical_network=where)
    named += [f"network {n.name or n.id}" for n in networks if n.link_layer is not policy.link_layer]
    if named:
        raise Conflict(
            "in_use",
            f"Physical network {where} cannot be one of {policy.link_layer.value}, since it is of another link layer "
            f"for {', '.join(named[:_NAMED])}{' and others' if len(named) > _NAMED else ''}. Give these NICs another.",
            field="link_layer",
        )


def _apply(tx: Tx, touched: PolicyId) -> None:
    """Match every host anew. All of them are locked, in order: one that reports a new device meanwhile would
    otherwise match it by the old policies.
    """
    policies = tx.policies.find()
    for host_id in sorted(host.id for host in tx.hosts.find()):
        host = tx.hosts.hold(host_id)
        if host is not None:
            rematch(tx, host, policies, touched)
