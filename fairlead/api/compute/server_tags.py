"""Handlers of a server's tags, from 2.26."""

from collections.abc import Callable
from urllib.parse import quote

from msgspec import Struct
from starlette.responses import Response

from fairlead.api import bodies
from fairlead.api.answers import document, empty
from fairlead.api.call import Call
from fairlead.api.compute.boot_form import MOST_TAGS, ServerTags
from fairlead.control import servers as control
from fairlead.control.boundary import Tx
from fairlead.control.servers import ServerChanges
from fairlead.model.errors import InvalidValue, NotFound
from fairlead.model.ids import ServerId

Tags = tuple[str, ...]


class TagsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """PUT /servers/{id}/tags."""

    tags: ServerTags


def show(call: Call, server_id: str) -> Response:
    """GET /servers/{id}/tags."""
    return document({"tags": call.run(lambda tx: tx.servers.fetch(server_id)).tags})


def replace(call: Call, server_id: str) -> Response:
    """PUT /servers/{id}/tags: instead of what is there."""
    given = tuple(dict.fromkeys(bodies.shape(TagsBody, bodies.parse(call.body)).tags))
    _changed(call, server_id, lambda _: given)
    return document({"tags": given})


def clear(call: Call, server_id: str) -> Response:
    """DELETE /servers/{id}/tags."""
    _changed(call, server_id, lambda _: ())
    return empty()


def check(call: Call, server_id: str, tag: str) -> Response:
    """GET /servers/{id}/tags/{tag}: 204 when it has it."""
    _index(call.run(lambda tx: tx.servers.fetch(server_id)).tags, tag)
    return empty()


def add(call: Call, server_id: str, tag: str) -> Response:
    """PUT /servers/{id}/tags/{tag}: 201, or 204 when it had it."""
    bodies.shape(TagsBody, {"tags": [tag]})
    had = _changed(call, server_id, lambda tags: tags if tag in tags else (*tags, tag))
    if tag in had:
        return empty()
    return empty(201, {"Location": call.url(f"/compute/v2.1/servers/{server_id}/tags/{quote(tag)}")})


def remove(call: Call, server_id: str, tag: str) -> Response:
    """DELETE /servers/{id}/tags/{tag}."""
    _changed(call, server_id, lambda tags: (*tags[: _index(tags, tag)], *tags[_index(tags, tag) + 1 :]))
    return empty()


def _changed(call: Call, server_id: str, change: Callable[[Tags], Tags]) -> Tags:
    """The tags that the server had; it has what `change` makes of them, and nobody else changes them meanwhile."""

    def work(tx: Tx) -> Tags:
        server, _ = control.locked(tx, ServerId(server_id))
        tags = change(server.tags)
        if len(tags) > MOST_TAGS:
            raise InvalidValue("tags", len(tags), f"at most {MOST_TAGS} tags")
        control.update(tx, server.id, ServerChanges(tags=tags))
        return server.tags

    return call.run(work)


def _index(tags: Tags, tag: str) -> int:
    if tag not in tags:
        raise NotFound("tag", tag)
    return tags.index(tag)
