"""QoS policies and their rules: create, change, delete, look.

A VF limits and promises what its guest sends (egress); the other direction is refused when the rule is made,
not silently ignored when a port is bound. What a claim has promised on a PF stands until the port is unbound.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from msgspec import UNSET, UnsetType

from fairlead.control.boundary import Tx
from fairlead.control.changes import applied, check_revision
from fairlead.control.nic_changes import change_nics
from fairlead.control.port_words import in_words
from fairlead.control.requests import nics_of
from fairlead.control.sharing import share_with_everybody, targets_of_policies
from fairlead.model.errors import Conflict, InvalidValue, NotFound
from fairlead.model.ids import NetworkId, ProjectId, QosPolicyId, QosRuleId
from fairlead.model.port import Port
from fairlead.model.qos import (
    Direction,
    QosPolicy,
    QosRule,
    QosRuleKind,
    egress_limit_kbps,
    egress_minimum_kbps,
)

MOST_KBPS = 2**31 - 1
"""Neutron's limit of every rate, kbit/s."""


@dataclass(frozen=True, slots=True)
class NewQosPolicy:
    """What a policy is made from; its rules follow one by one."""

    project_id: ProjectId
    name: str
    description: str = ""
    shared: bool = False
    is_default: bool = False
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QosPolicyChanges:
    """What may change; UNSET stays as it is."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    shared: bool | UnsetType = UNSET
    is_default: bool | UnsetType = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class QosRuleChanges:
    """What may change of a rule; UNSET stays as it is."""

    direction: Direction | UnsetType = UNSET
    kbps: int | UnsetType = UNSET
    max_burst_kbps: int | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class QosPolicyView:
    """A policy, and the projects that it is shared with, EVERYBODY among them."""

    policy: QosPolicy
    shared_with: frozenset[str] = frozenset()


def views(tx: Tx, policies: Sequence[QosPolicy]) -> tuple[QosPolicyView, ...]:
    """The policies with what is derived for readers, in their order; one query."""
    shared_with = targets_of_policies(tx, [policy.id for policy in policies])
    return tuple(QosPolicyView(policy, shared_with.get(policy.id, frozenset())) for policy in policies)


def create(tx: Tx, new: NewQosPolicy) -> QosPolicy:
    """The new policy, without rules; raises Conflict `default_exists` for a second default of the project."""
    _check_default(tx, new.project_id, new.is_default, None)
    policy = QosPolicy(
        id=QosPolicyId(tx.new_id()),
        project_id=new.project_id,
        name=new.name,
        created_at=tx.now,
        updated_at=tx.now,
        description=new.description,
        is_default=new.is_default,
        tags=new.tags,
    )
    tx.qos_policies.add(policy)
    if new.shared:
        share_with_everybody(tx, policy, wanted=True)
    return policy


def update(
    tx: Tx, policy_id: QosPolicyId, changes: QosPolicyChanges, revision: int | None = None
) -> QosPolicy:
    """The changed policy; raises NotFound, Conflict `revision`, `default_exists`, `sharing_in_use`."""
    policy = tx.qos_policies.lock(policy_id)
    check_revision(policy, revision)
    if isinstance(changes.shared, bool):
        share_with_everybody(tx, policy, wanted=changes.shared)
    changed = applied(replace, policy, replace(changes, shared=UNSET), updated_at=tx.now)
    _check_default(tx, policy.project_id, changed.is_default, policy_id)
    return tx.qos_policies.put(changed)


def delete(tx: Tx, policy_id: QosPolicyId, revision: int | None = None) -> None:
    """The policy is gone; raises NotFound, Conflict `in_use` that names who has it, Conflict `revision`."""
    policy = tx.qos_policies.lock(policy_id)
    check_revision(policy, revision)
    users = [f"network {network.name or network.id}" for network in tx.networks.find(qos_policy_id=policy_id)]
    if ports := tx.ports.find(qos_policy_id=policy_id):
        users.append(in_words(tx, ports, policy.project_id))
    if users:
        raise Conflict(
            "in_use",
            f"QoS Policy {policy.name or policy_id} is used by {', '.join(users)}.",
            field="QoS policy",
        )
    tx.qos_policies.remove(policy_id)


def add_rule(tx: Tx, policy_id: QosPolicyId, rule: QosRule) -> QosRule:
    """The rule, in force at once; raises InvalidValue, Conflict `rule_conflict`, `bound`."""
    policy = tx.qos_policies.lock(policy_id)
    if any((other.kind, other.direction) == (rule.kind, rule.direction) for other in policy.rules):
        raise Conflict(
            "rule_conflict",
            f"Rule {rule.kind.value} conflicts with another rule of that type and direction in QoS Policy "
            f"{policy_id}.",
        )
    _put_rules(tx, policy, (*policy.rules, rule))
    return rule


def change_rule(
    tx: Tx,
    policy_id: QosPolicyId,
    kind: QosRuleKind,
    rule_id: QosRuleId,
    changes: QosRuleChanges,
    revision: int | None = None,
) -> QosRule:
    """The changed rule, in force at once; `revision` is that of its policy. Raises as add_rule, and NotFound, Conflict
    `revision`.
    """
    policy = tx.qos_policies.lock(policy_id)
    check_revision(policy, revision)
    old = rule_of(policy, kind, rule_id)
    new = applied(replace, old, changes)
    _put_rules(tx, policy, tuple(new if rule is old else rule for rule in policy.rules))
    return new


def remove_rule(
    tx: Tx, policy_id: QosPolicyId, kind: QosRuleKind, rule_id: QosRuleId, revision: int | None = None
) -> None:
    """The rule is gone, and out of force at once; raises NotFound, Conflict `bound`, `revision` (of its policy)."""
    policy = tx.qos_policies.lock(policy_id)
    check_revision(policy, revision)
    gone = rule_of(policy, kind, rule_id)
    _put_rules(tx, policy, tuple(rule for rule in policy.rules if rule is not gone))


def rule_of(policy: QosPolicy, kind: QosRuleKind, rule_id: QosRuleId) -> QosRule:
    """The policy's rule of that kind and id; raises NotFound."""
    found = next((rule for rule in policy.rules if rule.id == rule_id and rule.kind is kind), None)
    if found is None:
        raise NotFound("QoS rule", rule_id)
    return found


