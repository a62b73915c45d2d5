"""Keeps the audit trail: records what was only counted, and forgets what is older, or more, than is to be kept."""

import threading
from collections.abc import Mapping

import click
import structlog

from fairlead.api.refusals import Refusals
from fairlead.control.audit_trail import Retention, forget, note
from fairlead.control.engine import Engine

_REST_SECONDS = 60.0
_FORGETS_EVERY = 10
"""Ticks: to find the first of too many takes longer than all else of a tick."""

_log = structlog.get_logger("fairlead.control")


def retention_from(settings: Mapping[str, str | None]) -> Retention:
    """How long records are kept; raises click's usage error for what is no number of days or records."""
    return Retention(_number(settings, "audit_trail_days"), _number(settings, "audit_trail_records"))


def _number(settings: Mapping[str, str | None], name: str) -> int:
    given = settings[name] or ""
    if not (given.isascii() and given.isdigit() and 0 < int(given[:10]) < _TOO_MANY):
        flag = f"--{name.replace('_', '-')}"
        raise click.UsageError(f"{flag} is a whole number from 1 to {_TOO_MANY - 1}, not {given!r}.")
    return int(given)


_TOO_MANY = 1_000_000_000


class TrailKeeper:
    """A thread of its own, from `start` to `close`."""

    def __init__(self, engine: Engine, refusals: Refusals, retention: Retention) -> None:
        self._engine = engine
        self._refusals = refusals
        self._retention = retention
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit-trail")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, once what was counted is recorded."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        ticks = 0
        while True:
            try:
                if ticks % _FORGETS_EVERY == 0:
                    self._forget()
                self._record()
            except Exception:  # noqa: BLE001 - a tick loop outlives what nobody thought of
                _log.exception("audit_trail_not_kept")
            if self._stop.is_set():
                return
            ticks += 1
            self._stop.wait(_REST_SECONDS)

    def _record(self) -> None:
        counted = self._refusals.take()
        if counted:
            self._engine.run(lambda tx: note(tx, counted))

    def _forget(self) -> None:
        forgotten = forget(self._engine, self._retention)
        if forgotten:
            _log.warning(
                "audit_trail_shortened",
                records=forgotten,
                kept=self._retention.most,
                hint="There were more than audit_trail_records: raise it, or look who makes so many.",
            )
