"""Opens a database, brings its schema up to date, and gives out transactions."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa

from fairlead.control.boundary import Tx
from fairlead.model.errors import InvalidValue
from fairlead.store import migrate
from fairlead.store.dialect import Dialect
from fairlead.store.postgresql import Postgresql
from fairlead.store.schema import SCHEMA
from fairlead.store.session import Session, meaning, unreachable
from fairlead.store.sqlite import Sqlite
from fairlead.store.transaction import Nouns, SqlTx, Surroundings


def _now() -> datetime:
    return datetime.now(UTC)


def _uuid() -> str:
    return str(uuid4())


class SqlDatabase:
    """control.boundary.Database over SQLite or PostgreSQL. Any thread may ask for a transaction."""

    def __init__(self, dialect: Dialect, surroundings: Surroundings) -> None:
        self._dialect = dialect
        self._surroundings = surroundings
        self._nouns = Nouns(dialect.engine.dialect)
        self._events_lock = dialect.before_events()

    @property
    def is_in_process(self) -> bool:
        """Whether a transaction waits for no other machine, so that an event loop may run it in place."""
        return self._dialect.is_in_process

    @contextmanager
    def transaction(self, *, is_moment: bool = False) -> Iterator[Tx]:
        """Commits on leaving, rolls back on any exception. A write that was refused cannot be committed, even
        if its Conflict was caught. Raises Conflict `stale` when another try may do, Fault when none will.
        """
        try:
            with self._dialect.lend(is_moment=is_moment) as connection:
                session = Session(connection, self._dialect)
                tx = SqlTx(session, self._nouns, self._surroundings, self._events_lock)
                yield tx
                tx.finish()
        except sa.exc.SQLAlchemyError as error:
            raise unreachable(error) from error
        except self._dialect.error as error:
            # Only the beginning is not run by the session: SQLite's BEGIN, refused while another process writes.
            raise meaning(self._dialect.diagnose(error), error) from error

    def close(self) -> None:
        """Close its connections."""
        self._dialect.close()


def open_database(
    url: str, *, clock: Callable[[], datetime] = _now, new_id: Callable[[], str] = _uuid
) -> SqlDatabase:
    """The database at `sqlite:///path`, `sqlite://` (in memory) or `postgresql://user:password@host/name`, with
    the newest schema; several processes may open it at once. Raises InvalidValue for any other URL, and Fault
    where it cannot be reached or is of a newer Fairlead.
    """
    dialect = _dialect(url)
    try:
        migrate.upgrade(dialect)
    except BaseException:
        dialect.close()
        raise
    return SqlDatabase(dialect, Surroundings(clock, new_id))


def _dialect(text: str) -> Dialect:
    expected = "a URL such as sqlite:///fairlead.sqlite or postgresql://user:password@host/fairlead"
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError:
        raise InvalidValue("database", text, expected) from None
    match url.get_backend_name():
        case "sqlite":
            return Sqlite(url, SCHEMA)
        case "postgresql":
            return Postgresql(url)
        case _:
            raise InvalidValue("database", url.render_as_string(hide_password=True), expected)
