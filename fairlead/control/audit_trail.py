"""The audit trail: what is noted in transactions of its own, and how old it gets.

What is done is noted by its own transaction (`Tx.on_behalf_of`), so that there is neither a change without its record
nor a record without its change.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from fairlead.control.boundary import Tx
from fairlead.control.engine import Engine
from fairlead.model.audit_trail import Deed, refused
from fairlead.model.time_ids import earliest_id

PIECE = 100
"""Records that one transaction deletes: ten milliseconds on SQLite, which does nothing else meanwhile."""
_MOST_PIECES = 100


@dataclass(frozen=True, slots=True)
class RefusedDeed:
    """A deed that was not done, and what was answered; `times` of them, of which it is the last."""

    deed: Deed
    status: int
    code: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Retention:
    """How long records are kept, and how many at most."""

    days: int = 90
    most: int = 1_000_000


def note(tx: Tx, refusals: Iterable[RefusedDeed]) -> None:
    """Append the records of refusals."""
    for each in refusals:
        record = refused(each.deed, each.status, each.code, each.times, tx.now, tx.new_id())
        tx.audit_trail.add(record)


def forget(engine: Engine, retention: Retention) -> int:
    """Delete what is older, or more, than is to be kept, in small transactions and not without end: what is left then
    is for the next time. How many were deleted before their time was over, because there were too many.
    """
    _forget_before(engine, engine.look(lambda tx: earliest_id(tx.now - timedelta(days=retention.days))))
    # The oldest of those that stay.
    over = engine.look(lambda tx: tx.audit_trail.beyond(retention.most - 1))
    return 0 if over is None else _forget_before(engine, over)


def _forget_before(engine: Engine, before: str) -> int:
    forgotten = 0
    for _ in range(_MOST_PIECES):
        piece = engine.run(lambda tx: tx.audit_trail.forget(before, PIECE))
        forgotten += piece
        if piece < PIECE:
            break
    return forgotten