def default_of(tx: Tx, project_id: ProjectId) -> QosPolicyId | None:
    """The policy that the project's new networks get, or None."""
    found = tx.qos_policies.find(project_id=project_id, is_default=True)
    return found[0].id if found else None


def _put_rules(tx: Tx, policy: QosPolicy, rules: tuple[QosRule, ...]) -> None:
    changed = replace(policy, rules=rules, updated_at=tx.now)
    _check_rules(changed)
    change_nics(tx, nics_of(tx, _ports_under(tx, policy.id)), lambda nic: replace(nic, qos=changed))
    tx.qos_policies.put(changed)


def _ports_under(tx: Tx, policy_id: QosPolicyId) -> tuple[Port, ...]:
    own = tx.ports.find(qos_policy_id=policy_id)
    networks: tuple[NetworkId, ...] = tuple(n.id for n in tx.networks.find(qos_policy_id=policy_id))
    inherited = tx.ports.find(network_id=networks, qos_policy_id=None) if networks else ()
    return (*own, *inherited)


def _check_rules(policy: QosPolicy) -> None:
    for rule in policy.rules:
        if rule.direction is not Direction.EGRESS:
            raise InvalidValue(
                "direction", rule.direction.value, "egress: a VF rates only what its guest sends"
            )
        # A limit of nothing cannot be told: a VF takes rate 0 for no limit.
        least = 1 if rule.kind is QosRuleKind.BANDWIDTH_LIMIT else 0
        if not least <= rule.kbps <= MOST_KBPS:
            raise InvalidValue("rate", rule.kbps, f"{least} to {MOST_KBPS} kbit/s")
        if not 0 <= rule.max_burst_kbps <= MOST_KBPS:
            raise InvalidValue("max_burst_kbps", rule.max_burst_kbps, f"0 to {MOST_KBPS} kbit")
    limit, minimum = egress_limit_kbps(policy), egress_minimum_kbps(policy)
    if limit is not None and minimum is not None and limit < minimum:
        raise Conflict(
            "rule_conflict",
            f"In QoS Policy {policy.name or policy.id} the limit of {limit} kbit/s is below the minimum of "
            f"{minimum} kbit/s.",
        )


def _check_default(tx: Tx, project_id: ProjectId, is_default: bool, own: QosPolicyId | None) -> None:  # noqa: FBT001
    if not is_default:
        return
    others = tx.qos_policies.find(project_id=project_id, is_default=True)
    if any(policy.id != own for policy in others):
        raise Conflict(
            "default_exists", f"Project {project_id} already has a default QoS policy: {others[0].id}."
        )
