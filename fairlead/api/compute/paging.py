"""limit, marker and the link to the next page, as all lists of the compute API have them."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from fairlead.api.call import Call
from fairlead.model.errors import InvalidValue

Row = TypeVar("Row")
Json = dict[str, object]

MOST = 1000
"""Rows of a page at most; Nova's [api]max_limit."""
_WIDEST = 9


def paged(call: Call, rows: Sequence[Row], key: Callable[[Row], str]) -> tuple[Sequence[Row], bool]:
    """The rows behind `marker`, `limit` of them at most, and whether there are more. Raises InvalidValue."""
    limit = limit_of(call)
    start = _start(call, rows, key)
    found = rows[start : start + limit]
    return found, limit > 0 and start + limit < len(rows)


def limit_of(call: Call) -> int:
    """Rows that a page shall have at most. Raises InvalidValue."""
    given = call.first("limit")
    if given is None:
        return MOST
    if not (given.isascii() and given.isdigit() and len(given) <= _WIDEST):
        raise InvalidValue("limit", given, "a whole number of rows, 0 or more")
    return min(int(given), MOST)


def next_links(call: Call, path: str, last: str) -> list[Json]:
    """The link that leads on behind the row with the key `last`: the same question with another marker."""
    query = [(name, value) for name, value in call.query if name != "marker"]
    return [{"rel": "next", "href": call.url(f"{path}?{urlencode([*query, ('marker', last)])}")}]


def unknown_marker(marker: str) -> InvalidValue:
    """There is no such row, or none that the caller may see."""
    return InvalidValue("marker", marker, "the id of a row of this list")


def _start(call: Call, rows: Sequence[Row], key: Callable[[Row], str]) -> int:
    marker = call.first("marker")
    if marker is None:
        return 0
    found = next((at for at, row in enumerate(rows) if key(row) == marker), None)
    if found is None:
        raise unknown_marker(marker)
    return found + 1
