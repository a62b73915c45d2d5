"""GET /images: filters, sorting and paging in Glance's way."""

import re
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from operator import eq, ge, gt, le, lt, ne
from urllib.parse import urlencode

from starlette.responses import Response

from fairlead.access.rules import Target
from fairlead.api.answers import document
from fairlead.api.bodies import InvalidField
from fairlead.api.call import Call
from fairlead.api.image.document import Document, shown
from fairlead.control import image_members
from fairlead.control.boundary import Tx
from fairlead.control.images import VISIBILITIES
from fairlead.control.subjects import IMAGE, of_image
from fairlead.model.errors import NotFound
from fairlead.model.image_member import MemberStatus
from fairlead.model.server import Image

DEFAULT_LIMIT, MOST = 1000, 10_000
_PAGING = frozenset({"limit", "marker", "sort_key", "sort_dir", "sort", "member_status"})
_SORTABLE = frozenset(
    {
        "name",
        "status",
        "container_format",
        "disk_format",
        "size",
        "id",
        "created_at",
        "updated_at",
        "min_disk",
    }
)
_LISTS = frozenset({"id", "name", "status", "container_format", "disk_format"})
"""Filters that take `in:a,b`."""
_TIMES = frozenset({"created_at", "updated_at"})
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_COMPARE: Mapping[str, Callable[[str, str], bool]] = {
    "eq": eq,
    "neq": ne,
    "gt": gt,
    "gte": ge,
    "lt": lt,
    "lte": le,
}
_TRUE = frozenset({"true", "1"})
_TRUTHS = frozenset({"true", "1", "false", "0"})
_CHOICES: Mapping[str, AbstractSet[str]] = {
    "visibility": frozenset({*VISIBILITIES, "all"}),
    "member_status": frozenset({*(status.value for status in MemberStatus), "all"}),
    "os_hidden": _TRUTHS,
    "protected": _TRUTHS,
}


def index(call: Call) -> Response:
    """GET /images, newest first."""
    filters = [(key, value) for key, value in call.query if key not in _PAGING]
    _check(call, filters)

    def work(tx: Tx) -> list[Document]:
        said = image_members.answers_of(tx, call.caller.project_id)
        return [shown(image) for image in tx.images.find() if _is_listed(call, image, said.get(image.id))]

    rows = call.run(work)
    if not any(key == "os_hidden" for key, _ in filters):
        filters.append(("os_hidden", "false"))
    found = _sorted(call, [row for row in rows if all(_matches(row, *item) for item in filters)])
    page, rest = _page(call, found)
    body: Document = {"images": page, "first": _href(call, None), "schema": "/v2/schemas/images"}
    if rest:
        body["next"] = _href(call, str(page[-1]["id"]))
    return document(body)


def _check(call: Call, filters: list[tuple[str, str]]) -> None:
    """Raises InvalidField for a choice that is none."""
    asked = [*filters, *((key, value) for key, value in call.query if key == "member_status")]
    for key, value in asked:
        choices = _CHOICES.get(key)
        if choices is not None and value.lower() not in choices:
            message = f"Invalid value '{value[:80]}' for {key}: it is one of {', '.join(sorted(choices))}."
            raise InvalidField(message, field=key)


def _is_listed(call: Call, image: Image, said: MemberStatus | None) -> bool:
    """Whether the image is in the caller's list. Of what others have: what is public, what is shared with the caller's
    project and accepted (or what `member_status` asks for), and what is for the community where that is asked for.
    """
    caller = call.caller
    members = frozenset({caller.project_id}) if said is not None else frozenset[str]()
    if not caller.may(IMAGE.seen_by, of_image(image, members)):
        return False
    if caller.may(IMAGE.seen_by, Target(image.project_id)) or image.visibility == "public":
        return True
    if image.visibility == "community":
        return call.first("visibility") in ("community", "all")
    wanted = call.first("member_status") or MemberStatus.ACCEPTED.value
    return said is not None and wanted in (said.value, "all")


