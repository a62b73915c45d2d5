"""The table of drivers' quirks, and what is asked of it."""

import errno

import pytest

from fairlead.model.quirk import Deed, Trait
from fairlead.model.quirks import QUIRKS, advice, has, is_passing

_DRIVERS = {driver for row in QUIRKS for driver in row.drivers}


@pytest.mark.parametrize("row", QUIRKS, ids=lambda row: row.symptom)
def test_a_row_says_all_that_its_reader_needs(row):
    assert row.symptom
    assert row.cause
    assert row.response
    assert row.source
    assert bool(row.deed) == bool(row.errno), "an answer is one to something"
    assert set(row.errno) <= {*errno.errorcode.values(), "EOPNOTSUPP"}
    assert not {symbol for symbol in row.symptom[:1] + row.response[:1] if symbol.isupper()} - set("VM"), (
        "prose of a cell"
    )


def test_no_row_hides_another():
    """Rows of every driver are the last word, so nothing of one driver comes after them for the same answer."""
    for place, row in enumerate(QUIRKS):
        later = [
            other for other in QUIRKS[place + 1 :] if other.drivers and other.deed is row.deed is not None
        ]
        assert row.drivers or not any(set(row.errno) & set(other.errno) for other in later), row.symptom


@pytest.mark.parametrize(
    ("driver", "deed", "answer", "is_busy", "said"),
    [
        ("i40e", Deed.SET_VF, "EAGAIN", True, "busy"),
        ("ice", Deed.SET_VF, "EBUSY", True, "busy"),
        ("qede", Deed.SET_VF, "EAGAIN", True, "busy"),
        ("igb", Deed.SET_VF, "EINVAL", False, "rate needs the PF's link"),
        ("igb", Deed.SET_VF, "EOPNOTSUPP", False, "no such setting"),
        ("igb", Deed.SET_VF, "EPROTONOSUPPORT", False, "802.1ad"),
        ("ice", Deed.SET_NUM_VFS, "ENOSPC", False, "irdma"),
        ("igb", Deed.SET_NUM_VFS, "ENOSPC", False, "assign-busses"),
        ("mlx5_core", Deed.SET_NUM_VFS, "ENOENT", False, "mstconfig"),
        ("igb", Deed.SET_NUM_VFS, "EBUSY", False, "stop the guests"),
        (None, Deed.SET_NUM_VFS, "ENOMEM", False, "realloc"),
        ("igb", Deed.SET_UP, "EINVAL", False, "maxmtu"),
        ("igb", Deed.SET_UP, "EBUSY", False, ""),
    ],
)
def test_what_an_answer_of_a_driver_means(driver, deed, answer, is_busy, said):
    assert is_passing(driver, deed, answer) is is_busy
    assert said in advice(driver, deed, answer)
    assert said or not advice(driver, deed, answer)


def test_traits_are_of_drivers():
    assert has("igb", Trait.RATE_NEEDS_LINK)
    assert not has("mlx5_core", Trait.RATE_NEEDS_LINK)
    assert not has(None, Trait.MAC_READ_AT_PROBE)
    assert {driver for driver in _DRIVERS if has(driver, Trait.MAC_READ_AT_PROBE)} == {"mlx5_core"}
