"""Placing, claiming and releasing random servers on random fleets: nothing is given twice, nothing is missed."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairlead.model.ids import HostId
from fairlead.model.invariants import audit
from fairlead.model.request import HostLeaning, HostRule
from fairlead.placement.boundary import Fit, HostOrder, Placed, ReasonCode
from fairlead.placement.explain import explain
from fairlead.placement.filters import candidates
from fairlead.placement.fits import fits
from fairlead.placement.need import need_of
from fairlead.placement.place import place
from fairlead.placement.snapshot import Fleet
from tests.property.placement_world import (
    could_fit,
    crowded_hosts,
    greedy_requests,
    grouped_worlds,
    mixed_requests,
    overbooked,
    requests,
    worlds,
)

bounded = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
orders = st.sampled_from(HostOrder)


def assert_sound(world):
    assert audit(world.facts()) == ()
    assert list(overbooked(world)) == []


@given(worlds(), st.data())
@settings(bounded, max_examples=120)
def test_servers_come_and_go_and_nothing_is_given_twice(world, data):
    come_and_go(world, data, requests())


@given(crowded_hosts(), st.data())
@settings(bounded, max_examples=300)
def test_servers_come_and_go_on_a_crowded_host(world, data):
    come_and_go(world, data, greedy_requests(devices=(0, 4)))


@given(grouped_worlds(), st.data())
@settings(bounded, max_examples=400)
def test_servers_come_and_go_where_devices_share_iommu_groups(world, data):
    come_and_go(world, data, mixed_requests())


@given(grouped_worlds(), st.lists(mixed_requests(), min_size=1, max_size=2), mixed_requests())
@settings(bounded, max_examples=200)
def test_a_server_gets_more_devices_of_the_groups_that_it_has(world, first, wanted):
    (host_id,) = world.hosts
    for number, each in enumerate(first):
        fit = fits(world.fleet.view(host_id), each)
        if isinstance(fit, Fit):
            world.claim(f"s{number}", each, Placed(host_id, fit))
    assert isinstance(fits(world.view_for("s0", host_id), wanted), Fit) == could_fit(
        world, host_id, wanted, "s0"
    )


@given(grouped_worlds(), mixed_requests())
@settings(bounded, max_examples=200)
def test_a_host_whose_iommu_groups_keep_a_server_away_says_so(world, wanted):
    (view,) = world.fleet
    fit = fits(view, wanted)
    assert isinstance(fit, Fit) == could_fit(world, view.host_id, wanted)
    if not isinstance(fit, Fit):
        assert all(reason.message and reason.about for reason in fit)


def come_and_go(world, data, wishes):
    """Boots, deletions and scrubs in any order; after each the rows are sound and no fit was missed."""
    living, leaving = [], []
    for number in range(data.draw(st.integers(1, 10), label="actions")):
        action = data.draw(st.sampled_from(["boot", "boot", "boot", "delete", "scrub"]), label="action")
        if action == "boot":
            wanted = data.draw(wishes, label="wanted")
            decision = place(world.fleet, wanted, data.draw(orders), seed=str(number))
            possible = [host_id for host_id in world.hosts if could_fit(world, host_id, wanted)]
            assert isinstance(decision, Placed) == bool(possible)
            if isinstance(decision, Placed):
                assert decision.host_id in possible
                world.claim(f"s{number}", wanted, decision)
                living.append(f"s{number}")
        elif action == "delete" and living:
            leaving.append(living.pop(data.draw(st.integers(0, len(living) - 1))))
            world.release(leaving[-1])
        elif action == "scrub" and leaving:
            world.scrubbed(leaving.pop(0))
        assert_sound(world)


@st.composite
def host_rules(draw, world):
    """Rules about some of the world's hosts, and one that no snapshot knows."""
    names = st.sampled_from([*sorted(world.hosts), HostId("elsewhere")])
    rule = st.builds(HostRule, st.frozensets(names), st.booleans(), st.just("is ruled out"))
    return tuple(draw(st.lists(rule, max_size=3)))


