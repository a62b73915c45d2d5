"""A network with larger frames than its PF carries is not passed over in silence."""

from dataclasses import replace

import pytest

from fairlead.control import policies
from fairlead.control.boundary import Tx
from fairlead.control.nics import BootNics
from fairlead.control.policies import PolicyChanges
from fairlead.model.host import Hold
from fairlead.model.server import ServerStatus
from tests.control_world import EnrolledHost, World


def holds(world: World, host: EnrolledHost) -> tuple[Hold, ...]:
    return world.engine.run(lambda tx: tx.hosts.fetch(host.id)).holds


@pytest.mark.parametrize("kind", ["direct", "normal"])
def test_a_network_of_larger_frames_than_its_pf_is_a_hold_until_the_policy_says_more(
    world: World, kind: str
) -> None:
    def widen(tx: Tx) -> None:
        tx.networks.put(replace(tx.networks.fetch(world.network_id), mtu=9000))

    policy = world.policy()
    host = world.host()
    world.engine.run(widen)
    nics: BootNics = world.direct() if kind == "direct" else world.normal()
    server = world.run_server(host, "web", nics)
    assert server.status is ServerStatus.ACTIVE
    (hold,) = holds(world, host)
    assert hold.what == "carry frames of 9000 octets"
    assert hold.reason == "its MTU is 1500: set mtu 9000 in its device policy"
    assert hold.holders == ("server web",)
    world.engine.run(lambda tx: policies.update(tx, policy.id, PolicyChanges(mtu=9000)))
    host.settle()
    assert holds(world, host) == ()
