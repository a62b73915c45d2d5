"""Rates that a NIC asks for itself, on a network whose QoS policy says some: no cap is lifted by who boots a server."""

import pytest

from fairlead.control import networks, qos
from fairlead.control.networks import NetworkChanges
from fairlead.control.qos import NewQosPolicy
from fairlead.control.requests import nics_of, ports_of
from fairlead.model.errors import InvalidValue
from fairlead.model.ids import QosRuleId
from fairlead.model.qos import Direction, QosRule, QosRuleKind
from tests.control_world import CALLER, World

KBPS = 1000


@pytest.fixture(autouse=True)
def capped(world: World) -> None:
    """The network lets 50 Mbit/s pass, and promises 20."""
    rates = {QosRuleKind.BANDWIDTH_LIMIT: 50 * KBPS, QosRuleKind.MINIMUM_BANDWIDTH: 20 * KBPS}
    with world.database.transaction() as tx:
        made = qos.create(tx, NewQosPolicy(CALLER.project_id, "cap"))
        for kind, kbps in rates.items():
            qos.add_rule(tx, made.id, QosRule(QosRuleId(tx.new_id()), kind, Direction.EGRESS, kbps))
        networks.update(tx, world.network_id, NetworkChanges(qos_policy_id=made.id))


@pytest.mark.parametrize("asked", [{"max_mbps": 51}, {"min_mbps": 51}])
def test_no_nic_lifts_the_cap(world: World, asked: dict[str, int]) -> None:
    with pytest.raises(InvalidValue, match="at most 50, by QoS policy cap of network") as refusal:
        world.boot("web", world.direct(**asked))
    assert refusal.value.field == next(iter(asked))


@pytest.mark.parametrize(
    ("asked", "held"),
    [
        ({"max_mbps": 40}, (40, 20)),
        ({"min_mbps": 30}, (50, 30)),
        ({"max_mbps": 10}, (10, 10)),
        ({}, (50, 20)),
    ],
)
def test_what_a_nic_does_not_ask_for_is_as_its_network_has_it(
    world: World, asked: dict[str, int], held: tuple[int, int]
) -> None:
    server = world.boot("web", world.direct(**asked))
    (nic,) = world.engine.run(lambda tx: nics_of(tx, ports_of(tx, server.ports)))
    assert (nic.settings.max_kbps, nic.settings.min_kbps) == tuple(KBPS * mbps for mbps in held)
