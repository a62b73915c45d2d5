"""The SQL of one noun in one dialect, written by SQLAlchemy once for each shape and kept."""

from collections.abc import Callable
from enum import Enum
from functools import cached_property

import sqlalchemy as sa

from fairlead.store.noun import Noun


class Match(Enum):
    """How a column is compared in a search."""

    EQUALS = "equals"
    IN = "in"
    ABSENT = "absent"
    IN_OR_ABSENT = "in or absent"


Shape = tuple[tuple[str, Match], ...]


class Statements:
    """Texts for a driver. Threads may share it: what two make at once is the same text."""

    def __init__(self, noun: Noun[object], dialect: sa.Dialect) -> None:
        self._table = noun.table
        self._noun = noun
        self._dialect = dialect
        self._at_key = [noun.table.c[part] == sa.bindparam(f"at_{part}") for part in noun.key]
        self._kept: dict[tuple[object, ...], str] = {}

    @cached_property
    def get(self) -> str:
        """The row of a key (`at_<column>`)."""
        return self.text(sa.select(self._table).where(*self._at_key))

    @cached_property
    def lock(self) -> str:
        """The same, held. NO KEY: others may still add rows that refer to it, which need its key alone;
        SQLite's whole transaction is a lock, and its dialect leaves the words out.
        """
        return self.text(sa.select(self._table).where(*self._at_key).with_for_update(key_share=True))

    @cached_property
    def share(self) -> str:
        """The same, held by any number at once against whoever would `lock`, change or delete it."""
        return self.text(sa.select(self._table).where(*self._at_key).with_for_update(read=True))

    @cached_property
    def insert(self) -> str:
        """A row with all its columns; one without a key where the database counts it."""
        columns = [c for c in self._table.columns if not (c.primary_key and self._noun.is_counted)]
        return self.text(sa.insert(self._table).inline().values({c: sa.bindparam(c.name) for c in columns}))

    @cached_property
    def update(self) -> str:
        """Every column of the row of that key, and, with a revision, of the revision `at_revision`."""
        columns = [column for column in self._table.columns if not column.primary_key]
        where = list(self._at_key)
        if self._noun.has_revision:
            where.append(self._table.c.revision == sa.bindparam("at_revision"))
        update = sa.update(self._table).where(*where)
        return self.text(update.values({column: sa.bindparam(column.name) for column in columns}))

    def touch(self, names: tuple[str, ...]) -> str:
        """These columns of the row of a key, at whatever revision."""
        return self.kept(("touch", *names), lambda: self._touch(names))

    @cached_property
    def delete(self) -> str:
        """The row of a key."""
        return self.text(sa.delete(self._table).where(*self._at_key))

    def find(self, shape: Shape) -> str:
        """All rows that match, in the noun's order; the parameters are named as the columns."""
        return self.kept(shape, lambda: self._find(shape))

    def newest(self, shape: Shape, *, is_before: bool) -> str:
        """The last `most` of those rows, backwards; of those before the place `before_<column>` in the order."""
        return self.kept(("newest", is_before, *shape), lambda: self._newest(shape, is_before=is_before))

    def count(self, shape: Shape) -> str:
        """The number of those rows."""
        return self.kept(("count", *shape), lambda: self._count(shape))

    def tally(self, name: str) -> str:
        """Each value of the column that is in the list of its name, with the number of its rows."""
        column = self._table.c[name]
        counted = sa.select(column, sa.func.count()).where(self.is_one_of(name)).group_by(column)
        return self.kept(("tally", name), lambda: counted)

    def kept(self, key: tuple[object, ...], write: Callable[[], sa.ClauseElement]) -> str:
        """The text of that key; written at its first use."""
        text = self._kept.get(key)
        if text is None:
            text = self._kept[key] = self.text(write())
        return text

    def text(self, statement: sa.ClauseElement) -> str:
        """The statement in the dialect's own words."""
        return str(statement.compile(dialect=self._dialect))

    def is_one_of(self, name: str) -> sa.ColumnElement[bool]:
        """The column is in the list that the parameter of its name holds: one shape for any length."""
        column = self._table.c[name]
        if self._dialect.name == "postgresql":
            return column == sa.any_(sa.bindparam(name, type_=sa.ARRAY(column.type)))
        items = sa.func.json_each(sa.bindparam(name)).table_valued("value")
        return column.in_(sa.select(items.c.value))

    def _touch(self, names: tuple[str, ...]) -> sa.ClauseElement:
        update = sa.update(self._table).where(*self._at_key)
        return update.values({self._table.c[name]: sa.bindparam(name) for name in names})

    def _find(self, shape: Shape) -> sa.ClauseElement:
        order = [self._table.c[name] for name in self._noun.order]
        return sa.select(self._table).where(*(self._condition(*part) for part in shape)).order_by(*order)

    def _newest(self, shape: Shape, *, is_before: bool) -> sa.ClauseElement:
        order = [self._table.c[name] for name in self._noun.order]
        where = [self._condition(*part) for part in shape]
        if is_before:
            place = [sa.bindparam(f"before_{column.name}", type_=column.type) for column in order]
            where.append(sa.tuple_(*order) < sa.tuple_(*place))
        found = sa.select(self._table).where(*where).order_by(*(column.desc() for column in order))
        # SQLAlchemy gives SQLite an OFFSET with each LIMIT, and would make it a parameter.
        return found.limit(sa.bindparam("most")).offset(sa.literal_column("0"))

    def _count(self, shape: Shape) -> sa.ClauseElement:
        where = (self._condition(*part) for part in shape)
        return sa.select(sa.func.count()).select_from(self._table).where(*where)

    def _condition(self, name: str, match: Match) -> sa.ColumnElement[bool]:
        column = self._table.c[name]
        match match:
            case Match.EQUALS:
                return column == sa.bindparam(name)
            case Match.IN:
                return self.is_one_of(name)
            case Match.ABSENT:
                return column.is_(None)
            case Match.IN_OR_ABSENT:
                return sa.or_(self.is_one_of(name), column.is_(None))
