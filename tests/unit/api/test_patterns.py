"""Patterns of clients: found as `re` would, and in a time that no pattern makes long."""

import time

import pytest

from fairlead.api.compute.patterns import matcher
from fairlead.model.errors import InvalidValue

LONG = "a" * 255


@pytest.mark.parametrize(
    ("pattern", "text", "is_found"),
    [
        ("web", "my-WEB-1", True),
        ("^web$", "my-web", False),
        ("web.*[0-9]+$", "web-of-7", True),
        ("a|b", "xb", True),
        ("größe", "GRÖSSE größe", True),
        ("", "anything", True),
    ],
)
def test_a_pattern_is_found_anywhere_in_any_case(pattern, text, is_found):
    assert matcher("name", pattern)(text) is is_found


@pytest.mark.parametrize(
    "pattern", ["[", "*", "(", r"(a)\1", "(?=a)", "(?x)a", "a" * 256, "(a{1,100}){1,9}", "((a|b){1,200})c"]
)
def test_what_is_no_pattern_or_too_large_a_one_is_refused(pattern):
    with pytest.raises(InvalidValue):
        matcher("name", pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        ".*.*.*.*x",
        "a?" * 80 + "a" * 80 + "x",
        "(a|aa)" * 40 + "x",
        "(a*)*x",
        r"(a|a|\\)*x",
    ],
)
def test_no_pattern_takes_long(pattern):
    """Those that `re` needs seconds, or the age of the universe, for: a thousand names in less than one."""
    matches = matcher("name", pattern)
    before = time.process_time()
    for _ in range(1000):
        assert not matches(LONG)
    assert time.process_time() - before < 1
