"""QoS policies and rules over HTTP."""

from msgspec import UNSET, Struct, UnsetType

from fairlead.access.rules import Target
from fairlead.api.answers import timestamp
from fairlead.api.bodies import built
from fairlead.api.call import Call
from fairlead.api.network import listing
from fairlead.api.network.requests import Name, Noun, project_of
from fairlead.api.network.resource import Resource
from fairlead.control import qos, subjects
from fairlead.control.boundary import Tx
from fairlead.control.qos import NewQosPolicy, QosPolicyChanges, QosPolicyView
from fairlead.control.sharing import is_shared_with
from fairlead.model.ids import ProjectId, QosPolicyId
from fairlead.model.qos import QosPolicy, QosRule, QosRuleKind


class PolicyForm(Struct, kw_only=True):
    """What POST takes."""

    name: Name
    project_id: Name | UnsetType = UNSET
    description: Name = ""
    shared: bool = False
    is_default: bool = False


class PolicyChangeForm(Struct, kw_only=True):
    """What PUT takes."""

    name: Name | UnsetType = UNSET
    description: Name | UnsetType = UNSET
    shared: bool | UnsetType = UNSET
    is_default: bool | UnsetType = UNSET


_NOUN = Noun(
    "policy",
    "policies",
    PolicyForm,
    PolicyChangeForm,
    shown=frozenset({"id", "rules", "tags", "created_at", "updated_at", "revision_number"}),
)
_LIST = listing.Collection(
    "policies",
    "QoS policy",
    (
        "id",
        "name",
        "description",
        "project_id",
        "shared",
        "is_default",
        "created_at",
        "updated_at",
        "revision_number",
    ),
    columns={"id": "id", "name": "name", "project_id": "project_id"},
)


def shown(view: QosPolicyView, project_id: ProjectId) -> listing.Shown:
    """The policy as clients of that project see it, with its rules."""
    policy = view.policy
    return {
        "id": policy.id,
        "name": policy.name,
        "description": policy.description,
        "project_id": policy.project_id,
        "tenant_id": policy.project_id,
        "shared": is_shared_with(view.shared_with, project_id),
        "is_default": policy.is_default,
        "rules": [
            {**rule_shown(rule), "type": rule.kind.value, "qos_policy_id": policy.id} for rule in policy.rules
        ],
        "tags": list(policy.tags),
        "created_at": timestamp(policy.created_at),
        "updated_at": timestamp(policy.updated_at),
        "revision_number": policy.revision,
    }


def rule_shown(rule: QosRule) -> listing.Shown:
    """The rule as clients see it."""
    body: listing.Shown = {"id": rule.id, "direction": rule.direction.value}
    match rule.kind:
        case QosRuleKind.BANDWIDTH_LIMIT:
            return {**body, "max_kbps": rule.kbps, "max_burst_kbps": rule.max_burst_kbps}
        case QosRuleKind.MINIMUM_BANDWIDTH:
            return {**body, "min_kbps": rule.kbps}


def _new(call: Call, form: PolicyForm) -> NewQosPolicy:
    return built(NewQosPolicy, form, project_id=project_of(call, form.project_id))


def _viewed(tx: Tx, policy: QosPolicy) -> QosPolicyView:
    return qos.views(tx, (policy,))[0]


POLICIES = Resource(
    noun=_NOUN,
    subject=subjects.QOS_POLICY,
    collection=_LIST,
    shown=shown,
    target=lambda view: subjects.of_policy(view.policy, view.shared_with),
    new=_new,
    new_target=lambda _, new: Target(new.project_id),
    create=lambda tx, new: _viewed(tx, qos.create(tx, new)),
    find=lambda tx, where: qos.views(tx, tx.qos_policies.find(**where)),
    fetch=lambda tx, subject: _viewed(tx, tx.qos_policies.fetch(subject)),
    update=lambda tx, subject, form, revision: _viewed(
        tx, qos.update(tx, QosPolicyId(subject), built(QosPolicyChanges, form), revision)
    ),
    remove=lambda tx, subject, revision: qos.delete(tx, QosPolicyId(subject), revision),
)
