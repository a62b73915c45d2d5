"""Rules and leanings about hosts, over the whole fleet at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fairlead.model.request import HostLeaning, HostRule
from fairlead.placement.filters import Candidates
from fairlead.placement.snapshot import Fleet


def rule_out(fleet: Fleet, rules: Sequence[HostRule], found: Candidates) -> None:
    """Strike the rows that a rule does not admit."""
    for rule in rules:
        named = np.zeros(len(found.could_do), np.bool_)
        named[fleet.rows(rule.hosts)] = True
        found.could_do[:] &= named if rule.is_only else ~named


def leaning(fleet: Fleet, leanings: Sequence[HostLeaning]) -> NDArray[np.int64] | None:
    """By row, lower is better; None: every host is as good."""
    if not leanings:
        return None
    lean = np.zeros(len(fleet), np.int64)
    for each in leanings:
        for host_id, count in each.members:
            lean[fleet.rows([host_id])] += -count if each.is_towards else count
    return lean
