"""Chains in flight over many ticks, in an order that a seed decides: every race, and the same again."""

from random import Random

from fairlead.agent.flights import Flying
from fairlead.sim.mischief import AgentDied


class Interleaved:
    """agent.flights.Runner: nothing is done when a chain is started, but when `drive` is called."""

    room = 6

    def __init__(self, random: Random) -> None:
        self._random = random
        self._flying: list[Flying] = []

    def start(self, flying: Flying) -> None:
        """It waits to be driven."""
        self._flying.append(flying)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is in flight."""
        return not self._flying

    def drive(self) -> None:
        """Get any one chain a part of the way, if one is in flight: to before its next step, or past it."""
        if not self._flying:
            return
        flying = self._random.choice(self._flying)
        try:
            next(flying)
        except StopIteration:
            self._flying.remove(flying)
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
