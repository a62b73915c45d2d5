"""Two control processes on one database: each has its scheduler, and hears of its own changes alone."""

from collections.abc import Callable
from random import Random
from typing import TypeVar

from fairlead.control.boundary import Database, Tx, Wake
from fairlead.control.engine import Engine
from fairlead.control.scheduling import Scheduler

Result = TypeVar("Result")

_COUNT = 2
_RACES = 0.1
"""The share of a scheduler's transactions before which another scheduler comes in between."""


class _Listener:
    """control.boundary.Wakes: the scheduler of the same process."""

    def __init__(self) -> None:
        self.scheduler: Scheduler | None = None

    def notify(self, wakes: frozenset[Wake]) -> None:
        if self.scheduler is not None:
            self.scheduler.heard(wakes)


class _Interrupted(Engine):
    """An engine before each of whose transactions something may happen."""

    def __init__(self, database: Database, wakes: _Listener, interrupt: Callable[[], None]) -> None:
        super().__init__(database, wakes)
        self._interrupt = interrupt

    def run(self, work: Callable[[Tx], Result]) -> Result:
        self._interrupt()
        return super().run(work)

    def look(self, work: Callable[[Tx], Result]) -> Result:
        self._interrupt()
        return super().look(work)


class Controls(Engine):
    """Each transaction is run by any one of them."""

    def __init__(self, database: Database, random: Random) -> None:
        self._random = random
        self._engines: list[Engine] = []
        self._schedulers: list[Scheduler] = []
        self._is_interrupted = False
        for _ in range(_COUNT):
            listener = _Listener()
            self._engines.append(Engine(database, listener))
            listener.scheduler = Scheduler(_Interrupted(database, listener, self._interrupt))
            self._schedulers.append(listener.scheduler)

    def run(self, work: Callable[[Tx], Result]) -> Result:
        return self._random.choice(self._engines).run(work)

    def schedule(self) -> None:
        """Any one of the schedulers ticks, perhaps with another in the middle of it."""
        self._random.choice(self._schedulers).tick()

    def _interrupt(self) -> None:
        if self._is_interrupted or self._random.random() >= _RACES:
            return
        self._is_interrupted = True
        try:
            self.schedule()
        finally:
            self._is_interrupted = False
