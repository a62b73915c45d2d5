"""Failed chains: what stands, and when each is tried again."""

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

    def keep_planned(self, plan: HostPlan) -> None:
        """Forget what is not planned any more, or is planned otherwise."""
        planned = {chain.key: chain for stage in plan.stages for chain in stage}
        self._entries = {
            key: entry for key, entry in self._entries.items() if planned.get(key) == entry.chain
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

    def standing(self) -> tuple[SubjectFailure, ...]:
        """Every failure that is not mended."""
        return tuple(entry.failure for entry in self._entries.values())

    def seconds_to_next(self, now: float) -> float | None:
        """Until the next chain may be tried; None when nothing failed."""
        return min((max(0.0, entry.due - now) for entry in self._entries.values()), default=None)
