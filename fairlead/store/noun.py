"""Declares how a noun of the model is a table, and carries its rows over and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Generic, TypeVar, get_type_hints

import sqlalchemy as sa

from fairlead.control.boundary import Key
from fairlead.store.columns import SEQUENCE, kept

Row = TypeVar("Row")

METADATA = sa.MetaData(naming_convention={"pk": "pk_%(table_name)s"})
"""Every table of the store. All other constraints are named where they are declared."""


@dataclass(frozen=True, slots=True)
class Noun(Generic[Row]):
    """A frozen dataclass of the model and its table. `kind` is its glossary word."""

    model: type[Row]
    kind: str
    table: sa.Table
    key: tuple[str, ...]
    order: tuple[str, ...]
    """Columns that `find` orders by."""
    annotations: Mapping[str, object]
    is_counted: bool
    """Whether the database gives the key."""

    @property
    def has_revision(self) -> bool:
        """Whether a change must name the revision that it read."""
        return "revision" in self.annotations

    def key_values(self, key: Key) -> tuple[str, ...]:
        """The key's parts, one for each of its columns; another number of them is a programming error."""
        values = (key,) if isinstance(key, str) else key
        if len(values) != len(self.key):
            raise TypeError(f"the key of a {self.kind} is {self.key}, not {key!r}")
        return values


def declare(
    model: type[Row],
    name: str,
    kind: str,
    *rules: sa.schema.SchemaItem,
    key: tuple[str, ...] = ("id",),
    order: tuple[str, ...] = (),
    is_counted: bool = False,
) -> Noun[Row]:
    """The noun of a frozen dataclass: one column for each field, `rules` are its constraints and indexes.

    Rows are found in the order of `order`, then of the key. `is_counted`: the database gives the key, and
    never the same again.
    """
    annotations = get_type_hints(model)
    columns = [
        sa.Column(
            field,
            SEQUENCE if is_counted and field in key else kept(annotation, "postgresql").type,
            primary_key=field in key,
            nullable=kept(annotation, "postgresql").nullable,
        )
        for field, annotation in annotations.items()
    ]
    table = sa.Table(name, METADATA, *columns, *rules)
    if is_counted:
        table.dialect_options["sqlite"]["autoincrement"] = True
    order = (*order, *(part for part in key if part not in order))
    return Noun(model, kind, table, key, order, annotations, is_counted)


class Carrier(Generic[Row]):
    """Carries rows of one noun to one dialect's parameters and back."""

    __slots__ = ("_fields", "_model", "_names", "_readers", "_values", "_writers")

    def __init__(self, noun: Noun[Row], dialect: str) -> None:
        self._model = noun.model
        self._names = tuple(noun.annotations)
        self._values = attrgetter(*self._names)
        self._fields = {name: kept(annotation, dialect) for name, annotation in noun.annotations.items()}
        self._writers = [(name, field.write) for name, field in self._fields.items() if field.write]
        self._readers = [(at, field.read) for at, field in enumerate(self._fields.values()) if field.read]

    def parameters(self, row: Row) -> dict[str, object]:
        """What a statement takes for the row, by column."""
        values = dict(zip(self._names, self._values(row), strict=True))
        for name, write in self._writers:
            if (value := values[name]) is not None:
                values[name] = write(value)
        return values

    def row(self, values: Sequence[object]) -> Row:
        """The row that the database answered, its columns in the order of the fields."""
        made = list(values)
        for at, read in self._readers:
            if (value := made[at]) is not None:
                made[at] = read(value)
        return self._model(*made)

    def read(self, name: str, value: object) -> object:
        """A value of one column, as the database answered it."""
        field = self._fields[name]
        return value if value is None or field.read is None else field.read(value)

    def changed(self, row: Row, fields: Mapping[str, object]) -> Row:
        """The row with other values of these fields."""
        return self._model(**{**dict(zip(self._names, self._values(row), strict=True)), **fields})

    def written(self, name: str, value: object) -> object:
        """A value as a statement compares the column with it; raises TypeError where it has no such column
        or it is a document, which is never searched.
        """
        field = self._fields.get(name)
        if field is None or field.is_document:
            raise TypeError(f"{self._model.__name__} is not found by {name}")
        return value if field.write is None else field.write(value)

    def check(self, name: str) -> None:
        """Raises TypeError where there is no such column."""
        if name not in self._fields:
            raise TypeError(f"{self._model.__name__} has no {name}")
