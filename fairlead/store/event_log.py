"""Events of one transaction: gathered, written together before the commit, read by their ids."""

import sqlalchemy as sa

from fairlead.model.errors import Conflict
from fairlead.model.server import Event
from fairlead.store import constraints
from fairlead.store.constraints import Verb
from fairlead.store.dialect import Diagnosis
from fairlead.store.rows import Mapped
from fairlead.store.session import Session


class EventLog:
    """Appends and reads. Written last, because on PostgreSQL one transaction at a time may write events
    (Dialect.before_events), and that should be for as short as can be.
    """

    __slots__ = ("_events", "_gathered", "_lock", "_session")

    def __init__(self, session: Session, events: Mapped[Event], lock: str | None) -> None:
        self._session = session
        self._events = events
        self._lock = lock
        self._gathered: list[Event] = []

    def record(self, event: Event) -> None:
        """Append; its `id` is given when it is written."""
        self._gathered.append(event)

    def gathered(self) -> tuple[Event, ...]:
        """Those that are not written yet."""
        return tuple(self._gathered)

    def take_back(self, gathered: tuple[Event, ...]) -> None:
        """These and no others are to be written: what was written since they were gathered is undone."""
        self._gathered[:] = gathered

    def write(self) -> None:
        """Write what was gathered."""
        if self._gathered and self._lock:
            self._session.rows(self._lock, {})
        for event in self._gathered:
            parameters = self._events.carrier.parameters(event)
            del parameters["id"]
            self._session.change(self._events.statements.insert, parameters, _refused)
        self._gathered.clear()

    def after(self, number: int, limit: int, **where: str) -> tuple[Event, ...]:
        """Events with a greater id whose columns equal the values, oldest first."""
        self.write()
        text = self._events.statements.kept(("after", *where), lambda: self._query(tuple(where)))
        found = self._session.rows(text, {"after": number, "most": limit, **where})
        return tuple(map(self._events.carrier.row, found))

    def _query(self, names: tuple[str, ...]) -> sa.ClauseElement:
        table = self._events.noun.table
        same = [table.c[name] == sa.bindparam(name) for name in names]
        newer = table.c.id > sa.bindparam("after")
        found = sa.select(table).where(newer, *same).order_by(table.c.id)
        # SQLAlchemy gives SQLite an OFFSET with each LIMIT, and would make it a parameter.
        return found.limit(sa.bindparam("most")).offset(sa.literal_column("0"))


def _refused(found: Diagnosis) -> Conflict:
    return constraints.reference(Verb.ADD, "event", "", found.table)
