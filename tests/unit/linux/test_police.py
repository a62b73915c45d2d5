"""Rates of taps: what is asked is what reads back, to the kbit."""

import pytest

from fairlead.linux import message as nl
from fairlead.linux.police import filter_body, read_rate


@pytest.mark.parametrize("rate_kbps", [1, 999, 1_000, 250_000, 10_000_000, 100_000_000])
def test_a_rate_reads_back_as_written(rate_kbps: int):
    assert read_rate(filter_body(2, rate_kbps)) == rate_kbps


def test_a_filter_of_another_kind_has_no_rate():
    assert read_rate(bytes(20) + nl.string(1, "u32")) is None


def test_an_action_of_another_kind_has_no_rate():
    times = nl.nested(2, nl.attribute(1, bytes(32)))
    action = nl.nested(2, nl.nested(2, nl.nested(1, nl.string(1, "gact"), times)))
    assert read_rate(bytes(20) + nl.string(1, "matchall") + action) is None
