"""Handlers of what was asked of a server, and what came of it: Nova's instance actions, told from its events.

An event that a request caused begins an action; the events up to the next such one belong to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha224

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.api.compute.microversions import Microversion
from fairlead.api.compute.paging import Json, next_links, paged
from fairlead.control.boundary import Tx
from fairlead.model.errors import NotFound
from fairlead.model.ids import ServerId
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


def list_actions(call: Call, version: Microversion, server_id: str) -> Response:
    """GET /servers/{id}/os-instance-actions, the newest first; there after the server has gone, too."""
    actions = call.run(lambda tx: _actions(tx, ServerId(server_id)))
    rows, has_more = paged(call, actions[::-1], _request_id)
    answer: Json = {"instanceActions": [_brief(call, version, server_id, action) for action in rows]}
    if has_more and version >= _UPDATED:
        path = f"/compute/v2.1/servers/{server_id}/os-instance-actions"
        answer["links"] = next_links(call, path, _request_id(rows[-1]))
    return document(answer)


def show(call: Call, version: Microversion, server_id: str, request_id: str) -> Response:
    """GET /servers/{id}/os-instance-actions/{request}."""
    actions = call.run(lambda tx: _actions(tx, ServerId(server_id)))
    action = next((action for action in actions if _request_id(action) == request_id), None)
    if action is None:
        raise NotFound("action", request_id)
    shown = _brief(call, version, server_id, action)
    if version >= _SHOWN_TO_ALL or call.caller.may_any(_EVENTS):
        shown["events"] = [_event(call, version, event) for event in action.events]
    return document({"instanceAction": shown})


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


def _brief(call: Call, version: Microversion, server_id: str, action: Action) -> Json:
    failure = next((event for event in action.events if event.is_failure), None)
    shown: Json = {
        "action": action.name,
        "instance_uuid": server_id,
        "message": _message(call, failure) if failure else None,
        "project_id": call.caller.project_id,
        "user_id": call.caller.user_id,
        "request_id": _request_id(action),
        "start_time": _time(action.events[0]),
    }
    return {**shown, "updated_at": _time(action.events[-1])} if version >= _UPDATED else shown


def _message(call: Call, failure: Event) -> str:
    """What failed names hosts and devices."""
    return failure.message if call.caller.may_any(_DETAILS) else "Error"


def _event(call: Call, version: Microversion, event: Event) -> Json:
    shown: Json = {
        "event": event.kind,
        "start_time": _time(event),
        "finish_time": _time(event),
        "result": "Error" if event.is_failure else "Success",
    }
    if call.caller.may_any(_EVENTS):
        shown["traceback"] = None
    if version >= _HOSTED:
        shown["hostId"] = sha224((event.host_id or "").encode()).hexdigest() if event.host_id else ""
        if call.caller.may_any(_EVENTS):
            shown["host"] = event.host_id
    if version >= _DETAILED and call.caller.may_any(_DETAILS):
        shown["details"] = event.message
    return shown


def _time(event: Event) -> str:
    return event.at.strftime("%Y-%m-%dT%H:%M:%S.%f")
