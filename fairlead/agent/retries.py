"""Failed chains: what stands, and when each is tried again."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from fairlead.hoststate.report import SubjectFailure
from fairlead.hoststate.steps import Chain, HostPlan

_FIRST_SECONDS = 1.0
_LONGEST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Entry:
    chain: Chain
    failure: SubjectFailure
    seconds: float
    due: float


class Retries:
    """Back-off for each failed chain: 1 s, doubling to 60 s, over when it succeeds or is not planned any
    more. A chain whose steps changed is tried at once. In memory: a new agent tries everything.
    """

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def keep_planned(self, plan: HostPlan, in_flight: AbstractSet[str] = frozenset()) -> None:
        """Forget what is not planned any more, or is planned otherwise; but not while it is in flight, where
        what is left of it is planned.
        """
        planned = {chain.key: chain for chain in plan.chains}
        self._entries = {
            key: entry
            for key, entry in self._entries.items()
            if key in in_flight or planned.get(key) == entry.chain
        }

    def barred(self, now: float) -> dict[str, SubjectFailure]:
        """Chains that must wait, and why: by key."""
        return {key: entry.failure for key, entry in self._entries.items() if entry.due > now}

    def failed(self, chain: Chain, failure: SubjectFailure, now: float) -> None:
        """The chain did not work out."""
        last = self._entries.get(chain.key)
        seconds = min(last.seconds * 2, _LONGEST_SECONDS) if last else _FIRST_SECONDS
        self._entries[chain.key] = _Entry(chain, failure, seconds, now + seconds)

    def succeeded(self, chain: Chain) -> None:
        """It worked out: nothing stands against it."""
        self._entries.pop(chain.key, None)

    def standing(self, in_flight: AbstractSet[str] = frozenset()) -> tuple[SubjectFailure, ...]:
        """Every failure that is not mended, nor about to be."""
        return tuple(entry.failure for key, entry in self._entries.items() if key not in in_flight)

    def next_due(self, after: float) -> float | None:
        """When the next chain may be tried that could not at `after`; None when there is none. What was due and
        is not tried waits for another chain, whose end wakes the loop.
        """
        return min((entry.due for entry in self._entries.values() if entry.due > after), default=None)
