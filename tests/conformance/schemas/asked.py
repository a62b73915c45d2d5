"""Shapes that differ by microversion, and by who asks."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.conformance.schemas.shapes import URL, Schema, many, one_of, thing


@dataclass(frozen=True)
class Asked:
    """The microversion of a request, and whether the operator asks."""

    version: tuple[int, int]
    by_operator: bool


Shape = Schema | Callable[[Asked], Schema]
"""A schema, or what makes it."""

LINKS = many(thing({"rel": one_of("self", "bookmark", "next"), "href": URL}))
DIGEST: Schema = {"type": "string", "pattern": "^([0-9a-f]{56})?$"}


def since(asked: Asked, first: int, shapes: dict[str, Schema]) -> dict[str, Schema]:
    """These from 2.`first` on."""
    return shapes if asked.version >= (2, first) else {}


def until(asked: Asked, last: int, shapes: dict[str, Schema]) -> dict[str, Schema]:
    """These up to 2.`last`."""
    return shapes if asked.version <= (2, last) else {}
