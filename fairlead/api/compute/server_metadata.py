"""Handlers of a server's metadata: pairs that its owner keeps with it, which reach the guest at its next boot."""

from collections.abc import Callable

from msgspec import Struct
from starlette.responses import Response

from fairlead.api import bodies
from fairlead.api.answers import document, empty
from fairlead.api.call import Call
from fairlead.api.compute.boot_form import Metadata
from fairlead.control import locking
from fairlead.control import servers as control
from fairlead.control.boundary import Tx
from fairlead.control.servers import ServerChanges
from fairlead.model.errors import InvalidValue, NotFound
from fairlead.model.ids import ServerId

Pairs = dict[str, str]


class MetadataBody(Struct, frozen=True, forbid_unknown_fields=True):
    """POST and PUT /servers/{id}/metadata."""

    metadata: Metadata


class MetaBody(Struct, frozen=True, forbid_unknown_fields=True):
    """PUT /servers/{id}/metadata/{key}."""

    meta: Metadata


def show(call: Call, server_id: str) -> Response:
    """GET /servers/{id}/metadata."""
    return document({"metadata": call.run(lambda tx: tx.servers.fetch(server_id)).metadata})


def add(call: Call, server_id: str) -> Response:
    """POST /servers/{id}/metadata: added to what is there."""
    given = bodies.shape(MetadataBody, bodies.parse(call.body)).metadata
    return document({"metadata": _changed(call, server_id, lambda pairs: {**pairs, **given})})


def replace(call: Call, server_id: str) -> Response:
    """PUT /servers/{id}/metadata: instead of what is there."""
    given = bodies.shape(MetadataBody, bodies.parse(call.body)).metadata
    return document({"metadata": _changed(call, server_id, lambda _: given)})


def show_one(call: Call, server_id: str, key: str) -> Response:
    """GET /servers/{id}/metadata/{key}."""
    pairs = call.run(lambda tx: tx.servers.fetch(server_id)).metadata
    return document({"meta": {key: _value(pairs, key)}})


def put_one(call: Call, server_id: str, key: str) -> Response:
    """PUT /servers/{id}/metadata/{key}: the body names that key and no other."""
    given = bodies.shape(MetaBody, bodies.parse(call.body)).meta
    if list(given) != [key]:
        raise InvalidValue("meta", sorted(given), f"one pair, the one of the path: {key}")
    _changed(call, server_id, lambda pairs: {**pairs, **given})
    return document({"meta": given})


def delete_one(call: Call, server_id: str, key: str) -> Response:
    """DELETE /servers/{id}/metadata/{key}."""

    def without(pairs: Pairs) -> Pairs:
        _value(pairs, key)
        return {name: value for name, value in pairs.items() if name != key}

    _changed(call, server_id, without)
    return empty()


def _changed(call: Call, server_id: str, change: Callable[[Pairs], Pairs]) -> Pairs:
    """The server's new pairs, made from those it had, which nobody changes meanwhile."""

    def work(tx: Tx) -> Pairs:
        locking.check(tx, call.caller, ServerId(server_id))
        server, _ = control.locked(tx, ServerId(server_id))
        changes = ServerChanges(metadata=change(server.metadata))
        return control.update(tx, server.id, changes).server.metadata

    return call.run(work)


def _value(pairs: Pairs, key: str) -> str:
    if key not in pairs:
        raise NotFound("metadata item", key)
    return pairs[key]
