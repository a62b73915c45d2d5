"""Queries of lists in Neutron's way: filters, fields, sorting, paging with links."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.bodies import InvalidField
from fairlead.api.call import Call
from fairlead.model.errors import NotFound

Shown = dict[str, object]
Filter = Callable[[Shown, list[str]], bool]

_PAGING = frozenset({"fields", "limit", "marker", "page_reverse", "sort_key", "sort_dir"})
_TAGS = frozenset({"tags", "tags-any", "not-tags", "not-tags-any"})
_CHANGED_SINCE = "changed_since"
"""A filter of everything that says when it last changed (Neutron's standard-attr-timestamp)."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?", re.ASCII)
_TRUE = frozenset({"true", "1", "yes", "on"})


@dataclass(frozen=True, slots=True)
class Collection:
    """A list. `attributes` are those that a filter or sort key may name; `columns` says for some of them which
    column the database compares; `special` are filters of their own. `key` is what a marker names.
    """

    plural: str
    kind: str
    attributes: Sequence[str]
    columns: Mapping[str, str] = field(default_factory=dict)
    special: Mapping[str, Filter] = field(default_factory=dict)
    key: str = "id"


def filters(call: Call, collection: Collection) -> dict[str, list[str]]:
    """The values of each filter; raises InvalidField for one that the list does not have."""
    found: dict[str, list[str]] = {}
    for key, value in call.query:
        if key not in _PAGING:
            found.setdefault("project_id" if key == "tenant_id" else key, []).append(value)
    known = {*collection.attributes, *collection.special, *_TAGS}
    if "updated_at" in known:
        known.add(_CHANGED_SINCE)
    if unknown := [key for key in found if key not in known]:
        raise InvalidField(f"{unknown[:10]} is invalid attribute for filtering", field=unknown[0])
    return found


def where(call: Call, collection: Collection) -> dict[str, tuple[str, ...]]:
    """The part of the filters that the database can do, by column; doing it again does no harm."""
    given = filters(call, collection)
    return {collection.columns[key]: tuple(given[key]) for key in given if key in collection.columns}


def answer(call: Call, collection: Collection, rows: Sequence[Shown]) -> Response:
    """The list as it was asked for."""
    given = filters(call, collection)
    matching = [row for row in rows if all(_matches(collection, row, *item) for item in given.items())]
    page, links = _page(call, collection, _sorted(call, collection, matching))
    body: dict[str, object] = {collection.plural: [only_fields(call, row) for row in page]}
    if links:
        body[f"{collection.plural}_links"] = links
    return document(body)


def only_fields(call: Call, row: Shown) -> Shown:
    """The attributes that `fields` names; all without it."""
    wanted = {value for key, value in call.query if key == "fields" and value}
    return {key: value for key, value in row.items() if key in wanted} if wanted else row


def _matches(collection: Collection, row: Shown, key: str, values: list[str]) -> bool:
    if key in collection.special:
        return collection.special[key](row, values)
    if key in _TAGS:
        return _tags_match(row, key, values)
    if key == _CHANGED_SINCE:
        return any(str(row["updated_at"]) >= _time(value) for value in values)
    return any(_equals(row.get(key), value) for value in values)


def _time(text: str) -> str:
    """As the rows write their times, in UTC and of fixed width, so that they compare as text."""
    if not _TIME.fullmatch(text):
        message = "The input changed_since must be in the following format: YYYY-MM-DDTHH:MM:SS[Z]"
        raise InvalidField(message, field=_CHANGED_SINCE)
    return f"{text.removesuffix('Z')}Z"


def _equals(shown: object, text: str) -> bool:
    match shown:
        case bool():
            return shown == (text.lower() in _TRUE)
        case None:
            return not text
        case _:
            return str(shown) == text


def _tags_match(row: Shown, key: str, values: list[str]) -> bool:
    have = row.get("tags")
    asked = {tag for value in values for tag in value.split(",")}
    common = asked & set(have if isinstance(have, list) else ())
    found = bool(common) if key.endswith("-any") else common == asked
    return found is not key.startswith("not-")


def _sorted(call: Call, collection: Collection, rows: list[Shown]) -> list[Shown]:
    keys = [value for key, value in call.query if key == "sort_key"]
    directions = [value for key, value in call.query if key == "sort_dir"]
    if directions and len(directions) != len(keys):
        raise InvalidField("The number of sort_keys and sort_dirs must be same", field="sort_dir")
    if bad := [d for d in directions if d not in ("asc", "desc")]:
        raise InvalidField(f"{bad[0][:80]} is invalid value for sort_dirs, it should be 'asc' and 'desc'")
    if bad := [k for k in keys if k not in collection.attributes]:
        raise InvalidField(f"{bad[:10]} is invalid attribute for sort_keys", field="sort_key")
    ordered = list(rows)
    for key, direction in reversed(list(zip(keys, directions or ["asc"] * len(keys), strict=True))):
        ordered.sort(key=_SortBy(key), reverse=direction == "desc")
    return ordered


@dataclass(frozen=True, slots=True)
class _SortBy:
    """Absent first, then numbers, then text: values of one attribute can always be compared."""

    attribute: str

    def __call__(self, row: Shown) -> tuple[int, float, str]:
        return _sort_value(row.get(self.attribute))


def _sort_value(shown: object) -> tuple[int, float, str]:
    match shown:
        case None:
            return (0, 0, "")
        case bool() | int() | float():
            return (1, float(shown), "")
        case _:
            return (2, 0, str(shown))


def _page(call: Call, collection: Collection, rows: list[Shown]) -> tuple[list[Shown], list[Shown]]:
    limit = _limit(call.first("limit"))
    marker = call.first("marker")
    is_reverse = (call.first("page_reverse") or "").lower() in _TRUE
    if marker:
        at = next((i for i, row in enumerate(rows) if row[collection.key] == marker), None)
        if at is None:
            raise NotFound(collection.kind, marker)
        rows = rows[:at] if is_reverse else rows[at + 1 :]
    if not limit:
        return rows, []
    page = rows[-limit:] if is_reverse else rows[:limit]
    return page, _links(
        call, [str(row[collection.key]) for row in page], is_full=len(page) == limit, is_reverse=is_reverse
    )


def _limit(text: str | None) -> int:
    if text is None:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 18:  # noqa: PLR2004
        message = f"Limit must be an integer 0 or greater and not '{text[:80]}'"
        raise InvalidField(message, field="limit")
    return int(text)


def _links(call: Call, page: list[str], *, is_full: bool, is_reverse: bool) -> list[Shown]:
    """As Neutron: no link past a page that is not full, none before the first."""
    links: list[Shown] = []
    marker = call.first("marker")
    if page and (is_full or is_reverse):
        links.append({"rel": "next", "href": _href(call, page[-1], is_reverse=False)})
    if page and ((marker and not is_reverse) or (is_reverse and is_full)):
        links.append({"rel": "previous", "href": _href(call, page[0], is_reverse=True)})
    if not page and marker and not is_reverse:
        links.append({"rel": "previous", "href": _href(call, marker, is_reverse=True)})
    return links


def _href(call: Call, marker: str, *, is_reverse: bool) -> str:
    kept = [(key, value) for key, value in call.query if key not in ("marker", "page_reverse")]
    added = [("marker", marker), *([("page_reverse", "True")] if is_reverse else [])]
    return f"{call.url(call.request.scope['path'])}?{urlencode([*kept, *added])}"
