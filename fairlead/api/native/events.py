"""Handler of events: what happened, as a list that can be waited on."""

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.api.long_poll import first_found, wait_seconds
from fairlead.api.native.records import plain
from fairlead.control.boundary import Tx, server_wake
from fairlead.model.errors import InvalidValue
from fairlead.model.ids import ServerId
from fairlead.model.server import Event

_MOST = 1000
_WIDEST = 15


async def list_events(call: Call) -> Response:
    """GET /events?server=S&subject=X&after=ID&limit=N&wait=SECONDS: oldest first, those after event ID.

    With `wait`, which needs `server`, it answers as soon as there is one.
    """
    server, subject = call.first("server"), call.first("subject")
    after, limit = _number(call, "after", 0), min(_number(call, "limit", _MOST), _MOST)
    seconds = wait_seconds(call)

    def look(tx: Tx) -> tuple[Event, ...] | None:
        return tx.events(server_id=server, subject=subject, after=after, limit=limit) or None

    if seconds and not server:
        raise InvalidValue(
            "wait", seconds, "possible without `server`: only a server's events can be waited for"
        )
    if server and limit:
        found = await first_found(call, server_wake(ServerId(server)), look, seconds)
    else:
        found = await call.in_worker(look)
    return document({"events": [plain(event) for event in found or ()]})


def _number(call: Call, name: str, default: int) -> int:
    given = call.first(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and len(given) <= _WIDEST):
        raise InvalidValue(name, given, "a whole number, 0 or more")
    return int(given)
