"""A phase: one thing that the lab shows, with a time limit."""

from collections.abc import Callable
from dataclasses import dataclass

from lab.bed import Lab


@dataclass(frozen=True, slots=True)
class Phase:
    """`show` raises PhaseFailed or AssertionError when what it looks for is not so.

    `needs` are the phases whose guests, ports and networks it goes on with, nearest last; after a new boot of the
    compute host they are run again first. The limit is in seconds on two loaded cores without KVM.
    """

    name: str
    says: str
    show: Callable[[Lab], None]
    limit_seconds: int
    needs: tuple["Phase", ...] = ()

    def with_needs(self) -> list["Phase"]:
        """What it needs, in order and each once, and itself."""
        ordered: list[Phase] = []
        for phase in self.needs:
            ordered += [one for one in phase.with_needs() if one not in ordered]
        return [*ordered, self]
