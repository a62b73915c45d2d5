"""--wait: shows a server's events as they come, until it has got where it was going."""

from collections.abc import Callable, Iterator

from fairlead.cli.lookup import listed
from fairlead.cli.output import progress
from fairlead.client.session import ClientError, Json, Session

_POLL_SECONDS = "20"
_GONE = 404


def await_server(session: Session, server_id: str, is_done: Callable[[Json], bool]) -> Json | None:
    """The server once `is_done` says so, None once it is gone; its events are shown meanwhile.

    Woken by events: between two looks it waits in control's long poll, at most 20 seconds.
    """
    for _ in _events(session, server_id):
        server = read_server(session, server_id)
        if server is None or is_done(server):
            return server
    raise AssertionError


def read_server(session: Session, server_id: str) -> Json | None:
    """The server as it is now, None when there is none."""
    try:
        found = session.get(f"/compute/v2.1/servers/{server_id}")["server"]
    except ClientError as error:
        if error.status == _GONE:
            return None
        raise
    return found if isinstance(found, dict) else None


def last_event(session: Session, server_id: str) -> int:
    """The id of the server's newest event, so that a wait shows only what comes after it."""
    return max((_number(event) for event in listed(session, "/v1/events", {"server": server_id})), default=0)


def _events(session: Session, server_id: str) -> Iterator[None]:
    """Yields at once, and after every batch of events or long poll, having shown the events."""
    seen = 0
    wait = "0"
    while True:
        params = {"server": server_id, "after": str(seen), "wait": wait}
        for event in listed(session, "/v1/events", params):
            progress(f"{event['at']}  {event['message']}")
            seen = max(seen, _number(event))
        yield
        wait = _POLL_SECONDS


def _number(event: Json) -> int:
    found = event["id"]
    return found if isinstance(found, int) else 0
