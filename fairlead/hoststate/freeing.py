"""How guests give up devices and taps in a plan: by going down, or by letting go of them while they run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fairlead.hoststate.keys import down_key
from fairlead.model.ids import ServerId

KEEPS_RUNNING = "a guest that keeps running has it"


@dataclass(frozen=True, slots=True)
class Freeing:
    """How guests give up what they have in this plan: `goes_down`, with all of it; `detaches`, the one device or tap
    of that name, by the chain of that key.
    """

    goes_down: frozenset[ServerId]
    detaches: Mapping[str, str]

    def needs(self, name: str, users: Iterable[ServerId]) -> tuple[str, ...]:
        """Chains after which none of them has it."""
        downs = map(down_key, sorted(self.goes_down.intersection(users)))
        return (*downs, self.detaches[name]) if name in self.detaches else tuple(downs)

    def keeps(self, name: str, user: ServerId | None) -> bool:
        """Whether the guest has it when the plan is done, too."""
        return user is not None and user not in self.goes_down and name not in self.detaches
