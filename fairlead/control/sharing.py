"""Sharing: which projects may use a network, QoS policy or port profile besides its own. The RBAC policies are the one
truth of it; `shared` of such a thing follows from them for whoever asks.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

from fairlead.control import quotas
from fairlead.control.boundary import Tx
from fairlead.model.errors import Conflict, InvalidValue
from fairlead.model.ids import NetworkId, PortProfileId, ProjectId, QosPolicyId, RbacPolicyId
from fairlead.model.network import Network
from fairlead.model.port_profile import PortProfile
from fairlead.model.qos import QosPolicy
from fairlead.model.quota import Resource
from fairlead.model.sharing import EVERYBODY, RbacPolicy

LONGEST_TARGET = 255

Shareable = Network | QosPolicy | PortProfile


class ShareableKind(Enum):
    """What can be shared, by Neutron's names, and one of ours."""

    NETWORK = "network"
    QOS_POLICY = "qos_policy"
    PORT_PROFILE = "port_profile"


class _Owned(Protocol):
    """A row of a project."""

    @property
    def project_id(self) -> ProjectId:
        """Whose it is."""
        ...


@dataclass(frozen=True, slots=True)
class NewRbacPolicy:
    """What an RBAC policy is made from. `project_id` None: that of what is shared, which it must be."""

    kind: ShareableKind
    object_id: str
    target: str
    project_id: ProjectId | None = None


def targets(tx: Tx, row: Shareable) -> frozenset[str]:
    """The projects that it is shared with, EVERYBODY among them."""
    return frozenset(policy.target for policy in _policies(tx, row))


def targets_of_networks(tx: Tx, ids: Collection[NetworkId]) -> dict[NetworkId, frozenset[str]]:
    """The same of many networks; one query. One that is shared with nobody is not in it."""
    found: dict[NetworkId, frozenset[str]] = {}
    for policy in tx.rbac_policies.find(network_id=tuple(ids)) if ids else ():
        if policy.network_id is not None:
            found[policy.network_id] = found.get(policy.network_id, frozenset()) | {policy.target}
    return found


def targets_of_policies(tx: Tx, ids: Collection[QosPolicyId]) -> dict[QosPolicyId, frozenset[str]]:
    """The same of many QoS policies."""
    found: dict[QosPolicyId, frozenset[str]] = {}
    for policy in tx.rbac_policies.find(qos_policy_id=tuple(ids)) if ids else ():
        if policy.qos_policy_id is not None:
            found[policy.qos_policy_id] = found.get(policy.qos_policy_id, frozenset()) | {policy.target}
    return found


def targets_of_profiles(tx: Tx, ids: Collection[PortProfileId]) -> dict[PortProfileId, frozenset[str]]:
    """The same of many port profiles."""
    found: dict[PortProfileId, frozenset[str]] = {}
    for policy in tx.rbac_policies.find(port_profile_id=tuple(ids)) if ids else ():
        if policy.port_profile_id is not None:
            found[policy.port_profile_id] = found.get(policy.port_profile_id, frozenset()) | {policy.target}
    return found


def kind_of(policy: RbacPolicy) -> ShareableKind:
    """What it shares."""
    if policy.network_id is not None:
        return ShareableKind.NETWORK
    return ShareableKind.QOS_POLICY if policy.qos_policy_id is not None else ShareableKind.PORT_PROFILE


def object_of(policy: RbacPolicy) -> str:
    """The id of what it shares."""
    return policy.network_id or policy.qos_policy_id or policy.port_profile_id or ""


def is_shared_with(shared_with: Collection[str], project_id: ProjectId) -> bool:
    """What Neutron's `shared` says to somebody of that project."""
    return EVERYBODY in shared_with or project_id in shared_with


def subject_of(tx: Tx, kind: ShareableKind, object_id: str) -> Shareable:
    """What is shared; raises NotFound."""
    match kind:
        case ShareableKind.NETWORK:
            return tx.networks.fetch(object_id)
        case ShareableKind.QOS_POLICY:
            return tx.qos_policies.fetch(object_id)
        case ShareableKind.PORT_PROFILE:
            return tx.port_profiles.fetch(object_id)


def create(tx: Tx, new: NewRbacPolicy) -> RbacPolicy:
    """Share it; raises NotFound, InvalidValue, Conflict `share_exists`."""
    row = _locked(tx, new.kind, new.object_id)
    if new.project_id not in {None, row.project_id}:
        raise InvalidValue("project_id", new.project_id, "the project of what is shared, whose it always is")
    return _add(tx, row, new.target)


def update(tx: Tx, policy_id: RbacPolicyId, target: str) -> RbacPolicy:
    """Share it with that project in place of the other; raises as create, and Conflict `in_use` as delete."""
    policy, row = _held(tx, policy_id)
    if target == policy.target:
        return policy
    _check_target(target)
    _check_taken(tx, row, target)
    quotas.take(tx, row.project_id, {Resource.RBAC_POLICY: 1})
    users = _served_by(tx, row, without=policy.target, but=target)
    if users:
        raise _in_use(policy, users)
    return tx.rbac_policies.put(replace(policy, target=target))


