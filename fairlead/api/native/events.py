"""Handler of events: what happened, as a list that can be waited on."""

from typing import Annotated

from msgspec import Meta, Struct

from fairlead.api.call import Call
from fairlead.api.long_poll import Wait, first_found, patience
from fairlead.api.native.queries import Query
from fairlead.api.native.records import Time, says, viewed
from fairlead.control.boundary import Tx, server_wake
from fairlead.model.errors import InvalidValue
from fairlead.model.ids import HostId, ServerId
from fairlead.model.server import Event

_MOST = 1000
_LARGEST = 10**15 - 1


class EventQuery(Query, frozen=True, kw_only=True):
    """Which events."""

    server: Annotated[str | None, says("Those of this server, by its id; it may be gone.")] = None
    subject: Annotated[str | None, says("Those of this thing, by its id.")] = None
    after: Annotated[int, Meta(ge=0, le=_LARGEST), says("Those behind the event of this id.")] = 0
    limit: Annotated[
        int, Meta(ge=0, le=_LARGEST), says(f"At most so many; {_MOST} is the most there can be.")
    ] = _MOST
    wait: Annotated[
        Wait, says("Seconds to wait for one where there is none, 60 at most. It needs `server`.")
    ] = 0.0


class EventView(Struct, frozen=True, kw_only=True):
    """Something that happened to a server, port, device or host."""

    id: Annotated[int, says("It grows.")]
    at: Annotated[Time, says("When it happened.")]
    kind: Annotated[str, says("What happened, in a word of the past tense that stays.")]
    subject: Annotated[str, says("The id of what it happened to.")]
    message: Annotated[str, says("What happened, in words.")]
    host_id: HostId | None
    server_id: ServerId | None
    request_id: Annotated[str, says('Of the request that made it happen; "": nobody asked for it.')]
    is_failure: bool


class EventList(Struct, frozen=True):
    """Events, oldest first."""

    events: list[EventView]


async def list_events(call: Call, query: EventQuery) -> EventList:
    """What happened, oldest first. With `wait` it answers as soon as there is something. Events outlive a server."""
    limit = min(query.limit, _MOST)

    def look(tx: Tx) -> tuple[Event, ...] | None:
        found = tx.events(server_id=query.server, subject=query.subject, after=query.after, limit=limit)
        return found or None

    if query.wait and not query.server:
        raise InvalidValue(
            "wait", query.wait, "possible without `server`: only a server's events can be waited for"
        )
    if query.server and limit:
        found = await first_found(call, server_wake(ServerId(query.server)), look, patience(query.wait))
    else:
        found = await call.in_worker(look)
    return EventList([viewed(EventView, event) for event in found or ()])
