"""--wait: shows a server's events as they come, until it has got where it was going.

Events name hosts and devices, so only operators read them (`v1:events:read`): for others the server is looked at.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from fairlead.cli.lookup import listed
from fairlead.cli.output import progress
from fairlead.client.session import ClientError, Json, Session

Found = TypeVar("Found")

_POLL_SECONDS = 5
_AWAY_SECONDS = 60.0
_RETRY_SECONDS = 1.0
_LOOK_SECONDS = 1.0
_FORBIDDEN, _GONE = 403, 404


@dataclass
class Wait:
    """One server to look at, and what has been said of it already. `seen` is the newest event that is known:
    only later ones are shown.
    """

    session: Session
    server_id: str
    name: str
    seen: int = 0
    happened: set[str] = field(default_factory=set, init=False)
    """The kinds of the events that were shown."""
    _is_silence_said: bool = field(default=False, init=False)

    def until(self, is_done: Callable[[Json], bool]) -> Json | None:
        """The server once `is_done` says so, None once it is gone; its events are shown meanwhile.

        Woken by events: between two looks it waits in control's long poll, or for a second where nobody may hear of
        events. Control may be away for a minute.
        """
        with self._explained():
            self._show_events(0)
            while True:
                server = self._patiently(lambda: read_server(self.session, self.server_id))
                if server is None or is_done(server):
                    self._patiently(lambda: self._show_events(0))
                    return server
                if not self._patiently(lambda: self._show_events(_POLL_SECONDS)):
                    self._say_silence(server)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt:
            progress(f"The server goes on; `fairlead server show {self.name}` shows it.")
            raise

    def _patiently(self, ask: Callable[[], Found]) -> Found:
        """What `ask` gives, asked again while nobody answers, for a minute."""
        until: float | None = None
        while True:
            try:
                return ask()
            except ClientError as error:
                if error.status:
                    raise
                if until is None:
                    until = time.monotonic() + _AWAY_SECONDS
                    progress(f"{error.message} What was asked for was taken; asking again for a minute ...")
                if time.monotonic() > until:
                    raise ClientError(
                        f"Control at {self.session.url} is away. What was asked for was taken and goes on.",
                        hint=f"`fairlead server show {self.name}` shows it when control is back.",
                    ) from error
            # Nothing tells a client that control listens again, so the next try is the only way to know.
            time.sleep(_RETRY_SECONDS)

    def _show_events(self, seconds: int) -> bool:
        """Show what is new, waiting up to `seconds` for it; whether there was any."""
        found = events_after(self.session, self.server_id, self.seen, seconds)
        if found is None:
            time.sleep(min(seconds, _LOOK_SECONDS))
            return True
        for event in found:
            progress(f"{event['at']}  {event['message']}")
            self.seen = max(self.seen, _number(event))
            self.happened.add(str(event["kind"]))
        return bool(found)

    def _say_silence(self, server: Json) -> None:
        """Once, when nothing happens: when the server's host last told of itself."""
        host = server.get("OS-EXT-SRV-ATTR:host")
        if self._is_silence_said or not host:
            return
        self._is_silence_said = True
        for found in self._patiently(lambda: listed(self.session, "/v1/agents")):
            if found["host_name"] == host:
                reported = found["reported_at"] or "no time yet"
                progress(
                    f"Nothing new for {_POLL_SECONDS} s: {host} last reported at {reported} "
                    "(see `fairlead host agents`). Waiting on."
                )


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
    """The id of the server's newest event, so that a wait shows only what comes after it; 0: nobody may know."""
    newest = 0
    while found := events_after(session, server_id, newest):
        newest = max(map(_number, found))
    return newest


def events_after(session: Session, server_id: str, newest: int, seconds: int = 0) -> list[Json] | None:
    """A page of the server's events behind that one, waiting up to `seconds` for any; None: the caller may not read
    them.
    """
    params = {"server": server_id, "after": str(newest), "wait": str(seconds)}
    try:
        return listed(session, "/v1/events", params)
    except ClientError as error:
        if error.status == _FORBIDDEN:
            return None
        raise


def _number(event: Json) -> int:
    found = event["id"]
    return found if isinstance(found, int) else 0
