"""SQLite: one connection for the process, one transaction at a time.

A SQLite database has one writer anyway, and a transaction of ours takes well under a millisecond, so threads
queue for the connection on a lock, in place of sleeping in SQLite's busy handler. Other processes are kept
out by BEGIN IMMEDIATE: no transaction starts to read what it may not be able to write.
"""

import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import cast

import sqlalchemy as sa

from fairlead.store.dialect import Cause, Connection, Diagnosis

BUSY_SECONDS = 10.0
"""How long a transaction waits for another process; the URL may say `?timeout=`."""
_STATEMENTS = 512
"""Prepared statements that the driver keeps; we have about 200 shapes."""
_DUPLICATE = frozenset(
    {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID}
)
# ON DELETE RESTRICT is a trigger inside SQLite; we have no others.
_REFERENCE = frozenset({sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, sqlite3.SQLITE_CONSTRAINT_TRIGGER})
_COLUMNS = re.compile(r"UNIQUE constraint failed: (.+)")
_RETRY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_PRIMARY_CODE = 0xFF


class Sqlite:
    """dialect.Dialect for `sqlite:///path` and `sqlite://` (in memory, gone when closed)."""

    name = "sqlite"
    error: type[Exception] = sqlite3.Error
    is_in_process = True

    def __init__(self, url: sa.URL, schema: sa.MetaData) -> None:
        self.engine = sa.create_engine(
            url.set(query={"timeout": str(BUSY_SECONDS), **url.query}),
            paramstyle="named",
            poolclass=sa.StaticPool,
            connect_args={
                "check_same_thread": False,
                "cached_statements": _STATEMENTS,
            },
        )
        sa.event.listen(self.engine, "connect", _prepare)
        sa.event.listen(self.engine, "begin", _begin)
        self._constraints = _constraints_by_columns(schema)
        self._lock = threading.Lock()
        self._holder: int | None = None
        self._pooled: sa.PoolProxiedConnection | None = None

    @contextmanager
    def lend(self, *, is_moment: bool) -> Iterator[Connection]:
        """The one connection, in a new transaction, for one thread at a time: of one moment, whatever it is for."""
        if self._holder == threading.get_ident():
            raise RuntimeError("a transaction was begun inside a transaction of the same thread")
        with self._lock:
            self._holder = threading.get_ident()
            try:
                connection = self._connection()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield cast("Connection", connection)
                finally:
                    if connection.in_transaction:
                        connection.rollback()
            finally:
                self._holder = None

    def _connection(self) -> sqlite3.Connection:
        if self._pooled is None:
            self._pooled = self.engine.raw_connection()
        # The engine's driver is sqlite3.
        return cast("sqlite3.Connection", self._pooled.driver_connection)

    def diagnose(self, error: Exception) -> Diagnosis:
        """Which constraint, from the columns that SQLite names (it has no names for uniques)."""
        code = getattr(error, "sqlite_errorcode", None)
        if code is None:
            return Diagnosis(Cause.OTHER)
        if code in _DUPLICATE:
            found = _COLUMNS.fullmatch(str(error))
            columns = frozenset(found[1].split(", ")) if found else frozenset()
            return Diagnosis(Cause.DUPLICATE, self._constraints.get(columns))
        if code in _REFERENCE:
            return Diagnosis(Cause.REFERENCE)
        return Diagnosis(Cause.RETRY if code & _PRIMARY_CODE in _RETRY else Cause.OTHER)

    def before_events(self) -> str | None:
        """Nothing: transactions are one after the other."""
        return None

    def migration_lock(self) -> str:
        """Nothing more than BEGIN IMMEDIATE."""
        return "SELECT 1"

    def close(self) -> None:
        """Close the connection, when no transaction is under way."""
        with self._lock:
            if self._pooled is not None:
                self._pooled.close()
                self._pooled = None
            self.engine.dispose()


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    # No BEGIN of the driver's own: it would be a deferred one.
    connection.isolation_level = None
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """A change of the journal reads before it writes, so SQLite refuses it at once, without its busy handler, while
    somebody else writes (btree.c, sqlite3BtreeSetVersion): two who open an empty file. BEGIN IMMEDIATE waits for them.
    """
    (milliseconds,) = connection.execute("PRAGMA busy_timeout").fetchone()
    end = monotonic() + milliseconds / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY_CODE not in _RETRY or monotonic() >= end:
                raise
        else:
            return
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _constraints_by_columns(schema: sa.MetaData) -> dict[frozenset[str], str]:
    """Names of everything unique, by the set of `table.column`."""
    names: dict[frozenset[str], str] = {}
    for table in schema.sorted_tables:
        uniques = (sa.PrimaryKeyConstraint, sa.UniqueConstraint)
        rules: list[sa.PrimaryKeyConstraint | sa.UniqueConstraint | sa.Index] = [
            *(rule for rule in table.constraints if isinstance(rule, uniques)),
            *(index for index in table.indexes if index.unique),
        ]
        for rule in rules:
            names[frozenset(f"{table.name}.{column.name}" for column in rule.columns)] = str(rule.name)
    return names
