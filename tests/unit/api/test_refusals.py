"""However many refusals there are, the trail has few records of them, and counts the rest."""

from fairlead.api.refusals import MOST_HELD, MOST_OF_ALL, MOST_OF_ONE, Refusals
from fairlead.control.audit_trail import RefusedDeed
from fairlead.model.audit_trail import Deed, Doer


class Clock:
    """A clock that goes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def by(user_id: str = "", address: str = "192.0.2.1", code: str = "not_found") -> RefusedDeed:
    return RefusedDeed(Deed(Doer(user_id=user_id, remote_address=address), "get_port"), 404, code)


def test_who_is_refused_too_often_is_counted() -> None:
    refusals = Refusals(Clock())

    admitted = [refusals.admit(by("anna", code=str(number))) for number in range(MOST_OF_ONE + 7)]

    assert admitted == [True] * MOST_OF_ONE + [False] * 7
    assert refusals.admit(by("otto"))
    [counted] = refusals.take()
    assert (counted.times, counted.code, counted.deed.doer.user_id) == (7, str(MOST_OF_ONE + 6), "anna")
    assert refusals.take() == ()


def test_each_minute_begins_anew() -> None:
    clock = Clock()
    refusals = Refusals(clock)
    while refusals.admit(by("anna")):
        pass

    clock.now = 60.0

    assert refusals.admit(by("anna"))


def test_guesses_from_everywhere_are_few_records_and_none_is_forgotten() -> None:
    refusals = Refusals(Clock())
    guesses = 50_000

    admitted = sum(refusals.admit(by(address=f"2001:db8::{number:x}")) for number in range(guesses))
    counted = refusals.take()

    assert admitted == MOST_OF_ALL
    assert len(counted) == MOST_HELD + 1
    assert admitted + sum(each.times for each in counted) == guesses
