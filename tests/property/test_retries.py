"""A refused change is not tried over and over, nor left alone once its circumstances are others, whatever happens."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from fairlead.agent.retries import CHANGE_REFUSED, Retries
from fairlead.hoststate.circumstances import Circumstances
from fairlead.hoststate.report import SubjectFailure
from fairlead.hoststate.steps import Chain, HostPlan, RemoveTap
from fairlead.model.errors import Failure
from tests.unit.agent.test_retries import DOWN

CHAIN = Chain("set/a", (RemoveTap("a"),))
PLAN = HostPlan(((CHAIN,),))
REFUSED = SubjectFailure(Failure(CHANGE_REFUSED, "Setting", "it", "no"))
PASSING = SubjectFailure(Failure("timeout", "Setting", "it", "no answer"))

seconds = st.sampled_from([0.125, 1.0, 10.0, 45.0, 61.0, 600.0, 3000.0])
"""Each a sum of powers of two, so that sums of them are exact."""
promised = st.none() | st.integers(0, 2)
"""What is promised to the PF's VFs, by which its circumstances differ here; None: it is not seen."""


def circumstances(mbps: int | None) -> Circumstances | None:
    return None if mbps is None else replace(DOWN, promised_mbps=mbps)


def look(retries: Retries, mbps: int | None) -> None:
    retries.keep_planned(PLAN, lambda _: circumstances(mbps))


@given(st.lists(st.tuples(seconds, promised), max_size=60))
def test_at_most_once_a_minute_and_at_once_where_a_minute_has_passed(looks):
    """Each look may see other circumstances; what can be tried is tried, and refused."""
    retries, now, tries, failed_at, known = Retries(), 0.0, 0, 0.0, None
    retries.failed(CHAIN, REFUSED, now)
    for after, mbps in looks:
        now += after
        look(retries, mbps)
        is_other = None not in {known, mbps} and mbps != known
        known = known if mbps is None else mbps
        if is_other and now - failed_at >= 60:
            assert not retries.barred(now)
        if not retries.barred(now):
            tries, failed_at, known = tries + 1, now, None
            retries.failed(CHAIN, REFUSED, now)
    assert tries <= 6 + now / 60


@given(st.lists(seconds, max_size=200), st.integers(0, 2))
def test_where_nothing_changes_a_refused_change_is_tried_as_the_logarithm_of_time(rests, mbps):
    retries, now, tries = Retries(), 0.0, 0
    retries.failed(CHAIN, REFUSED, now)
    for rest in rests:
        now += rest
        look(retries, mbps)
        if not retries.barred(now):
            tries += 1
            retries.failed(CHAIN, REFUSED, now)
    assert tries <= 12 + now / 3600


@given(st.lists(st.tuples(seconds, st.booleans(), promised), min_size=1, max_size=100))
def test_what_failed_otherwise_never_waits_longer_than_a_minute(turns):
    retries, now = Retries(), 0.0
    for rest, is_refused, mbps in turns:
        retries.failed(CHAIN, REFUSED if is_refused else PASSING, now)
        due = retries.next_due(now)
        assert due is not None
        assert due - now <= (3600 if is_refused else 60)
        look(retries, mbps)
        now += rest
