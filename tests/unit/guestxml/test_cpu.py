"""Sets of CPUs as libvirt writes them."""

import pytest

from fairlead.guestxml.cpu import cpu_ranges


@pytest.mark.parametrize(
    ("numbers", "text"),
    [((), ""), ((3,), "3"), ((0, 1, 2, 3), "0-3"), ((0, 2, 3, 8), "0,2-3,8"), ((0, 2, 4), "0,2,4")],
)
def test_ranges(numbers, text):
    assert cpu_ranges(numbers) == text
