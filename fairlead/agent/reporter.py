"""Tells control what is: whole when it is new, by a heartbeat while nothing changes."""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

import structlog

from fairlead.agent.boundary import Clock, Control
from fairlead.hoststate.report import HostEvent, Report
from fairlead.model.ids import HostId
from fairlead.wire.documents import Heartbeat

LONGEST_SILENCE_SECONDS = 10.0
"""Control takes a host for dead that it has not heard of for three times as long."""
WHOLE_EVERY_SECONDS = 300.0
"""A whole report at least this often, though nothing changed: control asks its rules of each report anew, so
whatever it got wrong, or somebody changed in its rows, is healed by then; and 1,000 hosts cost it little.
"""
_TELLINGS = 3
"""One that control takes, if only by the serial that it named; one more where an older one came in between."""
_EVENTS_KEPT = 1000

_log = structlog.get_logger("fairlead.agent")


class Reporter:
    """For one thread. It remembers what control took of it, and begins with nothing: control names the serial
    that it wants next.
    """

    def __init__(self, host_id: HostId, control: Control, clock: Clock) -> None:
        self._host_id = host_id
        self._control = control
        self._clock = clock
        self._events: deque[HostEvent] = deque(maxlen=_EVENTS_KEPT)
        self._serial = 0
        self._taken: Report | None = None
        self._is_settled = False
        self._whole_at = 0.0
        self._heard_at = 0.0

    def note(self, events: Iterable[HostEvent]) -> None:
        """Keep them until a report with them was taken."""
        self._events.extend(events)

    def tell(self, report: Report) -> None:
        """That all is as in the report, whose serial and events are filled in here. Nothing is sent while control
        knows it and heard of us lately. Raises ControlAway.

        The first after news is whole again: what control made of the news may change what it makes of the same.
        """
        now = self._clock.monotonic()
        if self._events or report != self._taken:
            self._tell_whole(report, now, is_news=True)
        elif now - self._heard_at < LONGEST_SILENCE_SECONDS:
            return
        elif not self._is_settled or now - self._whole_at >= WHOLE_EVERY_SECONDS:
            self._tell_whole(report, now, is_news=False)
        elif not self._is_heartbeat_taken(now):
            self._tell_whole(report, now, is_news=True)

    def _is_heartbeat_taken(self, now: float) -> bool:
        receipt = self._control.heartbeat(Heartbeat(self._serial))
        self._serial = receipt.serial
        if receipt.is_taken:
            self._heard_at = now
        return receipt.is_taken

    def _tell_whole(self, report: Report, now: float, *, is_news: bool) -> None:
        """The first after a start is refused, and so is one whose forerunner's receipt was lost: then control
        names its newest serial.
        """
        self._taken = None
        told = replace(report, events=tuple(self._events))
        for _ in range(_TELLINGS):
            receipt = self._control.report(replace(told, serial=self._serial + 1))
            self._serial = receipt.serial
            if receipt.is_taken:
                for _ in told.events:
                    self._events.popleft()
                self._taken, self._is_settled = report, not is_news
                self._whole_at = self._heard_at = now
                return
        _log.warning("report_refused", host_id=self._host_id, serial=self._serial)