def _matches(row: Document, key: str, value: str) -> bool:
    if key == "tag":
        tags = row["tags"]
        return isinstance(tags, list) and value in tags
    if key == "visibility" and value == "all":
        return True
    if key in ("size_min", "size_max"):
        return _size_matches(row["size"], key, value)
    if key in _TIMES:
        return _time_matches(str(row[key]), key, value)
    if key in _LISTS and value.startswith("in:"):
        return str(row[key]) in _items(value.removeprefix("in:"))
    found = row.get(key)
    if isinstance(found, bool):
        return found == (value.lower() in _TRUE)
    return found is not None and str(found) == value


def _time_matches(shown_at: str, key: str, value: str) -> bool:
    """`created_at=gte:2026-01-01T00:00:00Z`; both are UTC and of fixed width, so that they compare as text."""
    name, colon, text = value.partition(":")
    compare = _COMPARE.get(name) if colon else None
    if compare is None:
        compare, text = eq, value
    if not _TIME.fullmatch(text):
        message = (
            f"Invalid input for {key}. Reason: '{value[:80]}' is no time such as gt:2026-01-01T00:00:00Z."
        )
        raise InvalidField(message, field=key)
    return compare(shown_at, text)


def _items(text: str) -> Iterable[str]:
    return {item.strip().strip('"') for item in text.split(",")}


def _size_matches(size: object, key: str, value: str) -> bool:
    if not value.isascii() or not value.isdigit() or len(value) > 18:  # noqa: PLR2004
        raise InvalidField(
            f"Invalid input for {key}. Reason: '{value[:80]}' is not a number of bytes.", field=key
        )
    limit = int(value)
    return isinstance(size, int) and (size >= limit if key == "size_min" else size <= limit)


def _sorted(call: Call, rows: list[Document]) -> list[Document]:
    ordered = list(reversed(rows))
    for key, direction in reversed(_sort_keys(call)):
        if key not in _SORTABLE or direction not in ("asc", "desc"):
            raise InvalidField(
                f"Invalid sort key or direction: {key[:80]}:{direction[:80]}.", field="sort_key"
            )
        present = [row for row in ordered if row[key] is not None]
        absent = [row for row in ordered if row[key] is None]
        present.sort(key=lambda row, key=key: _comparable(row[key]), reverse=direction == "desc")  # type: ignore[misc]
        ordered = [*present, *absent]
    return ordered


def _comparable(value: object) -> tuple[float, str]:
    return (float(value), "") if isinstance(value, int) else (0.0, str(value))


def _sort_keys(call: Call) -> list[tuple[str, str]]:
    """`sort=name:asc,size` or `sort_key=name&sort_dir=asc`; descending where nothing is said."""
    if sort := call.first("sort"):
        pairs = [item.partition(":") for item in sort.split(",")]
        return [(key.strip(), direction.strip() or "desc") for key, _, direction in pairs]
    keys = [value for key, value in call.query if key == "sort_key"]
    directions = [value for key, value in call.query if key == "sort_dir"]
    if len(directions) not in (0, 1, len(keys)):
        raise InvalidField("Number of sort dirs does not match the number of sort keys", field="sort_dir")
    if len(directions) < len(keys):
        directions = (directions or ["desc"]) * len(keys)
    return list(zip(keys, directions, strict=False))


def _page(call: Call, rows: list[Document]) -> tuple[list[Document], bool]:
    text = call.first("limit")
    if text is not None and (not text.isascii() or not text.isdigit() or len(text) > 18):  # noqa: PLR2004
        raise InvalidField("limit param must be an integer 0 or greater", field="limit")
    limit = min(int(text), MOST) if text is not None else DEFAULT_LIMIT
    if marker := call.first("marker"):
        at = next((i for i, row in enumerate(rows) if row["id"] == marker), None)
        if at is None:
            raise NotFound("image", marker)
        rows = rows[at + 1 :]
    return rows[:limit], bool(limit) and len(rows) > limit


def _href(call: Call, marker: str | None) -> str:
    kept = [(key, value) for key, value in call.query if key != "marker"]
    query = urlencode([*kept, ("marker", marker)] if marker else kept)
    return f"/v2/images?{query}" if query else "/v2/images"
