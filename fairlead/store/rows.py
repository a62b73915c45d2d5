"""control.boundary.Rows over a table."""

from dataclasses import dataclass
from typing import Generic, TypeVar, cast

import sqlalchemy as sa

from fairlead.control.boundary import Key
from fairlead.model.audit_trail import Did
from fairlead.model.errors import Conflict, NotFound
from fairlead.store import columns, constraints
from fairlead.store.constraints import Verb
from fairlead.store.dialect import Cause, Diagnosis, Parameters
from fairlead.store.noun import Carrier, Noun
from fairlead.store.references import referrers
from fairlead.store.session import Session
from fairlead.store.statements import Match, Shape, Statements

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Mapped(Generic[Row]):
    """A noun made ready for one dialect; made once for a database and shared by its transactions."""

    noun: Noun[Row]
    carrier: Carrier[Row]
    statements: Statements
    dialect: str


def mapped(noun: Noun[Row], dialect: sa.Dialect) -> Mapped[Row]:
    """The noun made ready for the dialect."""
    # Statements looks at the table alone, never at a row.
    statements = Statements(cast("Noun[object]", noun), dialect)
    return Mapped(noun, Carrier(noun, dialect.name), statements, dialect.name)


class SqlRows(Generic[Row]):
    """All rows of one noun, in one transaction."""

    __slots__ = ("_carrier", "_dialect", "_noun", "_session", "_statements", "kind")

    def __init__(self, session: Session, noun: Mapped[Row]) -> None:
        self.kind = noun.noun.kind
        self._session = session
        self._noun = noun.noun
        self._carrier = noun.carrier
        self._statements = noun.statements
        self._dialect = noun.dialect

    def get(self, key: Key) -> Row | None:
        """The row, or None."""
        return self._one(self._statements.get, key)

    def fetch(self, key: Key) -> Row:
        """The row; raises NotFound."""
        return self._present(self._one(self._statements.get, key), key)

    def lock(self, key: Key) -> Row:
        """The row, newest, held against all others until the transaction ends; raises NotFound."""
        return self._present(self.hold(key), key)

    def hold(self, key: Key) -> Row | None:
        """The row, newest, held against all others until the transaction ends; None: it is not there."""
        return self._one(self._statements.lock, key)

    def share(self, key: Key) -> Row | None:
        """The row, newest, which nobody changes until the transaction ends; None: it is not there."""
        return self._one(self._statements.share, key)

    def find(self, **where: object) -> tuple[Row, ...]:
        """Rows whose columns equal the values, in the noun's order. A tuple means one of these, None absent."""
        parameters: dict[str, object] = {}
        shape = self._shape(where, parameters)
        return () if shape is None else self._found(self._statements.find(shape), parameters)

    def newest(self, most: int, before: Row | None = None, /, **where: object) -> tuple[Row, ...]:
        """The last `most` rows of those that `find` would find, or of those that come before that row, backwards."""
        parameters: dict[str, object] = {"most": most}
        shape = self._shape(where, parameters)
        if shape is None:
            return ()
        if before is not None:
            kept = self._carrier.parameters(before)
            parameters |= {f"before_{name}": kept[name] for name in self._noun.order}
        statement = self._statements.newest(shape, is_before=before is not None)
        return self._found(statement, parameters)

    def count(self, **where: object) -> int:
        """How many rows `find` would find."""
        parameters: dict[str, object] = {}
        shape = self._shape(where, parameters)
        if shape is None:
            return 0
        return cast("int", self._session.rows(self._statements.count(shape), parameters)[0][0])

    def tally(self, name: str, values: tuple[str, ...]) -> dict[str, int]:
        """How many rows have each of the values in that column; a value that none has is not in it."""
        if not values:
            return {}
        statement = self._statements.tally(name)
        return {
            cast("str", value): cast("int", count)
            for value, count in self._session.rows(
                statement, {name: columns.many(list(values), self._dialect)}
            )
        }

    def add(self, row: Row) -> None:
        """Insert; raises Conflict with the code of the constraint that forbids it."""
        parameters = self._carrier.parameters(row)
        self._change(self._statements.insert, parameters, Verb.ADD)
        self._wrote(tuple(str(parameters[part]) for part in self._noun.key), Did.CREATED)

    def put(self, row: Row) -> Row:
        """Replace the row of the same key; the row as it is now, at its next revision."""
        parameters = self._carrier.parameters(row)
        key = tuple(str(parameters[part]) for part in self._noun.key)
        parameters |= self._at(key)
        if not self._noun.has_revision:
            if not self._change(self._statements.update, parameters, Verb.PUT):
                raise NotFound(self.kind, _shown(key))
            self._wrote(key, Did.CHANGED)
            return row
        read = cast("int", parameters["revision"])
        parameters |= {"at_revision": read, "revision": read + 1}
        if not self._change(self._statements.update, parameters, Verb.PUT):
            self.fetch(key)
            raise Conflict("stale", f"{self.kind.capitalize()} {_shown(key)} has changed since it was read.")
        self._wrote(key, Did.CHANGED)
        return self._carrier.changed(row, {"revision": read + 1})

    def touch(self, row: Row, **fields: object) -> Row:
        """Write these fields of a locked row and no other; its revision stays. Raises NotFound."""
        touched = self._carrier.changed(row, fields)
        parameters = self._carrier.parameters(touched)
        key = tuple(str(parameters[part]) for part in self._noun.key)
        written = {name: parameters[name] for name in fields} | self._at(key)
        if not self._change(self._statements.touch(tuple(fields)), written, Verb.PUT):
            raise NotFound(self.kind, _shown(key))
        return touched

    def remove(self, key: Key) -> None:
        """Delete; nothing happens when it is not there. Raises Conflict `in_use` where rows refer to it."""
        if self._change(self._statements.delete, self._at(key), Verb.REMOVE):
            self._wrote(self._noun.key_values(key), Did.DELETED)

    def _one(self, statement: str, key: Key) -> Row | None:
        found = self._session.rows(statement, self._at(key))
        return self._carrier.row(found[0]) if found else None

    def _present(self, row: Row | None, key: Key) -> Row:
        if row is None:
            raise NotFound(self.kind, _shown(key))
        return row

    def _found(self, statement: str, parameters: Parameters) -> tuple[Row, ...]:
        return tuple(map(self._carrier.row, self._session.rows(statement, parameters)))

    def _at(self, key: Key) -> dict[str, object]:
        parts = self._noun.key_values(key)
        return {f"at_{name}": part for name, part in zip(self._noun.key, parts, strict=True)}

    def _shape(self, where: dict[str, object], parameters: dict[str, object]) -> Shape | None:
        """How to compare each column, with what put among the parameters; None: nothing can match."""
        shape: list[tuple[str, Match]] = []
        for name, value in where.items():
            match = self._matching(name, value, parameters)
            if match is None:
                return None
            shape.append((name, match))
        return tuple(shape)

    def _matching(self, name: str, value: object, parameters: dict[str, object]) -> Match | None:
        """How to compare, with what put among the parameters; None: nothing can match."""
        if value is None:
            self._carrier.check(name)
            return Match.ABSENT
        if not isinstance(value, tuple):
            parameters[name] = self._carrier.written(name, value)
            return Match.EQUALS
        present = [self._carrier.written(name, item) for item in value if item is not None]
        if not present:
            return Match.ABSENT if value else None
        parameters[name] = columns.many(present, self._dialect)
        return Match.IN if len(present) == len(value) else Match.IN_OR_ABSENT

    def _wrote(self, key: tuple[str, ...], did: Did) -> None:
        self._session.writes.append((self.kind, _shown(key), did))

    def _change(self, statement: str, parameters: Parameters, verb: Verb) -> int:
        return self._session.change(
            statement, parameters, lambda found: self._refusal(found, parameters, verb)
        )

    def _refusal(self, found: Diagnosis, parameters: Parameters, verb: Verb) -> Conflict:
        if found.cause is Cause.DUPLICATE:
            return constraints.duplicate(found.constraint, self.kind, parameters)
        key = _shown(
            tuple(str(parameters.get(f"at_{part}", parameters.get(part))) for part in self._noun.key)
        )
        table = found.table or (self._referrer(parameters) if verb is Verb.REMOVE else None)
        return constraints.reference(verb, self.kind, key, table)

    def _referrer(self, parameters: Parameters) -> str | None:
        """The table whose row forbids that this one goes: SQLite does not say, but can still be asked."""
        for table, column in referrers(self._noun.table):
            names_it = sa.select(sa.exists().where(column == sa.bindparam("at_id")))
            if self._session.rows(self._statements.text(names_it), parameters)[0][0]:
                return table.name
        return None


def _shown(key: Key) -> str:
    return key if isinstance(key, str) else "/".join(key)
