"""Chains in flight over many ticks, in an order that a seed decides: every race, and the same again."""

from random import Random

from fairlead.agent.flights import Flying
from fairlead.sim.mischief import AgentDied


class Interleaved:
    """agent.flights.Runner: nothing is done when a chain is started, but when `drive` is called."""

    room = 6

    def __init__(self, random: Random) -> None:
        self._random = random
        self._flying: dict[Flying, int] = {}
        self.turn = self.since = 0
        """How often a chain was driven so far; and at which turn the one that is driven now was driven last."""

    def start(self, flying: Flying) -> None:
        """It waits to be driven."""
        self._flying[flying] = self.turn

    @property
    def is_idle(self) -> bool:
        """Whether nothing is in flight."""
        return not self._flying

    def drive(self) -> None:
        """Get any one chain a part of the way, if one is in flight: to before its next step, or past it."""
        if not self._flying:
            return
        flying = self._random.choice(list(self._flying))
        self.since, self._flying[flying] = self._flying[flying], self.turn
        self.turn += 1
        try:
            next(flying)
        except StopIteration:
            del self._flying[flying]
        except AgentDied:
            self.forget()
            raise

    def finish(self) -> None:
        """Drive until nothing is in flight."""
        while self._flying:
            self.drive()

    def forget(self) -> None:
        """The process is gone, and its chains with it."""
        self._flying.clear()
