"""Rules of QoS policies over HTTP, one family of handlers for each kind of rule."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field
from starlette.responses import Response

from fairlead.api.answers import document, empty
from fairlead.api.bodies import built
from fairlead.api.call import Call
from fairlead.api.network import listing
from fairlead.api.network.qos import rule_shown
from fairlead.api.network.requests import Noun, expected_revision, posted_alone, put, refuse_body
from fairlead.api.routes import Route
from fairlead.control import qos
from fairlead.control.boundary import Tx
from fairlead.control.qos import QosRuleChanges
from fairlead.control.subjects import QOS_POLICY, QOS_RULE
from fairlead.model.binding import VifType
from fairlead.model.errors import NotFound
from fairlead.model.ids import QosPolicyId, QosRuleId
from fairlead.model.qos import Direction, QosRule, QosRuleKind

_Rate = Annotated[int, Meta(ge=0, le=qos.MOST_KBPS)]


class LimitForm(Struct, kw_only=True):
    """What POST takes of a bandwidth limit."""

    kbps: _Rate = field(name="max_kbps")
    max_burst_kbps: _Rate = 0
    direction: Direction = Direction.EGRESS


class LimitChangeForm(Struct, kw_only=True):
    """What PUT takes of a bandwidth limit."""

    kbps: _Rate | UnsetType = field(default=UNSET, name="max_kbps")
    max_burst_kbps: _Rate | UnsetType = UNSET
    direction: Direction | UnsetType = UNSET


class MinimumForm(Struct, kw_only=True):
    """What POST takes of a minimum bandwidth."""

    kbps: _Rate = field(name="min_kbps")
    direction: Direction = Direction.EGRESS


class MinimumChangeForm(Struct, kw_only=True):
    """What PUT takes of a minimum bandwidth."""

    kbps: _Rate | UnsetType = field(default=UNSET, name="min_kbps")
    direction: Direction | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class _Family:
    """The rules of one kind."""

    kind: QosRuleKind
    noun: Noun[Struct, Struct]

    def create(self, call: Call, policy_id: str) -> Response:
        """POST on the policy's rules."""
        form = posted_alone(call, self.noun).form

        def work(tx: Tx) -> QosRule:
            rule = built(QosRule, form, id=QosRuleId(tx.new_id()), kind=self.kind)
            return qos.add_rule(tx, QosPolicyId(policy_id), rule)

        return document({self.noun.singular: rule_shown(call.run(work))}, 201)

    def index(self, call: Call, policy_id: str) -> Response:
        """GET on the policy's rules."""
        policy = call.run(lambda tx: tx.qos_policies.fetch(policy_id))
        rows = [rule_shown(rule) for rule in policy.rules if rule.kind is self.kind]
        return listing.answer(call, self._list(), rows)

    def show(self, call: Call, policy_id: str, rule_id: str) -> Response:
        """GET of one rule."""
        policy = call.run(lambda tx: tx.qos_policies.fetch(policy_id))
        rule = qos.rule_of(policy, self.kind, QosRuleId(rule_id))
        return document({self.noun.singular: listing.only_fields(call, rule_shown(rule))})

    def update(self, call: Call, policy_id: str, rule_id: str) -> Response:
        """PUT of one rule. If-Match names the revision of its policy: a rule has none of its own."""
        changes, revision = built(QosRuleChanges, put(call, self.noun).form), expected_revision(call)

        def work(tx: Tx) -> QosRule:
            of_policy, rule = QosPolicyId(policy_id), QosRuleId(rule_id)
            return qos.change_rule(tx, of_policy, self.kind, rule, changes, revision)

        return document({self.noun.singular: rule_shown(call.run(work))})

    def delete(self, call: Call, policy_id: str, rule_id: str) -> Response:
        """DELETE of one rule."""
        refuse_body(call)
        revision = expected_revision(call)

        def work(tx: Tx) -> None:
            qos.remove_rule(tx, QosPolicyId(policy_id), self.kind, QosRuleId(rule_id), revision)

        call.run(work)
        return empty()

    def without_policy(self, handler: Callable[..., Response]) -> Callable[[Call, str], Response]:
        """The handler for paths that name the rule alone."""

        def found(call: Call, rule_id: str) -> Response:
            return handler(call, call.run(lambda tx: _policy_of(tx, rule_id)), rule_id)

        return found

    def _list(self) -> listing.Collection:
        rate = "max_kbps" if self.kind is QosRuleKind.BANDWIDTH_LIMIT else "min_kbps"
        return listing.Collection(self.noun.plural, "QoS rule", ("id", "direction", rate, "max_burst_kbps"))


