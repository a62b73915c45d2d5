"""Handlers of what was asked of a server, and what came of it: Nova's instance actions, told from its events.

An event that a request caused begins an action; the events up to the next such one belong to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.api.compute.microversions import Microversion
from fairlead.api.compute.paging import MOST, Json, next_links, paged
from fairlead.api.compute.server_view import host_id
from fairlead.control.boundary import Tx
from fairlead.model.audit_trail import ResourceKind, TrailFilter
from fairlead.model.errors import NotFound
from fairlead.model.ids import HostId, ProjectId, ServerId
from fairlead.model.server import Event

_UPDATED: Microversion = (2, 58)
_HOSTED: Microversion = (2, 62)
_DETAILED: Microversion = (2, 84)
_SHOWN_TO_ALL: Microversion = (2, 51)
_EVENTS = "os_compute_api:os-instance-actions:events"
_DETAILS = "os_compute_api:os-instance-actions:events:details"
_ACTIONS = {
    "server_created": "create",
    "server_start_asked": "start",
    "server_stop_asked": "stop",
    "server_reboot_asked": "reboot",
    "server_suspend_asked": "suspend",
    "server_resume_asked": "resume",
    "server_rebuild_asked": "rebuild",
    "server_pause_asked": "pause",
    "server_unpause_asked": "unpause",
    "server_placing_again": "reboot",
    "server_resize_asked": "resize",
    "server_resize_confirmed": "confirmResize",
    "server_revert_asked": "revertResize",
    "interface_attach_asked": "attach_interface",
    "interface_detach_asked": "detach_interface",
    "server_locked": "lock",
    "server_unlocked": "unlock",
    "server_delete_asked": "delete",
    "server_deleted": "delete",
}


@dataclass(frozen=True, slots=True)
class Action:
    """A request, and the events that came of it, its own first."""

    name: str
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class History:
    """The actions of a server, oldest first, and what is known of it: whose it is, who asked by which request, the
    names of the hosts that are there.
    """

    actions: Sequence[Action]
    project_id: ProjectId
    owner: str
    users: Mapping[str, str]
    hosts: Mapping[HostId, str]


def list_actions(call: Call, version: Microversion, server_id: str) -> Response:
    """GET /servers/{id}/os-instance-actions, the newest first; there after the server has gone, too."""
    history = call.run(lambda tx: _history(tx, call, ServerId(server_id)))
    rows, has_more = paged(call, history.actions[::-1], _request_id)
    answer: Json = {"instanceActions": [_brief(call, version, server_id, history, action) for action in rows]}
    if has_more and version >= _UPDATED:
        path = f"/compute/v2.1/servers/{server_id}/os-instance-actions"
        answer["links"] = next_links(call, path, _request_id(rows[-1]))
    return document(answer)


def show(call: Call, version: Microversion, server_id: str, request_id: str) -> Response:
    """GET /servers/{id}/os-instance-actions/{request}."""
    history = call.run(lambda tx: _history(tx, call, ServerId(server_id)))
    action = next((action for action in history.actions if _request_id(action) == request_id), None)
    if action is None:
        raise NotFound("action", request_id)
    shown = _brief(call, version, server_id, history, action)
    if version >= _SHOWN_TO_ALL or call.caller.may_any(_EVENTS):
        shown["events"] = [_event(call, version, history, event) for event in action.events]
    return document({"instanceAction": shown})


def _history(tx: Tx, call: Call, server_id: ServerId) -> History:
    """Who asked is the audit trail's to say, as far back as it goes. Of a server that has gone the operator asks."""
    actions, server = _actions(tx, server_id), tx.servers.get(server_id)
    records = tx.audit_trail.page(TrailFilter(resource_kind=ResourceKind.SERVER, resource_id=server_id), MOST)
    ids = {event.host_id for action in actions for event in action.events if event.host_id}
    return History(
        actions,
        server.project_id if server else call.caller.project_id,
        server.user_id if server else call.caller.user_id,
        {record.request_id: record.user_id for record in records.records},
        {host.id: host.name for host in (tx.hosts.find(id=tuple(ids)) if ids else ())},
    )


def _actions(tx: Tx, server_id: ServerId) -> Sequence[Action]:
    events = tx.events(server_id=server_id)
    if not events:
        tx.servers.fetch(server_id)
    starts = [at for at, event in enumerate(events) if event.request_id and event.kind in _ACTIONS]
    ends = [*starts[1:], len(events)]
    return [
        Action(_ACTIONS[events[start].kind], events[start:end])
        for start, end in zip(starts, ends, strict=False)
    ]


def _request_id(action: Action) -> str:
    return action.events[0].request_id


def _brief(call: Call, version: Microversion, server_id: str, history: History, action: Action) -> Json:
    failure = next((event for event in action.events if event.is_failure), None)
    shown: Json = {
        "action": action.name,
        "instance_uuid": server_id,
        "message": _message(call, failure) if failure else None,
        "project_id": history.project_id,
        "user_id": history.users.get(_request_id(action), history.owner),
        "request_id": _request_id(action),
        "start_time": _time(action.events[0]),
    }
    return {**shown, "updated_at": _time(action.events[-1])} if version >= _UPDATED else shown


def _message(call: Call, failure: Event) -> str:
    """What failed names hosts and devices."""
    return failure.message if call.caller.may_any(_DETAILS) else "Error"


def _event(call: Call, version: Microversion, history: History, event: Event) -> Json:
    shown: Json = {
        "event": event.kind,
        "start_time": _time(event),
        "finish_time": _time(event),
        "result": "Error" if event.is_failure else "Success",
    }
    if call.caller.may_any(_EVENTS):
        shown["traceback"] = None
    if version >= _HOSTED:
        host = history.hosts.get(event.host_id) if event.host_id else None
        shown["hostId"] = host_id(history.project_id, host) if host else ""
        if call.caller.may_any(_EVENTS):
            shown["host"] = host
    if version >= _DETAILED and call.caller.may_any(_DETAILS):
        shown["details"] = event.message
    return shown


def _time(event: Event) -> str:
    return event.at.strftime("%Y-%m-%dT%H:%M:%S.%f")
