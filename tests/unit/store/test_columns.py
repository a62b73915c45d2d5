from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from typing import NewType

import msgspec
import pytest

from fairlead.store.columns import TEXT, TIME, kept

Name = NewType("Name", str)
Nickname = NewType("Nickname", Name)


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    name: Name | None = None


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    ("annotation", "value", "plain"),
    [
        (Colour, Colour.RED, "red"),
        (Colour | None, Colour.RED, "red"),
        (tuple[Point, ...], (Point(1, Name("a")), Point(2)), '[{"x":1,"name":"a"},{"x":2,"name":null}]'),
        (dict[str, str], {"b": "1", "a": "2"}, '{"a":"2","b":"1"}'),
        (Point | None, Point(3), '{"x":3,"name":null}'),
    ],
)
def test_values_are_written_and_read_back(
    dialect: str, annotation: object, value: object, plain: object
) -> None:
    field = kept(annotation, dialect)
    assert field.write
    assert field.read
    assert field.write(value) == plain
    assert field.read(plain) == value
    assert field.type is TEXT


@pytest.mark.parametrize("annotation", [str, int, float, Name, Nickname, Nickname | None])
def test_plain_values_cost_nothing(annotation: object) -> None:
    for dialect in ("sqlite", "postgresql"):
        assert (kept(annotation, dialect).write, kept(annotation, dialect).read) == (None, None)


def test_sqlite_has_times_as_text_in_the_order_of_time() -> None:
    field = kept(datetime | None, "sqlite")
    assert field.type is TIME
    assert field.nullable
    assert field.write
    assert field.read
    whole = datetime(2026, 1, 1, tzinfo=UTC)
    later = whole.astimezone(timezone(timedelta(hours=-9))) + timedelta(microseconds=1)
    assert field.write(whole) == "2026-01-01T00:00:00.000000+00:00"
    assert str(field.write(whole)) < str(field.write(later))
    assert field.read(field.write(later)) == later


def test_a_document_that_is_not_of_its_type_is_not_read() -> None:
    field = kept(tuple[Point, ...], "sqlite")
    assert field.read
    with pytest.raises(msgspec.ValidationError):
        field.read('[{"x":"one"}]')


def test_a_choice_of_types_is_kept_in_no_column() -> None:
    with pytest.raises(TypeError):
        kept(str | int, "sqlite")
