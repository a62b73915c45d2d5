"""Refusals in words that a person can act on."""

from dataclasses import replace

from fairlead.model.ids import HostId
from fairlead.placement.boundary import HostOrder, Rejected
from fairlead.placement.boundary import ReasonCode as Code
from fairlead.placement.explain import explain, families, summary
from fairlead.placement.place import place
from fairlead.placement.snapshot import Fleet
from tests.unit.placement.rows import family, request, vf, vfs, view


def refused(*views, wanted=None):
    decision = place(Fleet(views), wanted or request(*vfs(2)), HostOrder.PACK)
    assert isinstance(decision, Rejected)
    return decision


def full(name, held=4, **fields):
    """A host whose one PF has no free VF."""
    made = view(family(name, 1, 0), host_id=HostId(name), name=name, **fields)
    return replace(made, families=(replace(made.families[0], held_vfs=held),))


def test_hosts_with_the_same_lack_are_counted_together():
    decision = refused(full("h1"), full("h2"), full("h3", why_not="disabled: new memory"))
    holders = dict.fromkeys(families(decision), ("server web-1 (port p9)",))
    assert summary("server x", decision, holders) == (
        "No host can take server x: of 3 hosts, 2 lack free VFs on physnet1 (asked 2, free 0; "
        "held by server web-1 (port p9)), 1 is unavailable: disabled: new memory. "
        "Try: fairlead device list --host h1"
    )


def test_one_host_is_named():
    assert summary("server x", refused(full("h1")), {}) == (
        "No host can take server x: host h1 lacks free VFs on physnet1 (asked 2, free 0). "
        "Try: fairlead device list --host h1"
    )


def test_counts_that_differ_are_a_range():
    few = view(family("h2", 1, 1), host_id=HostId("h2"), name="h2")
    assert "2 lack free VFs on physnet1 (asked 2, free 0 to 1)" in summary("x", refused(full("h1"), few), {})


def test_hosts_that_were_not_asked_for_do_not_count():
    decision = refused(full("h1"), full("h2"), wanted=request(vf(), host="h2"))
    assert summary("server x", decision, {}).startswith("No host can take server x: host h2 lacks free VFs")


def test_a_host_of_no_such_name_is_told():
    decision = refused(full("h1"), wanted=request(host="h9"))
    assert (
        summary("x", decision, {})
        == "No host can take x: host h9 was asked for, and there is none of that name."
    )


def test_a_fleet_without_hosts_says_what_to_do():
    assert "fairlead host enrol" in summary("x", Rejected(()), {})


def test_a_summary_keeps_to_its_length():
    hosts = [full(f"h{number}", why_not=f"silent since {number} o'clock" + "!" * 40) for number in range(60)]
    decision = refused(*hosts)
    for limit in (80, 200, 1_000):
        text = summary("server x", decision, {}, limit)
        assert len(text) <= limit
    assert ", and 4" in text


def test_many_holders_are_counted():
    decision = refused(full("h1"))
    holders = {family: tuple(f"server s{number}" for number in range(9)) for family in families(decision)}
    assert "held by server s0, server s1, server s2 and 6 more" in summary("x", decision, holders)


def test_host_by_host_everything_is_told():
    decision = refused(full("h1", vcpus_used=32), full("h2"))
    holders = dict.fromkeys(families(decision), ("server web-1",))
    explained = explain("server x", decision, holders)
    assert explained.summary == summary("server x", decision, holders)
    first, second = explained.hosts
    assert [reason.code for reason in first.reasons] == [Code.VCPUS, Code.NOT_ENOUGH_DEVICES]
    (reason,) = second.reasons
    assert (reason.asked, reason.had, reason.holders) == (2, 0, ("server web-1",))
    assert reason.message == (
        "2 VFs on physnet1 are asked for (port p1, port p2), 0 are free: 4 are held, 0 wait for a scrub or are faulty"
    )
