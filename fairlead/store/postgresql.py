"""PostgreSQL through psycopg 3: READ COMMITTED, a pool, row locks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import psycopg
import sqlalchemy as sa
from psycopg import errors

from fairlead.store.dialect import Cause, Connection, Diagnosis

CONNECTIONS = 16
"""Of one process; PostgreSQL's own limit is 100 for all unless it was raised."""
WAIT_SECONDS = 10
"""For a lock, and for a connection of the pool."""
_EVENTS_LOCK = 0x6661_6972_0001
_MIGRATION_LOCK = 0x6661_6972_0002
# One backend for all of a connection's life, so these hold for each of its transactions.
_OPTIONS = f"-c timezone=UTC -c lock_timeout={WAIT_SECONDS}s -c idle_in_transaction_session_timeout=60s"
_LOST = ("08", "57P")
"""SQLSTATE of a connection that is gone; an error without any never reached the server."""
_RETRY = (errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable)


class Postgresql:
    """dialect.Dialect for `postgresql://user:password@host/database`."""

    name = "postgresql"
    error: type[Exception] = psycopg.Error
    is_in_process = False

    def __init__(self, url: sa.URL) -> None:
        self.engine = sa.create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=WAIT_SECONDS,
            pool_use_lifo=True,
            connect_args={"options": _OPTIONS, "application_name": "fairlead"},
        )

    @contextmanager
    def lend(self, *, is_moment: bool) -> Iterator[Connection]:
        """A connection of the pool; its first statement begins the transaction. Those that write see the newest rows
        with each statement (READ COMMITTED), for what they lock is to be the newest.
        """
        pooled = self.engine.raw_connection()
        # The engine's driver is psycopg, whose connection has these methods.
        connection = cast("psycopg.Connection", pooled.driver_connection)
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ if is_moment else None
        try:
            yield cast("Connection", connection)
        finally:
            if connection.closed:
                # The server has gone or come back: the others of the pool are as dead.
                pooled.invalidate()
                self.engine.dispose()
            else:
                # Rolls back what was not committed.
                pooled.close()

    def diagnose(self, error: Exception) -> Diagnosis:
        """What the SQLSTATE says (PostgreSQL manual, appendix A)."""
        if not isinstance(error, psycopg.Error):
            return Diagnosis(Cause.OTHER)
        constraint, table = error.diag.constraint_name, error.diag.table_name
        match error:
            case errors.UniqueViolation():
                return Diagnosis(Cause.DUPLICATE, constraint, table)
            case errors.ForeignKeyViolation() | errors.RestrictViolation():
                return Diagnosis(Cause.REFERENCE, constraint, table)
            case _ if isinstance(error, _RETRY):
                return Diagnosis(Cause.RETRY)
            case psycopg.DataError():
                return Diagnosis(Cause.VALUE)
            case psycopg.OperationalError() if (error.sqlstate or "08").startswith(_LOST):
                return Diagnosis(Cause.LOST)
            case _:
                return Diagnosis(Cause.OTHER)

    def before_events(self) -> str | None:
        """Ids are given in the order of commits by one transaction at a time: who follows the events by
        their ids would otherwise miss one that was given early and committed late.
        """
        return f"SELECT pg_advisory_xact_lock({_EVENTS_LOCK})"

    def migration_lock(self) -> str:
        """An advisory lock, held until the transaction ends."""
        return f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"

    def close(self) -> None:
        """Close the connections of the pool."""
        self.engine.dispose()
