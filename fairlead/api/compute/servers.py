"""Handlers of servers: boot, list, show, change, delete."""

from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType
from starlette.responses import Response

from fairlead.api import bodies
from fairlead.api.answers import document, empty
from fairlead.api.call import Call
from fairlead.api.compute import boot, server_view
from fairlead.api.compute.boot_form import Description, HostName, Name
from fairlead.api.compute.microversions import Microversion
from fairlead.api.compute.paging import Json
from fairlead.api.compute.server_list import listed
from fairlead.control import booting, locking
from fairlead.control import servers as control
from fairlead.control.boundary import Tx
from fairlead.control.servers import ServerChanges, ServerView
from fairlead.model.errors import InvalidValue, NotFound
from fairlead.model.ids import ServerId
from fairlead.model.server import Server

_SERVERS = "/compute/v2.1/servers"
_GROUPED: Microversion = (2, 71)
_WHOLE_ANSWER: Microversion = (2, 75)
_DESCRIBED: Microversion = (2, 19)
_HOST_NAMED: Microversion = (2, 90)


class ChangeForm(Struct, frozen=True, forbid_unknown_fields=True):
    """`server` of PUT /servers/{id}."""

    name: Name | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    hostname: HostName | UnsetType = UNSET
    disk_config: Literal["AUTO", "MANUAL"] = msgspec.field(default="MANUAL", name="OS-DCF:diskConfig")


class ChangeBody(Struct, frozen=True, forbid_unknown_fields=True):
    """PUT /servers/{id}."""

    server: ChangeForm


def list_servers(call: Call, version: Microversion) -> Response:
    """GET /servers."""
    rows, links = listed(call, version, _SERVERS)
    return document({"servers": [server_view.brief(call, view) for view in rows], **links})


def list_details(call: Call, version: Microversion) -> Response:
    """GET /servers/detail."""
    rows, links = listed(call, version, f"{_SERVERS}/detail")
    return document({"servers": [server_view.full(call, version, view) for view in rows], **links})


def show(call: Call, version: Microversion, server_id: str) -> Response:
    """GET /servers/{id}."""
    view = call.run(lambda tx: control.show(tx, ServerId(server_id)))
    return document({"server": _one(version, view, server_view.full(call, version, view))})


def create(call: Call, version: Microversion) -> Response:
    """POST /servers: 202 with the first server's id; with min_count and max_count, all of them or none."""
    asked = boot.read(call.body, version)

    def work(tx: Tx) -> list[Server]:
        return [
            booting.boot(tx, call.caller, boot.boot_server(tx, call.caller, asked, name))
            for name in boot.names(asked)
        ]

    server = call.run(work)[0]
    shown = server_view.brief(call, ServerView(server))
    location = {"Location": call.url(f"{_SERVERS}/{server.id}")}
    answer = {"id": server.id, "links": shown["links"], "OS-DCF:diskConfig": "MANUAL", "security_groups": []}
    return document({"server": answer}, 202, location)


def update(call: Call, version: Microversion, server_id: str) -> Response:
    """PUT /servers/{id}."""
    form = bodies.shape(ChangeBody, bodies.parse(call.body)).server
    _check_version(form, version)
    changes = ServerChanges(name=form.name, description=form.description, hostname=form.hostname)
    view = call.run(lambda tx: control.update(tx, ServerId(server_id), changes))
    shown = server_view.full if version >= _WHOLE_ANSWER else server_view.changed
    return document({"server": _one(version, view, shown(call, version, view))})


def delete(call: Call, server_id: str) -> Response:
    """DELETE /servers/{id}."""

    def work(tx: Tx) -> None:
        locking.check(tx, call.caller, ServerId(server_id))
        control.delete(tx, ServerId(server_id), call.caller.request_id)

    call.run(work)
    return empty()


def list_addresses(call: Call, server_id: str) -> Response:
    """GET /servers/{id}/ips."""
    view = call.run(lambda tx: control.show(tx, ServerId(server_id)))
    return document({"addresses": server_view.addresses(view)})


def list_addresses_on(call: Call, server_id: str, network: str) -> Response:
    """GET /servers/{id}/ips/{network}, by its name."""
    view = call.run(lambda tx: control.show(tx, ServerId(server_id)))
    found = server_view.addresses(view)
    if network not in found:
        raise NotFound("network", network)
    return document({network: found[network]})


def _one(version: Microversion, view: ServerView, shown: Json) -> Json:
    """What an answer about one server has and a list has not."""
    return {**shown, "server_groups": [view.group.id] if view.group else []} if version >= _GROUPED else shown


def _check_version(form: ChangeForm, version: Microversion) -> None:
    for name, since in (("description", _DESCRIBED), ("hostname", _HOST_NAMED)):
        if version < since and getattr(form, name) is not UNSET:
            raise InvalidValue(name, getattr(form, name), f"possible before microversion 2.{since[1]}")
