"""What the store needs of a database: a connection to it, and what its errors mean."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import sqlalchemy as sa

Parameters = Mapping[str, object]


class Cursor(Protocol):
    """What a driver answers (PEP 249)."""

    @property
    def rowcount(self) -> int:
        """Rows changed."""
        ...

    def fetchone(self) -> Sequence[object] | None:
        """The next row, or None."""
        ...

    def fetchall(self) -> Sequence[Sequence[object]]:
        """All rows that are left."""
        ...


class Connection(Protocol):
    """A driver's own connection, sqlite3's or psycopg's."""

    def execute(self, statement: str, parameters: Parameters, /) -> Cursor:
        """Run one statement."""
        ...

    def commit(self) -> None:
        """Keep what was changed."""
        ...

    def rollback(self) -> None:
        """Forget what was changed."""
        ...


class Cause(Enum):
    """What an error of the database means to us."""

    DUPLICATE = "duplicate"
    """A primary key, unique constraint or unique index forbids it."""
    REFERENCE = "reference"
    """A foreign key forbids it."""
    RETRY = "retry"
    """Deadlock, serialisation, lock not had in time: another try may do."""
    LOST = "lost"
    """The connection is gone."""
    VALUE = "value"
    """A value that no column can keep."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """An error of the database. `constraint` and `table` where it is known which; `table` is the one whose
    row breaks it: for a foreign key the one that refers.
    """

    cause: Cause
    constraint: str | None = None
    table: str | None = None


class Dialect(Protocol):
    """One kind of database, opened. `error` is the root of its driver's errors."""

    name: str
    error: type[Exception]
    engine: sa.Engine
    is_in_process: bool

    def lend(self, *, is_moment: bool) -> AbstractContextManager[Connection]:
        """A connection in a new transaction, for one thread. Whoever borrows it commits; what was not
        committed is rolled back. `is_moment`: all its statements see the database as it was at the first.
        Raises `error`, and sqlalchemy.exc.SQLAlchemyError where none is to be had.
        """
        ...

    def diagnose(self, error: Exception) -> Diagnosis:
        """What an error means."""
        ...

    def before_events(self) -> str | None:
        """The statement, if any, after which events become visible in the order of their ids."""
        ...

    def migration_lock(self) -> str:
        """The statement that keeps all others from migrating until the transaction ends."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...
