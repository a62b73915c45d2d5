"""How many wrong passwords are looked at, from one place and from everywhere."""

import pytest

from fairlead.api.login.tries import FROM_ALL, FROM_ONE, MINUTE_SECONDS, PAUSE_SECONDS, Tries

HERE, THERE = "192.0.2.1", "192.0.2.2"
ANNA, BERT = b"anna", b"bert"


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tries(clock):
    return Tries(clock)


def guess(tries, user, address, count):
    """How many of so many guesses are looked at."""
    looked_at = 0
    for _ in range(count):
        if not tries.are_spent(user, address):
            tries.note_wrong(user, address)
            looked_at += 1
    return looked_at


def test_five_wrong_ones_make_a_pause_there_and_not_elsewhere(tries, clock):
    assert guess(tries, ANNA, HERE, 9) == FROM_ONE
    assert not tries.are_spent(ANNA, THERE)
    assert not tries.are_spent(BERT, HERE)
    clock.now += PAUSE_SECONDS
    assert guess(tries, ANNA, HERE, 9) == 1


def test_a_right_one_ends_the_row_of_its_place_alone(tries):
    for address in (HERE, THERE):
        assert guess(tries, ANNA, address, 4) == 4
    tries.note_right(ANNA, THERE)
    assert guess(tries, ANNA, THERE, 9) == 5
    assert guess(tries, ANNA, HERE, 9) == 1


def test_who_guesses_from_one_place_never_uses_up_what_all_have(tries, clock):
    for _ in range(600):
        guess(tries, ANNA, HERE, 9)
        assert not tries.are_spent(ANNA, THERE)
        clock.now += 1


def test_from_everywhere_together_there_are_not_many_in_a_minute(tries, clock):
    places = [f"198.51.100.{number}" for number in range(50)]
    assert sum(guess(tries, ANNA, place, 9) for place in places) == FROM_ALL
    assert tries.are_spent(ANNA, THERE)
    assert not tries.are_spent(BERT, THERE)
    clock.now += MINUTE_SECONDS
    assert not tries.are_spent(ANNA, THERE)


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("", "", True),
        ("", "no address", False),
    ],
)
def test_a_place_is_what_one_guesser_has(tries, first, second, is_one):
    guess(tries, ANNA, first, FROM_ONE)
    assert tries.are_spent(ANNA, second) is is_one


def test_what_is_remembered_has_a_bound(tries):
    guess(tries, ANNA, HERE, FROM_ONE)
    for number in range(1100):
        tries.note_wrong(str(number).encode(), HERE)
    assert not tries.are_spent(ANNA, HERE)
