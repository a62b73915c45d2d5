"""Which host is taken, and what is said when none is."""

import pytest

from fairlead.model.ids import HostId
from fairlead.placement.boundary import HostOrder, Placed, Rejected
from fairlead.placement.boundary import ReasonCode as Code
from fairlead.placement.place import place
from fairlead.placement.snapshot import Fleet
from tests.unit.placement.rows import family, nodes, request, vf, vfs, view, whole

PACK, SPREAD = HostOrder.PACK, HostOrder.SPREAD


def on(name, devices=(), **fields):
    return view(devices, host_id=HostId(name), name=name, **fields)


def with_vfs(name, num_vfs, **fields):
    return on(name, family(name, 1, num_vfs), **fields)


def host_of(decision):
    assert isinstance(decision, Placed), decision
    return decision.host_id


def reasons(decision):
    assert isinstance(decision, Rejected), decision
    return {host.host_name: [reason.code for reason in host.reasons] for host in decision.hosts}


@pytest.mark.parametrize(("order", "expected"), [(PACK, "few"), (SPREAD, "many")])
def test_free_devices_that_would_serve_decide_the_order(order, expected):
    fleet = Fleet([with_vfs("few", 3), with_vfs("many", 9), with_vfs("one", 1)])
    assert host_of(place(fleet, request(*vfs(2)), order)) == expected


def test_devices_that_would_not_serve_do_not_count():
    other = on("h2", family("h2", 1, 2) + family("h2", 2, 60, physical_network="physnet2"))
    assert host_of(place(Fleet([with_vfs("h1", 9), other]), request(vf()), SPREAD)) == "h1"


@pytest.mark.parametrize(("order", "expected"), [(PACK, "fuller"), (SPREAD, "emptier")])
def test_memory_decides_between_hosts_with_as_many_devices(order, expected):
    fleet = Fleet([with_vfs("fuller", 4, memory_mib_used=9_000), with_vfs("emptier", 4)])
    assert host_of(place(fleet, request(vf()), order)) == expected


@pytest.mark.parametrize("order", [PACK, SPREAD])
def test_a_server_without_devices_leaves_the_hosts_that_have_some(order):
    fleet = Fleet(
        [with_vfs("h1", 4), on("h2", memory_mib_used=5_000), with_vfs("h3", 4, memory_mib_used=5_000)]
    )
    assert host_of(place(fleet, request(), order)) == "h2"


def test_the_same_arguments_decide_the_same_and_seeds_settle_ties_differently():
    fleet = Fleet(with_vfs(f"h{n}", 4) for n in range(50))
    backwards = Fleet(with_vfs(f"h{n}", 4) for n in reversed(range(50)))
    chosen = [host_of(place(fleet, request(vf()), PACK, seed=f"s{n}")) for n in range(20)]
    assert chosen == [host_of(place(backwards, request(vf()), PACK, seed=f"s{n}")) for n in range(20)]
    assert len(set(chosen)) > 5


def test_a_host_that_only_a_search_rules_out_is_passed_over():
    fleet = Fleet([on("h1", family("h1", 1, 4)), on("h2", family("h2", 1, 40) + family("h2", 2, 40))])
    assert host_of(place(fleet, request(vf(), whole()), PACK)) == "h2"


@pytest.mark.parametrize("asked", ["h2", "uuid-2"])
def test_a_host_may_be_asked_for_by_name_or_id(asked):
    fleet = Fleet([with_vfs("h1", 4), view(family("h2", 1), host_id=HostId("uuid-2"), name="h2")])
    assert host_of(place(fleet, request(vf(), host=asked), PACK)) == "uuid-2"


def test_the_host_asked_for_may_not_do_while_another_would():
    fleet = Fleet([with_vfs("h1", 4), with_vfs("h2", 0)])
    assert reasons(place(fleet, request(vf(), host="h2"), PACK)) == {
        "h1": [Code.NOT_ASKED_FOR],
        "h2": [Code.NOT_ENOUGH_DEVICES],
    }


def test_a_refusal_tells_every_host_in_name_order():
    fleet = Fleet(
        [
            on("c", family("c", 1, numa_node=1), vcpus_used=31),
            with_vfs("b", 1),
            with_vfs("d", 9, why_not="disabled"),
            on("a", family("a", 1, physical_network="physnet2")),
        ]
    )
    decision = place(fleet, request(*vfs(2)), PACK)
    assert reasons(decision) == {
        "a": [Code.NO_PHYSICAL_NETWORK],
        "b": [Code.NOT_ENOUGH_DEVICES],
        "c": [Code.VCPUS],
        "d": [Code.HOST_UNAVAILABLE],
    }
    assert list(reasons(decision)) == ["a", "b", "c", "d"]


def test_an_empty_fleet_refuses_without_reasons():
    assert place(Fleet(), request(), PACK) == Rejected(())


def test_ordinary_vnics_go_where_their_networks_are_bridged():
    both = family("h2", 1) + family("h2", 2, physical_network="physnet2")
    fleet = Fleet([with_vfs("h1", 4), on("h2", both)])
    assert host_of(place(fleet, request(bridged_networks=("physnet1", "physnet2")), PACK)) == "h2"


def test_bandwidth_and_cells_rule_hosts_out():
    fleet = Fleet([on("h1", family("h1", 1, egress_mbps=1)), with_vfs("h2", 9)])
    assert host_of(place(fleet, request(vf(egress_kbps=2_000)), PACK)) == "h2"
    roomy = Fleet([view(numa=nodes(0, 1)), on("h2")])
    assert host_of(place(roomy, request(numa_nodes=2), PACK)) == "h1"


def test_the_fleet_follows_what_is_replaced_and_removed():
    fleet = Fleet([with_vfs("h1", 1), with_vfs("h2", 4)])
    fleet.replace([with_vfs("h1", 0)])
    assert host_of(place(fleet, request(vf()), PACK)) == "h2"
    fleet.remove(HostId("h2"))
    assert reasons(place(fleet, request(vf()), PACK)) == {"h1": [Code.NOT_ENOUGH_DEVICES]}
