"""A device for a guest that is there: as near to its cells as its policy says, and nothing of the guest placed anew."""

import pytest

from fairlead.model.numa import GuestCell, NumaPolicy
from fairlead.placement.beside import fits_beside
from fairlead.placement.boundary import Fit, ReasonCode
from tests.unit.placement.rows import family, near, nodes, request, vf, view

TWO = nodes(0, 1)
ON_NODE_0 = (GuestCell(0, 2, 2_048),)


def on_nodes(*numa_nodes: int | None):
    """A PF with one VF for each node given, None for unknown."""
    return [
        device for slot, node in enumerate(numa_nodes, 1) for device in family("h1", slot, 1, numa_node=node)
    ]


@pytest.mark.parametrize(
    ("devices", "policy", "expected"),
    [
        ((1, 0), NumaPolicy.REQUIRED, 0),
        ((1, None), NumaPolicy.REQUIRED, ReasonCode.NUMA_POLICY),
        ((1, None), NumaPolicy.LEGACY, None),
        ((1,), NumaPolicy.LEGACY, ReasonCode.NUMA_POLICY),
        ((1, 0), NumaPolicy.PREFERRED, 0),
        ((1,), NumaPolicy.PREFERRED, 1),
        ((1,), NumaPolicy.SOCKET, ReasonCode.NUMA_POLICY),
        ((1, 0), NumaPolicy.SOCKET, 0),
    ],
)
def test_it_is_as_near_as_its_policy_says(devices, policy, expected):
    host = view(on_nodes(*devices), TWO)
    fit = fits_beside(host, request(*near(policy)), ON_NODE_0)
    if not isinstance(fit, Fit):
        assert fit[0].code is expected
        return
    places = {made.family_id: made.numa_node for made in host.families}
    assert [places[grant.family_id] for grant in fit.grants] == [expected]


def test_the_guest_itself_needs_nothing_more_of_a_host_that_is_full():
    host = view(on_nodes(0), TWO, vcpus_used=10_000, memory_mib_used=10_000_000)
    assert isinstance(fits_beside(host, request(vf()), ()), Fit)


def test_a_host_that_takes_no_new_servers_serves_those_it_has():
    host = view(on_nodes(0), TWO, why_not="it is disabled", is_disabled=True)
    assert isinstance(fits_beside(host, request(vf()), ()), Fit)


def test_a_host_that_is_not_heard_of_gives_nothing():
    host = view(on_nodes(0), TWO, why_not="it is silent")
    (reason,) = fits_beside(host, request(vf()), ())
    assert reason.code is ReasonCode.HOST_UNAVAILABLE


def test_what_is_not_there_is_said_as_at_a_boot():
    (reason,) = fits_beside(view(on_nodes(0), TWO), request(vf(network="physnet9")), ())
    assert reason.code is ReasonCode.NO_PHYSICAL_NETWORK