@given(worlds(), requests(), orders, st.data())
@settings(bounded, max_examples=150)
def test_a_rule_is_never_broken_and_never_keeps_a_server_from_a_host_that_it_admits(
    world, wanted, order, data
):
    rules = data.draw(host_rules(world), label="rules")
    possible = {
        host_id
        for host_id in world.hosts
        if could_fit(world, host_id, wanted) and all(rule.admits(host_id) for rule in rules)
    }
    decision = place(world.fleet, replace(wanted, rules=rules), order)
    assert isinstance(decision, Placed) == bool(possible)
    if isinstance(decision, Placed):
        assert decision.host_id in possible
    else:
        for host in decision.hosts:
            is_ruled_out = not all(rule.admits(host.host_id) for rule in rules)
            assert (host.reasons[0].code is ReasonCode.RULED_OUT) == is_ruled_out


@given(worlds(), requests(), orders, st.data())
@settings(bounded, max_examples=100)
def test_a_leaning_is_followed_among_the_hosts_that_do(world, wanted, order, data):
    counts = {host_id: data.draw(st.integers(0, 3)) for host_id in sorted(world.hosts)}
    is_towards = data.draw(st.booleans())
    leaning = HostLeaning(tuple(counts.items()), is_towards=is_towards)
    decision = place(world.fleet, replace(wanted, leanings=(leaning,)), order)
    possible = [counts[host_id] for host_id in world.hosts if could_fit(world, host_id, wanted)]
    assert isinstance(decision, Placed) == bool(possible)
    if isinstance(decision, Placed):
        assert counts[decision.host_id] == (max if is_towards else min)(possible)


@given(worlds(hosts=1, slots=(1, 4)), requests(), requests(devices=(2, 4)))
@settings(bounded, max_examples=300)
def test_a_fit_is_found_exactly_where_there_is_one(world, first, second):
    for name, wanted in (("s1", first), ("s2", second)):
        (host_id,) = world.hosts
        fit = fits(world.fleet.view(host_id), wanted)
        assert isinstance(fit, Fit) == could_fit(world, host_id, wanted)
        if isinstance(fit, Fit):
            world.claim(name, wanted, Placed(host_id, fit))
            assert_sound(world)


@given(crowded_hosts(), greedy_requests())
@settings(bounded, max_examples=400)
def test_scarce_devices_and_bandwidth_are_packed_if_they_can_be(world, wanted):
    (host_id,) = world.hosts
    fit = fits(world.fleet.view(host_id), wanted)
    assert isinstance(fit, Fit) == could_fit(world, host_id, wanted)
    if isinstance(fit, Fit):
        world.claim("s1", wanted, Placed(host_id, fit))
        assert_sound(world)


@given(worlds(slots=(0, 4)), requests(), requests())
@settings(bounded, max_examples=150)
def test_the_filter_leaves_out_no_host_on_which_the_server_fits(world, first, second):
    for name, wanted in (("s1", first), ("s2", second)):
        could_do = candidates(world.fleet.columns, need_of(wanted)).could_do
        views = list(world.fleet)
        fitting = [(view, fits(view, wanted)) for view in views]
        for row, (_, fit) in enumerate(fitting):
            assert could_do[row] or not isinstance(fit, Fit)
        found = next(((view, fit) for view, fit in fitting if isinstance(fit, Fit)), None)
        if found:
            world.claim(name, wanted, Placed(found[0].host_id, found[1]))


@given(worlds(), requests(), requests(), orders)
@settings(bounded, max_examples=60)
def test_decisions_do_not_depend_on_how_the_snapshot_came_about(world, first, second, order):
    decision = place(world.fleet, first, order)
    if isinstance(decision, Placed):
        world.claim("s1", first, decision)
    rebuilt = Fleet(reversed(list(world.fleet)))
    assert place(rebuilt, second, order, "seed") == place(world.fleet, second, order, "seed")


@given(worlds(), requests(), orders)
@settings(bounded, max_examples=60)
def test_a_refusal_explains_every_host_within_bounds(world, wanted, order):
    decision = place(world.fleet, replace(wanted, vcpus=wanted.vcpus * 8), order)
    if not isinstance(decision, Placed):
        assert [host.host_id for host in decision.hosts] == sorted(world.hosts)
        explained = explain("server x", decision, {})
        assert len(explained.summary) <= 1_000
        assert all(host.reasons for host in explained.hosts)
