"""Guest NUMA cells and device NUMA policies, as Nova's users know them (nova/tests/unit/pci/test_stats.py)."""

import pytest

from fairlead.model.numa import GuestCell, NumaPolicy
from fairlead.placement.boundary import Fit
from fairlead.placement.boundary import ReasonCode as Code
from fairlead.placement.fits import fits
from tests.unit.placement.rows import family, near, nodes, request, vf, view

REQUIRED, LEGACY = NumaPolicy.REQUIRED, NumaPolicy.LEGACY
PREFERRED, SOCKET = NumaPolicy.PREFERRED, NumaPolicy.SOCKET
TWO = nodes(0, 1)
BIG = 30_000
"""MiB that only an empty node has."""


def on_nodes(*numa_nodes):
    """A PF with one VF for each node given, None for unknown, at slots 1, 2, 3..."""
    return [
        device for slot, node in enumerate(numa_nodes, 1) for device in family("h1", slot, 1, numa_node=node)
    ]


def node_full(*full):
    return tuple((node, 32_768) for node in full)


def outcome(devices, numa, wanted, full=()):
    """(host nodes of the cells, NUMA nodes of the devices), or the code of the reason."""
    host = view(devices, numa, numa_memory_used=node_full(*full))
    fit = fits(host, wanted)
    if not isinstance(fit, Fit):
        return fit[0].code
    places = {made.family_id: made.numa_node for made in host.families}
    return [cell.host_node for cell in fit.cells], [places[grant.family_id] for grant in fit.grants]


@pytest.mark.parametrize(
    ("devices", "policy", "count", "expected"),
    [
        ((0, 1, None), REQUIRED, 1, [0]),
        ((0, 1, None), LEGACY, 1, [0]),
        ((1,), LEGACY, 1, Code.NUMA_POLICY),
        ((1,), REQUIRED, 1, Code.NUMA_POLICY),
        ((None,), REQUIRED, 1, Code.NUMA_POLICY),
        ((None,), LEGACY, 1, [None]),
        ((None, 1), PREFERRED, 1, [None]),
        ((0, 1, None), PREFERRED, 1, [0]),
        ((0, 1, None), PREFERRED, 2, [0, None]),
        ((0, 1, None), PREFERRED, 3, [0, 1, None]),
        ((1,), PREFERRED, 1, [1]),
    ],
)
def test_devices_for_a_guest_on_node_0(devices, policy, count, expected):
    wanted = request(*near(policy, count), numa_nodes=1, memory_mib=BIG)
    found = outcome(on_nodes(*devices), TWO, wanted, full=(1,))
    if isinstance(expected, Code):
        assert found is expected
    else:
        assert found[0] == [0]
        assert sorted(found[1], key=str) == sorted(expected, key=str)


@pytest.mark.parametrize("policy", [LEGACY, PREFERRED])
def test_without_cells_no_policy_holds(policy):
    assert outcome(on_nodes(1), TWO, request(*near(policy))) == ([], [1])


def test_a_required_device_gives_the_guest_a_cell_and_takes_it_along():
    assert outcome(on_nodes(1), TWO, request(*near(REQUIRED))) == ([1], [1])


@pytest.mark.parametrize(
    ("sockets", "cells", "full", "expected"),
    [
        ((0, 0), 1, (1,), ([0], [1])),
        ((0, 1), 1, (1,), Code.NUMA_POLICY),
        ((None, None), 1, (1,), Code.NUMA_POLICY),
    ],
)
def test_socket_policy(sockets, cells, full, expected):
    wanted = request(*near(SOCKET), numa_nodes=cells, memory_mib=BIG)
    assert outcome(on_nodes(1), nodes(*sockets), wanted, full) == expected


def test_socket_policy_with_three_cells_beside_the_device():
    wanted = request(*near(SOCKET), numa_nodes=3, vcpus=3, memory_mib=3 * 1_024)
    found = outcome(on_nodes(0), nodes(0, 0, 1, 1), wanted, full=(0,))
    assert found == ([1, 2, 3], [0])


def test_cells_are_of_one_size_and_on_nodes_of_their_own():
    fit = fits(view((), TWO), request(numa_nodes=2, vcpus=4, memory_mib=4_096))
    assert fit == Fit((GuestCell(0, 2, 2_048), GuestCell(1, 2, 2_048)), ())


def test_a_cell_needs_one_node_with_room_for_all_of_it():
    assert outcome((), TWO, request(numa_nodes=1, memory_mib=40_000)) is Code.NUMA
    assert outcome((), TWO, request(numa_nodes=2, memory_mib=40_000)) == ([0, 1], [])
    assert outcome((), TWO, request(numa_nodes=1, vcpus=17)) is Code.NUMA
    assert outcome((), (), request(numa_nodes=1)) is Code.NUMA


def test_the_cell_goes_where_all_devices_can_be_near_it():
    devices = [*on_nodes(0, 0, 0), *family("h1", 9, 1, numa_node=1, tags=("fast",))]
    wanted = request(*near(REQUIRED), vf("p9", tags=("fast",), numa_policy=REQUIRED))
    assert outcome(devices, TWO, wanted) is Code.NOT_TOGETHER
    both = [*devices, *family("h1", 10, 1, numa_node=1)]
    assert outcome(both, TWO, wanted) == ([1], [1, 1])


def test_a_guest_with_devices_goes_where_they_are_and_one_without_leaves_them():
    devices = on_nodes(1, 1)
    assert outcome(devices, TWO, request(*near(LEGACY), numa_nodes=1)) == ([1], [1])
    assert outcome(devices, TWO, request(numa_nodes=1)) == ([0], [])


def test_preferred_devices_decide_the_node_when_both_would_do():
    devices = [*on_nodes(1), *family("h1", 5, 8)]
    assert outcome(devices, TWO, request(*near(PREFERRED), numa_nodes=1)) == ([1], [1])
