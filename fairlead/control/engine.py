"""Runs control functions: one transaction each, tried again when the database asks for it, wakes after it."""

from collections.abc import Callable
from typing import TypeVar

from fairlead.control.boundary import Database, Tx, Wakes
from fairlead.model.errors import Conflict

Result = TypeVar("Result")

_TRIES = 5


class Engine:
    """Joins a database and those who wait. Thread-safe when its parts are."""

    def __init__(self, database: Database, wakes: Wakes) -> None:
        self._database = database
        self._wakes = wakes

    def run(self, work: Callable[[Tx], Result]) -> Result:
        """The result of `work` in a committed transaction. A `stale` conflict is tried again up to five
        times; every refusal leaves the database as it was.
        """
        return self._tried(work, is_moment=False)

    def look(self, work: Callable[[Tx], Result]) -> Result:
        """The same for work that only reads: what it sees is of one moment, so that what one row names is there."""
        return self._tried(work, is_moment=True)

    def _tried(self, work: Callable[[Tx], Result], *, is_moment: bool) -> Result:
        for tries_left in range(_TRIES - 1, -1, -1):
            try:
                return self._once(work, is_moment=is_moment, is_last_try=not tries_left)
            except Conflict as conflict:
                if conflict.code != "stale" or not tries_left:
                    raise
        raise AssertionError

    def _once(self, work: Callable[[Tx], Result], *, is_moment: bool, is_last_try: bool) -> Result:
        with self._database.transaction(is_moment=is_moment) as tx:
            tx.is_last_try = is_last_try
            result = work(tx)
            wakes = frozenset(tx.wakes)
        self._wakes.notify(wakes)
        return result
