"""Failed chains: what stands, and when each is tried again."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from fairlead.hoststate.circumstances import Circumstances
from fairlead.hoststate.report import SubjectFailure
from fairlead.hoststate.steps import Chain, HostPlan

CHANGE_REFUSED = "vf_change_refused"
"""A NIC's driver refuses what a running guest's VF shall be from now on, and the guest runs on with all that its port
had before. So there is no hurry, and the driver would say the same again.
"""
LONGEST_WAIT_SECONDS = 3600.0
"""Whatever failed is tried again after so long at most."""
_FIRST_SECONDS = 1.0
_LONGEST_PASSING_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Entry:
    """`at`: when it failed. `seen`: in which circumstances it failed, by the first look after it, so that what the try
    itself did counts as no change; None until then.
    """

    chain: Chain
    failure: SubjectFailure
    at: float
    seconds: float
    seen: Circumstances | None = None

    @property
    def due(self) -> float:
        return self.at + self.seconds


class Retries:
    """Back-off for each failed chain: 1 s, doubling to 60 s, over when it succeeds or is not planned any more. For a
    change that a driver refused it doubles to an hour, and is a minute at most once the circumstances are others.
    A chain whose steps changed is tried at once. In memory: a new agent tries everything.
    """

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def keep_planned(
        self,
        plan: HostPlan,
        seen: Callable[[Chain], Circumstances | None],
        in_flight: AbstractSet[str] = frozenset(),
    ) -> None:
        """Forget what is not planned any more, or is planned otherwise; but not while it is in flight, where
        what is left of it is planned. `seen`: the circumstances of a chain now.
        """
        planned = {chain.key: chain for chain in plan.chains}
        self._entries = {
            key: entry if key in in_flight else _looked_at(entry, seen(entry.chain))
            for key, entry in self._entries.items()
            if key in in_flight or planned.get(key) == entry.chain
        }

    def barred(self, now: float) -> dict[str, SubjectFailure]:
        """Chains that must wait, and why: by key."""
        return {key: entry.failure for key, entry in self._entries.items() if entry.due > now}

    def failed(self, chain: Chain, failure: SubjectFailure, now: float) -> None:
        """The chain did not work out."""
        last = self._entries.get(chain.key)
        seconds = min(last.seconds * 2, _longest(failure)) if last else _FIRST_SECONDS
        self._entries[chain.key] = _Entry(chain, failure, now, seconds)

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


def _longest(failure: SubjectFailure) -> float:
    return LONGEST_WAIT_SECONDS if failure.failure.code == CHANGE_REFUSED else _LONGEST_PASSING_SECONDS


def _looked_at(entry: _Entry, now: Circumstances | None) -> _Entry:
    """What nobody tells of now has not changed."""
    if now is None or now == entry.seen:
        return entry
    if entry.seen is None:
        return replace(entry, seen=now)
    return replace(entry, seen=now, seconds=min(entry.seconds, _LONGEST_PASSING_SECONDS))
