"""Wakes across control processes on one PostgreSQL: LISTEN and NOTIFY.

A wake carries nothing, so a notice that is lost costs time and never truth: every waiter looks again by
itself at the end of its poll.
"""

import threading
from collections.abc import Callable

import psycopg
import sqlalchemy as sa
import structlog

from fairlead.control.boundary import Wake

_CHANNEL = "fairlead_wakes"
_TELL = "SELECT pg_notify(%s, topic) FROM unnest(%s::text[]) AS topic"
_LOOK_SECONDS = 1.0
"""How often the listener looks whether it shall end, and how long it rests before it connects again."""
_LONGEST_TOPIC = 7900
"""Of a payload: PostgreSQL refuses 8000 bytes and more (manual, NOTIFY)."""

_log = structlog.get_logger("fairlead.control")


class Notices:
    """Tells the other processes of one database what this one has woken, and hears of theirs.

    `hear` is called for every notice, this process's own among them, in a thread of this object's own.
    """

    def __init__(self, url: str, hear: Callable[[frozenset[Wake]], None]) -> None:
        self._dsn = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._hear = hear
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._speaker: psycopg.Connection | None = None
        self._thread = threading.Thread(target=self._run, name="notices", daemon=True)
        self._thread.start()

    def notify(self, wakes: frozenset[Wake]) -> None:
        """Tell all processes (control.boundary.Wakes). A database that cannot be reached now is logged: the
        wakes are late, not lost.
        """
        topics = sorted(wake.topic for wake in wakes if len(wake.topic) < _LONGEST_TOPIC)
        if not topics:
            return
        with self._lock:
            try:
                if self._speaker is None or self._speaker.closed:
                    self._speaker = psycopg.connect(self._dsn, autocommit=True, application_name="fairlead")
                self._speaker.execute(_TELL, (_CHANNEL, topics))
            except psycopg.Error as error:
                self._speaker = None
                _log.warning("notice_not_sent", answer=str(error))

    def close(self) -> None:
        """End the listener and give the connections back."""
        self._stop.set()
        self._thread.join()
        with self._lock:
            if self._speaker is not None:
                self._speaker.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                _log.warning("notices_interrupted", answer=str(error))
                self._stop.wait(_LOOK_SECONDS)

    def _listen(self) -> None:
        with psycopg.connect(self._dsn, autocommit=True, application_name="fairlead") as connection:
            connection.execute(f"LISTEN {_CHANNEL}")
            while not self._stop.is_set():
                for notice in connection.notifies(timeout=_LOOK_SECONDS):
                    self._hear(frozenset({Wake(notice.payload)}))
