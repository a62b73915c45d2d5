"""In what order a list of servers comes: sort_key and sort_dir, several of them, the first is the first."""

from collections.abc import Callable
from itertools import zip_longest

from fairlead.api.call import Call
from fairlead.api.compute.server_filters import OF_HOSTS, SEES_HOSTS
from fairlead.api.compute.server_status import shown_status
from fairlead.control.servers import ServerView
from fairlead.model.errors import InvalidValue, NotAllowed

_KEYS: dict[str, Callable[[ServerView], str]] = {
    "created_at": lambda view: view.server.created_at.isoformat(),
    "updated_at": lambda view: view.server.updated_at.isoformat(),
    "launched_at": lambda view: view.server.launched_at.isoformat() if view.server.launched_at else "",
    "display_name": lambda view: view.server.name,
    "name": lambda view: view.server.name,
    "display_description": lambda view: view.server.description or "",
    "hostname": lambda view: view.server.hostname,
    "host": lambda view: view.host.name if view.host else "",
    "node": lambda view: view.host.name if view.host else "",
    "uuid": lambda view: view.server.id,
    "image_ref": lambda view: view.server.image_id or "",
    "instance_type_id": lambda view: view.server.flavor.id,
    "project_id": lambda view: view.server.project_id,
    "user_id": lambda view: view.server.user_id,
    "vm_state": lambda view: shown_status(view.server).vm_state,
    "task_state": lambda view: shown_status(view.server).task_state or "",
    "power_state": lambda view: str(shown_status(view.server).power_state),
    "availability_zone": lambda view: view.server.availability_zone,
    "key_name": lambda view: view.server.key_name or "",
}


Order = list[tuple[str, str]]
NEWEST_FIRST: Order = [("created_at", "desc")]


def order(call: Call) -> Order:
    """Keys and directions asked for, the newest first where none are. Raises InvalidValue, NotAllowed."""
    keys = [value for name, value in call.query if name == "sort_key"]
    directions = [value for name, value in call.query if name == "sort_dir"]
    for key in keys:
        if key not in _KEYS:
            raise InvalidValue("sort_key", key, f"one of {', '.join(_KEYS)}")
        if key in OF_HOSTS and not call.caller.may_any(SEES_HOSTS):
            raise NotAllowed(f"Only administrators can sort servers by {key}")
    for direction in directions:
        if direction not in {"asc", "desc"}:
            raise InvalidValue("sort_dir", direction, "asc or desc")
    return list(zip_longest(keys or ["created_at"], directions, fillvalue="desc"))[: len(keys) or 1]


def ordered(views: list[ServerView], pairs: Order) -> list[ServerView]:
    """The servers, which come newest first, in that order; those that are alike in it go with its first direction, as
    Nova has them.
    """
    views = views if pairs[0][1] == "desc" else views[::-1]
    for key, direction in reversed(pairs):
        views = sorted(views, key=_KEYS[key], reverse=direction == "desc")
    return views
