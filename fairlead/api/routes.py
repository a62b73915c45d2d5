"""Routes of a dialect as a table, and the lookup of a path in it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Self

from starlette.responses import Response

from fairlead.control.subjects import Subject

JSON = "application/json"
BODY_LIMIT = 2 << 20
"""Bytes of a JSON body, unless its route says otherwise."""

Handler = Callable[..., Response]
LiveHandler = Callable[..., Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and path with a plain handler: it gets the Call with the whole body, then one text for each
    `{}` of the path. `action` names the rule (fairlead/access) by which it is allowed; `of` is what its first `{}`
    names, None where the rule asks for nothing that is there already. A body must say that it is of one of
    `media_types`. `is_for_agents`: it asks for the credential of a host, or a token, and so for no login, and may
    be asked under any name of this server. `is_open`: it is answered before anybody has logged in.
    """

    method: str
    path: str
    handler: Handler
    action: str
    of: Subject | None = None
    body_limit: int = BODY_LIMIT
    media_types: tuple[str, ...] = (JSON,)
    is_for_agents: bool = False
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Live:
    """A method and path whose handler awaits: it streams a body, which it has where there are `media_types`, or
    waits for something. The rest is as a Route's.
    """

    method: str
    path: str
    handler: LiveHandler
    action: str
    of: Subject | None = None
    media_types: tuple[str, ...] = ()
    is_for_agents: bool = False
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """What a path led to. `route` None: the path is known, but not with that method."""

    route: Route | Live | None
    arguments: tuple[str, ...]
    allowed: tuple[str, ...]


@dataclass(slots=True)
class _Node:
    children: dict[str, Self] = field(default_factory=dict)
    routes: dict[str, Route | Live] = field(default_factory=dict)


class Table:
    """Routes as a tree of path segments; the literal segment wins over `{}`. `routes` are they in their order."""

    def __init__(self, *routes: Route | Live) -> None:
        self.routes = routes
        self._root = _Node()
        for route in routes:
            node = self._root
            for segment in _segments(route.path.removesuffix("/")):
                node = node.children.setdefault(segment, _Node())
            if route.method in node.routes:
                raise ValueError(f"{route.method} {route.path} is in the table twice.")
            node.routes[route.method] = route

    def match(self, method: str, path: str) -> Match | None:
        """Where the path leads, or None. One trailing slash says nothing; HEAD is GET without its body."""
        found = _find(self._root, _segments(path.removesuffix("/")), ())
        if found is None:
            return None
        node, arguments = found
        route = node.routes.get("GET" if method == "HEAD" else method)
        return Match(route, arguments, tuple(sorted(node.routes)))


def _segments(path: str) -> tuple[str, ...]:
    return tuple(path.split("/")[1:])


def _find(
    node: _Node, segments: tuple[str, ...], arguments: tuple[str, ...]
) -> tuple[_Node, tuple[str, ...]] | None:
    if not segments:
        return (node, arguments) if node.routes else None
    head, rest = segments[0], segments[1:]
    literal = node.children.get(head) if head != "{}" else None
    found = _find(literal, rest, arguments) if literal else None
    parameter = node.children.get("{}") if head else None
    if found is None and parameter:
        found = _find(parameter, rest, (*arguments, head))
    return found
