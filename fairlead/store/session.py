"""One transaction's connection: runs statements, and says in our words what the database refused."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from fairlead.model.audit_trail import Write
from fairlead.model.errors import Conflict, Failure, Fault, InvalidValue
from fairlead.store.dialect import Cause, Connection, Cursor, Diagnosis, Dialect, Parameters

Refuse = Callable[[Diagnosis], Conflict]
_SAVEPOINT = "part"
"""One inside another hides it until it is released (ISO 9075, SAVEPOINT), so one name will do."""


class Session:
    """Statements of one transaction, for one thread.

    A statement that failed leaves PostgreSQL's transaction good for nothing, and its COMMIT would then undo it
    without a word; so it is on SQLite too: whatever follows, and the commit, raise the same error. Only leaving the
    savepoint that it was in ends that.
    `writes`: which rows its statements have written, as whoever sent them says.
    """

    __slots__ = ("_connection", "_dialect", "_failed", "_is_over", "writes")

    def __init__(self, connection: Connection, dialect: Dialect) -> None:
        self._connection = connection
        self._dialect = dialect
        self._failed: Exception | None = None
        self._is_over = False
        self.writes: list[Write] = []

    def rows(self, statement: str, parameters: Parameters) -> Sequence[Sequence[object]]:
        """What a query answers."""
        return self._run(statement, parameters, None).fetchall()

    def change(self, statement: str, parameters: Parameters, refuse: Refuse) -> int:
        """The number of rows changed; raises what `refuse` makes of a violated constraint."""
        return self._run(statement, parameters, refuse).rowcount

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What is done inside is undone where it raises, or was refused. What the whole transaction is to be tried
        again for, or cannot be any more, stays so. Inside another one it is a part of that.
        """
        self._run(f"SAVEPOINT {_SAVEPOINT}", {}, None)
        written = len(self.writes)
        try:
            yield
            self._run(f"RELEASE SAVEPOINT {_SAVEPOINT}", {}, None)
        except BaseException:
            self._undo(written)
            raise

    def _undo(self, written: int) -> None:
        if self._is_over:
            return
        self._failed = None
        self._run(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}", {}, None)
        self._run(f"RELEASE SAVEPOINT {_SAVEPOINT}", {}, None)
        del self.writes[written:]

    def commit(self) -> None:
        """Keep what was changed; raises the error that came before, though somebody caught it."""
        if self._failed is not None:
            raise self._failed
        try:
            self._connection.commit()
        except self._dialect.error as error:
            diagnosis = self._dialect.diagnose(error)
            if diagnosis.cause is Cause.LOST:
                # Another try might do it twice.
                hint = "Look whether it was done before asking again."
                raise _fault("committing to", error, hint) from error
            raise meaning(diagnosis, error) from error

    def _run(self, statement: str, parameters: Parameters, refuse: Refuse | None) -> Cursor:
        if self._failed is not None:
            raise self._failed
        try:
            return self._connection.execute(statement, parameters)
        except (UnicodeEncodeError, OverflowError) as error:
            # The driver refused before it asked: a lone surrogate, an integer of more than 64 bits.
            self._failed = _invalid(error)
            raise self._failed from error
        except self._dialect.error as error:
            diagnosis = self._dialect.diagnose(error)
            self._is_over = diagnosis.cause in (Cause.RETRY, Cause.LOST, Cause.OTHER)
            is_refused = diagnosis.cause in (Cause.DUPLICATE, Cause.REFERENCE)
            self._failed = refuse(diagnosis) if refuse and is_refused else meaning(diagnosis, error)
            raise self._failed from error


def meaning(diagnosis: Diagnosis, error: Exception) -> Exception:
    """What to raise for an error that is no violated constraint of one row: Conflict `stale`, InvalidValue or
    Fault.
    """
    match diagnosis.cause:
        case Cause.RETRY | Cause.LOST:
            return Conflict("stale", f"The database asks for another try: {error}")
        case Cause.REFERENCE:
            return Conflict("stale", "Something that a row of this change names is gone.")
        case Cause.VALUE:
            return _invalid(error)
        case Cause.DUPLICATE | Cause.OTHER:
            return _fault("asking", error, "")


def unreachable(error: Exception) -> Fault:
    """The fault of a database that gives no connection."""
    return _fault("reaching", error, "Check its address, that it runs, and that we may log in.")


def _invalid(error: Exception) -> InvalidValue:
    return InvalidValue("value", str(error), "text or a number that the database can keep")


def _fault(doing: str, error: Exception, hint: str) -> Fault:
    answer = str(error).strip() or type(error).__name__
    return Fault(Failure("database", doing, "the database", answer, hint))
