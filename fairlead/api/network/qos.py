"""QoS policies and rules over HTTP."""

from msgspec import UNSET, Struct, UnsetType
from starlette.responses import Response

from fairlead.api.answers import document, empty, timestamp
from fairlead.api.bodies import built
from fairlead.api.call import Call
from fairlead.api.network import listing
from fairlead.api.network.requests import (
    Name,
    Noun,
    expected_revision,
    posted,
    project_of,
    put,
    refuse_body,
)
from fairlead.control import qos
from fairlead.control.boundary import Tx
from fairlead.control.qos import NewQosPolicy, QosPolicyChanges
from fairlead.model.ids import QosPolicyId
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
    "qos policy",
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


def create(call: Call) -> Response:
    """POST /qos/policies, one or several, all or none."""
    forms, in_bulk = posted(call, _NOUN)
    wanted = [built(NewQosPolicy, form, project_id=project_of(call, form.project_id)) for form in forms]

    def work(tx: Tx) -> list[QosPolicy]:
        return [qos.create(tx, new) for new in wanted]

    made = [shown(policy) for policy in call.run(work)]
    return document({"policies": made} if in_bulk else {"policy": made[0]}, 201)


def index(call: Call) -> Response:
    """GET /qos/policies."""
    where = listing.where(call, _LIST)
    found = call.run(lambda tx: tx.qos_policies.find(**where))
    return listing.answer(call, _LIST, [shown(policy) for policy in found])


def show(call: Call, policy_id: str) -> Response:
    """GET /qos/policies/{id}."""
    policy = call.run(lambda tx: tx.qos_policies.fetch(policy_id))
    return document({"policy": listing.only_fields(call, shown(policy))})


def update(call: Call, policy_id: str) -> Response:
    """PUT /qos/policies/{id}."""
    changes = built(QosPolicyChanges, put(call, _NOUN))
    revision = expected_revision(call)
    policy = call.run(lambda tx: qos.update(tx, QosPolicyId(policy_id), changes, revision))
    return document({"policy": shown(policy)})


def delete(call: Call, policy_id: str) -> Response:
    """DELETE /qos/policies/{id}."""
    refuse_body(call)
    revision = expected_revision(call)
    call.run(lambda tx: qos.delete(tx, QosPolicyId(policy_id), revision))
    return empty()


def shown(policy: QosPolicy) -> listing.Shown:
    """The policy as clients see it, with its rules."""
    return {
        "id": policy.id,
        "name": policy.name,
        "description": policy.description,
        "project_id": policy.project_id,
        "tenant_id": policy.project_id,
        "shared": policy.shared,
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