def delete(tx: Tx, policy_id: RbacPolicyId) -> None:
    """Share it no longer; raises NotFound, Conflict `in_use` while it serves another project's ports."""
    policy, row = _held(tx, policy_id)
    if users := _served_by(tx, row, without=policy.target):
        raise _in_use(policy, users)
    tx.rbac_policies.remove(policy_id)


def share_with_everybody(tx: Tx, row: Shareable, *, wanted: bool) -> None:
    """What Neutron's `shared` asks for of a locked row, which may be so already. Raises Conflict
    `sharing_in_use` while other projects use it by nothing else.
    """
    known = next((policy for policy in _policies(tx, row) if policy.target == EVERYBODY), None)
    if wanted and known is None:
        _add(tx, row, EVERYBODY)
    elif not wanted and known is not None:
        if _served_by(tx, row, without=EVERYBODY):
            raise Conflict(
                "sharing_in_use",
                f"Unable to reconfigure sharing settings for {_word(row)} {row.id}. Multiple tenants are using it.",
            )
        tx.rbac_policies.remove(known.id)


def _add(tx: Tx, row: Shareable, target: str) -> RbacPolicy:
    _check_target(target)
    _check_taken(tx, row, target)
    policy = RbacPolicy(
        id=RbacPolicyId(tx.new_id()),
        project_id=row.project_id,
        target=target,
        created_at=tx.now,
        network_id=row.id if isinstance(row, Network) else None,
        qos_policy_id=row.id if isinstance(row, QosPolicy) else None,
        port_profile_id=row.id if isinstance(row, PortProfile) else None,
    )
    tx.rbac_policies.add(policy)
    return policy


def _locked(tx: Tx, kind: ShareableKind, object_id: str) -> Shareable:
    """Whatever is decided of its sharing is decided while it is held."""
    match kind:
        case ShareableKind.NETWORK:
            return tx.networks.lock(object_id)
        case ShareableKind.QOS_POLICY:
            return tx.qos_policies.lock(object_id)
        case ShareableKind.PORT_PROFILE:
            return tx.port_profiles.lock(object_id)


def _held(tx: Tx, policy_id: RbacPolicyId) -> tuple[RbacPolicy, Shareable]:
    policy = tx.rbac_policies.fetch(policy_id)
    row = _locked(tx, kind_of(policy), object_of(policy))
    return tx.rbac_policies.fetch(policy_id), row


def _policies(tx: Tx, row: Shareable) -> tuple[RbacPolicy, ...]:
    return tx.rbac_policies.find(**{_column(row): row.id})


def _served_by(tx: Tx, row: Shareable, *, without: str, but: str | None = None) -> list[ProjectId]:
    """The projects that use it and could not, were it no longer shared with `without` (but with `but`)."""
    left = (targets(tx, row) - {without}) | ({but} if but is not None else set())
    if EVERYBODY in left:
        return []
    return sorted(_users(tx, row) - {row.project_id} - {ProjectId(target) for target in left})


def _users(tx: Tx, row: Shareable) -> set[ProjectId]:
    if isinstance(row, Network):
        return _projects(tx.ports.find(network_id=row.id)) | _projects(tx.subnets.find(network_id=row.id))
    named = {_column(row): row.id}
    return _projects(tx.ports.find(**named)) | _projects(tx.networks.find(**named))


def _projects(rows: Iterable[_Owned]) -> set[ProjectId]:
    return {row.project_id for row in rows}


def _check_target(target: str) -> None:
    if not 1 <= len(target) <= LONGEST_TARGET:
        raise InvalidValue("target_tenant", target, f"a project's id, or {EVERYBODY}")


def _check_taken(tx: Tx, row: Shareable, target: str) -> None:
    if target in targets(tx, row):
        raise Conflict("share_exists", "An RBAC policy already exists with those values.")


def _in_use(policy: RbacPolicy, users: Collection[ProjectId]) -> Conflict:
    return Conflict(
        "in_use",
        f"RBAC policy on object {object_of(policy)} cannot be removed because other objects "
        f"depend on it.\nDetails: {len(users)} other project{'s use' if len(users) > 1 else ' uses'} it by nothing "
        "else.",
        field="rbac policy",
    )


def _column(row: Shareable) -> str:
    """The column that names it, in whatever refers to it."""
    match row:
        case Network():
            return "network_id"
        case QosPolicy():
            return "qos_policy_id"
        case PortProfile():
            return "port_profile_id"


def _word(row: Shareable) -> str:
    match row:
        case Network():
            return "network"
        case QosPolicy():
            return "QoS policy"
        case PortProfile():
            return "port profile"
