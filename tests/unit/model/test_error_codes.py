"""Each code has its meaning."""

from typing import get_args

from fairlead.model.error_codes import MEANINGS, Code


def test_every_code_has_a_meaning_in_a_line():
    assert sorted(MEANINGS) == sorted(get_args(Code))
    assert all(meaning and "\n" not in meaning for meaning in MEANINGS.values())
