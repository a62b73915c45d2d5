"""Passwords: how often a wrong one is looked at, and what is kept of it."""

import asyncio

import pytest

from fairlead.api.login.passwords import Passwords, hashed
from fairlead.model.errors import InvalidValue
from tests.people import HASHED, PASSWORD


@pytest.fixture
def passwords():
    made = Passwords(lambda: 0.0)
    yield made
    made.close()


HERE, THERE = "192.0.2.1", "192.0.2.2"


def right(passwords, user, *given, address=HERE):
    """How many of these are right, asked all at once."""

    async def asked():
        return sum(await asyncio.gather(*(passwords.is_right(user, each, HASHED, address) for each in given)))

    return asyncio.run(asked())


def test_of_many_that_come_at_once_only_a_few_are_looked_at(passwords):
    assert right(passwords, "anna", *(f"guess {number}" for number in range(60)), PASSWORD) == 0
    assert right(passwords, "bert", PASSWORD) == 1


def test_what_was_right_is_not_shut_out_by_who_guesses(passwords):
    assert right(passwords, "anna", PASSWORD) == 1
    assert right(passwords, "anna", *["wrong"] * 20) == 0
    assert right(passwords, "anna", PASSWORD) == 1


def test_who_guesses_elsewhere_keeps_out_nobody(passwords):
    assert right(passwords, "anna", *["wrong"] * 20) == 0
    assert right(passwords, "anna", PASSWORD) == 0
    assert right(passwords, "anna", PASSWORD, address=THERE) == 1


@pytest.mark.parametrize("password", ["", "x" * 73, "a\0b"])
def test_a_password_that_bcrypt_would_cut_is_refused(password):
    with pytest.raises(InvalidValue):
        hashed(password)