_SHOWN = frozenset({"id", "qos_policy_id", "type"})
_FAMILIES = (
    _Family(
        QosRuleKind.BANDWIDTH_LIMIT,
        Noun("bandwidth_limit_rule", "bandwidth_limit_rules", LimitForm, LimitChangeForm, _SHOWN),
    ),
    _Family(
        QosRuleKind.MINIMUM_BANDWIDTH,
        Noun("minimum_bandwidth_rule", "minimum_bandwidth_rules", MinimumForm, MinimumChangeForm, _SHOWN),
    ),
)


def routes() -> tuple[Route, ...]:
    """The routes of every kind of rule, below its policy and by the rule's id alone."""
    return tuple(route for family in _FAMILIES for route in _routes(family))


def _routes(family: _Family) -> tuple[Route, ...]:
    below = f"/v2.0/qos/policies/{{}}/{family.noun.plural}"
    alone = f"/v2.0/qos/alias-{family.noun.plural.replace('_', '-')}/{{}}"
    name = family.noun.singular
    get, create, update, delete = (f"{verb}_policy_{name}" for verb in ("get", "create", "update", "delete"))
    return (
        Route("GET", below, family.index, get, QOS_POLICY),
        Route("POST", below, family.create, create, QOS_POLICY),
        Route("GET", f"{below}/{{}}", family.show, get, QOS_POLICY),
        Route("PUT", f"{below}/{{}}", family.update, update, QOS_POLICY),
        Route("DELETE", f"{below}/{{}}", family.delete, delete, QOS_POLICY),
        Route("GET", alone, family.without_policy(family.show), get, QOS_RULE),
        Route("PUT", alone, family.without_policy(family.update), update, QOS_RULE),
        Route("DELETE", alone, family.without_policy(family.delete), delete, QOS_RULE),
    )


def _policy_of(tx: Tx, rule_id: str) -> QosPolicyId:
    for policy in tx.qos_policies.find():
        if any(rule.id == rule_id for rule in policy.rules):
            return policy.id
    raise NotFound("QoS rule", rule_id)


_TYPES = listing.Collection(
    "rule_types",
    "QoS rule type",
    ("type",),
    # Whichever is asked for: what there is, every mechanism can do.
    special={"all_rules": lambda _row, _values: True, "all_supported": lambda _row, _values: True},
    key="type",
)


def rule_types(call: Call) -> Response:
    """GET /qos/rule-types."""
    return listing.answer(call, _TYPES, [{"type": kind.value} for kind in QosRuleKind])


def rule_type(call: Call, name: str) -> Response:
    """GET /qos/rule-types/{name}: what each mechanism can do with it."""
    kind = next((kind for kind in QosRuleKind if kind.value == name), None)
    if kind is None:
        raise NotFound("QoS rule type", name)
    names, least = _RULES[kind]
    parameters = [
        {"parameter_name": "direction", "parameter_type": "choices", "parameter_values": ["egress"]},
        *(_range(parameter, start) for parameter, start in least.items()),
    ]
    drivers = [{"name": name.value, "supported_parameters": parameters} for name in names]
    return document({"rule_type": {"type": kind.value, "drivers": drivers}})


_RULES: Mapping[QosRuleKind, tuple[tuple[VifType, ...], Mapping[str, int]]] = {
    # Neither knows a limit of nothing.
    QosRuleKind.BANDWIDTH_LIMIT: ((VifType.HW_VEB, VifType.BRIDGE), {"max_kbps": 1, "max_burst_kbps": 0}),
    QosRuleKind.MINIMUM_BANDWIDTH: ((VifType.HW_VEB,), {"min_kbps": 0}),
}
"""Which mechanisms can keep a rule of that kind, and the least of each of its numbers."""


def _range(name: str, least: int) -> dict[str, object]:
    values = {"start": least, "end": qos.MOST_KBPS}
    return {"parameter_name": name, "parameter_type": "range", "parameter_values": values}
