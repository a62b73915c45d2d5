"""How a field of the model is kept in a column: the column's type, and the way there and back.

str, int, float and bool are kept as they are; an Enum as its value; a datetime in UTC; everything else (tuples,
dicts, nested dataclasses) as a JSON document that msgspec checks on the way back. A union of dataclasses is a document
with the name of the one that it is.
"""

from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from types import UnionType
from typing import Union, cast, get_args, get_origin

import msgspec
import sqlalchemy as sa

# PostgreSQL's "C" orders and compares text by bytes, as SQLite does; PCI addresses and UUIDs rely on it.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
# SQLite has no time type: text of fixed width in UTC has the order of time.
TIME = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A key that the database counts up: SQLite counts in INTEGER alone."""

Conversion = Callable[[object], object]

# What the types below are to Python's checker; a column never sees them, its driver's values are plain.
ColumnType = sa.Text | sa.BigInteger | sa.Double[float] | sa.Boolean

_documents = msgspec.json.Encoder(order="deterministic")
_named_documents = msgspec.json.Decoder(dict[str, msgspec.Raw])
_PLAIN: dict[object, ColumnType] = {
    str: TEXT,
    int: sa.BigInteger(),
    float: sa.Double(),
    bool: sa.Boolean(),
    datetime: TIME,
}


@dataclass(frozen=True, slots=True)
class Kept:
    """One field as it is kept. `write` and `read` None: the value is kept as it is. Neither sees None."""

    type: ColumnType
    nullable: bool
    is_document: bool
    write: Conversion | None
    read: Conversion | None


def kept(annotation: object, dialect: str) -> Kept:
    """How a field with that annotation is kept on `sqlite` or `postgresql`."""
    kinds, nullable = _without_none(annotation)
    if len(kinds) > 1:
        return Kept(TEXT, nullable, is_document=True, write=_named_document, read=_named_reader(kinds))
    inner = _without_name(kinds[0])
    if isinstance(inner, type) and issubclass(inner, Enum):
        by_value: dict[object, object] = {member.value: member for member in inner}
        return Kept(TEXT, nullable, is_document=False, write=_enum_value, read=by_value.__getitem__)
    if inner in _PLAIN:
        write, read = _PLAIN_CONVERSIONS.get((inner, dialect), (None, None))
        return Kept(_PLAIN[inner], nullable, is_document=False, write=write, read=read)
    return Kept(TEXT, nullable, is_document=True, write=_document, read=_document_reader(inner))


def many(values: list[object], dialect: str) -> object:
    """A list as one parameter of a statement: an array, or SQLite's JSON."""
    return values if dialect == "postgresql" else _document(values)


def _without_none(annotation: object) -> tuple[list[object], bool]:
    if get_origin(annotation) not in (Union, UnionType):
        return [annotation], False
    inner = [arg for arg in get_args(annotation) if arg is not type(None)]
    if len(inner) > 1 and not all(map(is_dataclass, inner)):
        raise TypeError(f"{annotation} is kept in no column: only one type or dataclasses, and None")
    return inner, len(inner) < len(get_args(annotation))


def _without_name(annotation: object) -> object:
    """What a NewType stands for, itself otherwise."""
    while (inner := getattr(annotation, "__supertype__", None)) is not None:
        annotation = inner
    return annotation


def _enum_value(value: object) -> object:
    return cast("Enum", value).value


def _document(value: object) -> str:
    return _documents.encode(value).decode()


def _document_reader(kind: object) -> Conversion:
    # msgspec takes any annotation it can decode, which mypy cannot say of an object.
    return cast("Conversion", msgspec.json.Decoder(cast("type[object]", kind)).decode)


def _named_document(value: object) -> str:
    return _document({type(value).__name__: value})


def _named_reader(kinds: list[object]) -> Conversion:
    readers = {cast("type[object]", kind).__name__: _document_reader(kind) for kind in kinds}

    def read(text: object) -> object:
        ((name, document),) = _named_documents.decode(cast("str", text)).items()
        return readers[name](document)

    return read


def _time_text(value: object) -> object:
    return cast("datetime", value).astimezone(UTC).isoformat(timespec="microseconds")


def _time_in_utc(value: object) -> object:
    # The connection's time zone is UTC (postgresql.py), so only the object that says so is exchanged.
    return cast("datetime", value).replace(tzinfo=UTC)


_PLAIN_CONVERSIONS: dict[tuple[object, str], tuple[Conversion | None, Conversion]] = {
    (bool, "sqlite"): (None, bool),
    (datetime, "sqlite"): (_time_text, cast("Conversion", datetime.fromisoformat)),
    (datetime, "postgresql"): (None, _time_in_utc),
}
