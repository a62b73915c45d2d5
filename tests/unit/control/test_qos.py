"""QoS policies and their rules."""

from collections.abc import Iterator

import pytest

from fairlead.control import networks, qos
from fairlead.control.boundary import Tx
from fairlead.control.networks import NewNetwork
from fairlead.control.qos import NewQosPolicy, QosPolicyChanges, QosRuleChanges
from fairlead.model.errors import Conflict, InvalidValue, NotFound
from fairlead.model.ids import ProjectId, QosPolicyId, QosRuleId
from fairlead.model.qos import Direction, QosPolicy, QosRule, QosRuleKind
from fairlead.store.engine import open_database

PROJECT = ProjectId("project")
LIMIT, MINIMUM = QosRuleKind.BANDWIDTH_LIMIT, QosRuleKind.MINIMUM_BANDWIDTH


@pytest.fixture
def tx() -> Iterator[Tx]:
    database = open_database("sqlite://")
    with database.transaction() as opened:
        yield opened
    database.close()


def policy(tx: Tx, **more: object) -> QosPolicy:
    return qos.create(tx, NewQosPolicy(PROJECT, "p", **more))  # type: ignore[arg-type]


def rule(kind: QosRuleKind, kbps: int, **more: object) -> QosRule:
    found = {"direction": Direction.EGRESS, **more}
    return QosRule(QosRuleId(f"{kind.value}-{kbps}"), kind, kbps=kbps, **found)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bad",
    [
        rule(LIMIT, 1000, direction=Direction.INGRESS),
        rule(LIMIT, 0),
        rule(LIMIT, 2**31),
        rule(LIMIT, 1000, max_burst_kbps=-1),
        rule(MINIMUM, -1),
    ],
)
def test_rules_that_no_vf_can_serve_are_refused(tx, bad):
    with pytest.raises(InvalidValue):
        qos.add_rule(tx, policy(tx).id, bad)


def test_a_limit_is_not_below_the_minimum(tx):
    made = policy(tx)
    qos.add_rule(tx, made.id, rule(MINIMUM, 1000))
    with pytest.raises(Conflict):
        qos.add_rule(tx, made.id, rule(LIMIT, 999))
    limit = qos.add_rule(tx, made.id, rule(LIMIT, 1000))
    with pytest.raises(Conflict):
        qos.change_rule(tx, made.id, LIMIT, limit.id, QosRuleChanges(kbps=500))


def test_a_rule_is_found_by_its_own_kind_alone(tx):
    made = policy(tx)
    limit = qos.add_rule(tx, made.id, rule(LIMIT, 1000))
    with pytest.raises(NotFound):
        qos.remove_rule(tx, made.id, MINIMUM, limit.id)
    qos.remove_rule(tx, made.id, LIMIT, limit.id)
    assert tx.qos_policies.fetch(made.id).rules == ()


def test_the_default_policy_is_for_new_networks_that_say_nothing(tx):
    default = policy(tx, is_default=True)
    new = NewNetwork(PROJECT, physical_network="physnet1")
    assert networks.create(tx, new).network.qos_policy_id == default.id
    none = NewNetwork(PROJECT, physical_network="physnet1", qos_policy_id=None)
    assert networks.create(tx, none).network.qos_policy_id is None
    other = NewNetwork(ProjectId("other"), physical_network="physnet1")
    assert networks.create(tx, other).network.qos_policy_id is None


def test_a_project_has_one_default_policy(tx):
    first = policy(tx, is_default=True)
    with pytest.raises(Conflict):
        policy(tx, is_default=True)
    qos.update(tx, first.id, QosPolicyChanges(is_default=False))
    second = policy(tx, is_default=True)
    qos.update(tx, second.id, QosPolicyChanges(is_default=True, name="n"))
    with pytest.raises(Conflict):
        qos.update(tx, first.id, QosPolicyChanges(is_default=True))


def test_a_policy_that_is_not_there(tx):
    with pytest.raises(NotFound):
        qos.delete(tx, QosPolicyId("nowhere"))
