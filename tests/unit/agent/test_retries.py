"""When a failed chain is tried again."""

from fairlead.agent.retries import Retries
from fairlead.hoststate.report import SubjectFailure
from fairlead.hoststate.steps import Chain, HostPlan, RemoveTap
from fairlead.model.errors import Failure

CHAIN = Chain("tap/a", (RemoveTap("a"),))
FAILURE = SubjectFailure(Failure("x", "Doing", "it", "no"))


def plan(*chains: Chain) -> HostPlan:
    return HostPlan((chains,))


def test_the_wait_doubles_up_to_a_minute():
    retries, now, waits = Retries(), 0.0, []
    for _ in range(9):
        retries.failed(CHAIN, FAILURE, now)
        due = retries.next_due(now)
        assert due is not None
        waits.append(due - now)
        now = due
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_it_is_barred_until_then_and_stands_all_the_while():
    retries = Retries()
    retries.failed(CHAIN, FAILURE, 10.0)
    assert retries.barred(10.5) == {"tap/a": FAILURE}
    assert retries.barred(11.0) == {}
    assert retries.standing() == (FAILURE,)


def test_success_ends_it():
    retries = Retries()
    retries.failed(CHAIN, FAILURE, 0.0)
    retries.succeeded(CHAIN)
    assert retries.standing() == ()
    assert retries.next_due(0.0) is None


def test_other_steps_under_the_same_key_are_tried_at_once():
    retries = Retries()
    retries.failed(CHAIN, FAILURE, 0.0)
    retries.keep_planned(plan(Chain("tap/a", (RemoveTap("b"),))))
    assert retries.barred(0.1) == {}


def test_what_is_not_planned_any_more_is_forgotten():
    retries = Retries()
    retries.failed(CHAIN, FAILURE, 0.0)
    retries.keep_planned(plan())
    assert retries.standing() == ()


def test_what_is_in_flight_keeps_its_wait_and_is_not_told_of():
    """What is left of a chain half-way is another chain, but no other attempt."""
    retries = Retries()
    retries.failed(CHAIN, FAILURE, 0.0)
    retries.keep_planned(plan(), in_flight={"tap/a"})
    assert retries.standing(in_flight={"tap/a"}) == ()
    retries.failed(CHAIN, FAILURE, 1.0)
    assert retries.next_due(1.0) == 3.0


def test_what_could_be_tried_and_was_not_does_not_keep_the_loop_awake():
    retries = Retries()
    retries.failed(CHAIN, FAILURE, 0.0)
    assert retries.next_due(1.0) is None
