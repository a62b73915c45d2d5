"""GET /images: filters, sorting and paging in Glance's way."""

from collections.abc import Iterable
from urllib.parse import urlencode

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.bodies import InvalidField
from fairlead.api.call import Call
from fairlead.api.image.document import Document, shown
from fairlead.control.subjects import IMAGE, of_image
from fairlead.model.errors import NotFound

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
_TRUE = frozenset({"true", "1"})


def index(call: Call) -> Response:
    """GET /images, newest first."""
    filters = [(key, value) for key, value in call.query if key not in _PAGING]
    images = call.run(lambda tx: tx.images.find())
    rows = [shown(image) for image in images if call.caller.may(IMAGE.seen_by, of_image(image))]
    if not any(key == "os_hidden" for key, _ in filters):
        filters.append(("os_hidden", "false"))
    found = _sorted(call, [row for row in rows if all(_matches(row, *item) for item in filters)])
    page, rest = _page(call, found)
    body: Document = {"images": page, "first": _href(call, None), "schema": "/v2/schemas/images"}
    if rest:
        body["next"] = _href(call, str(page[-1]["id"]))
    return document(body)


def _matches(row: Document, key: str, value: str) -> bool:
    if key == "tag":
        tags = row["tags"]
        return isinstance(tags, list) and value in tags
    if key == "visibility" and value == "all":
        return True
    if key in ("size_min", "size_max"):
        return _size_matches(row["size"], key, value)
    if key in _LISTS and value.startswith("in:"):
        return str(row[key]) in _items(value.removeprefix("in:"))
    found = row.get(key)
    if isinstance(found, bool):
        return found == (value.lower() in _TRUE)
    return found is not None and str(found) == value


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
