"""Control hears of a host in time, whole where it must; what it did not take is told again."""

import pytest

from fairlead.agent.boundary import ControlAway
from fairlead.agent.reporter import LONGEST_SILENCE_SECONDS, WHOLE_EVERY_SECONDS, Reporter
from fairlead.hoststate.observed import ObservedState
from fairlead.hoststate.report import HostEvent, Report
from fairlead.model.host import HostCapacity
from fairlead.sim.fleet import SimClock
from fairlead.wire.documents import Heartbeat
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import HOST


class Telling:
    """A reporter, its control, and the time."""

    def __init__(self) -> None:
        self.control = ControlStandIn()
        self.clock = SimClock()
        self.start()

    def start(self) -> None:
        """As a new agent, which knows nothing."""
        self.reporter = Reporter(HOST, self.control, self.clock)

    def event(self, kind: str) -> None:
        self.reporter.note((HostEvent(self.clock.now(), kind, "host", "it is so."),))

    def tell(self, generation: int = 1, seconds: float = 0) -> None:
        self.clock.advance(seconds)
        self.reporter.tell(report(generation))

    def settle(self) -> None:
        """Told, and once more: from now on heartbeats do."""
        self.tell()
        self.tell(seconds=LONGEST_SILENCE_SECONDS)

    @property
    def kinds(self) -> list[str]:
        """Of all events that control took."""
        return [event.kind for taken in self.control.reports for event in taken.events]


def report(generation: int) -> Report:
    return Report(HOST, generation, 0, "1", ObservedState("boot", HostCapacity()))


def test_what_is_as_before_is_told_by_heartbeats_and_now_and_then_whole():
    telling = Telling()
    telling.tell()
    telling.tell()
    assert (len(telling.control.reports), telling.control.heartbeats) == (1, [])
    telling.tell(seconds=LONGEST_SILENCE_SECONDS)
    telling.tell(seconds=LONGEST_SILENCE_SECONDS)
    telling.tell()
    assert (len(telling.control.reports), telling.control.heartbeats) == (2, [Heartbeat(2)])
    telling.tell(generation=2)
    telling.tell(generation=2, seconds=LONGEST_SILENCE_SECONDS)
    telling.tell(generation=2, seconds=LONGEST_SILENCE_SECONDS)
    assert (len(telling.control.reports), telling.control.heartbeats[1:]) == (4, [Heartbeat(4)])
    telling.tell(generation=2, seconds=WHOLE_EVERY_SECONDS)
    assert (len(telling.control.reports), len(telling.control.heartbeats)) == (5, 2)


def test_a_new_agent_goes_on_behind_the_serial_that_control_names():
    telling = Telling()
    telling.control.serial = 4711
    telling.event("agent_started")
    telling.tell()
    assert [taken.serial for taken in telling.control.reports] == [4712]
    assert telling.kinds == ["agent_started"]


def test_a_heartbeat_that_is_not_taken_is_followed_by_the_whole_report():
    telling = Telling()
    telling.settle()
    telling.control.serial = 90
    telling.tell(seconds=LONGEST_SILENCE_SECONDS)
    assert [taken.serial for taken in telling.control.reports] == [1, 2, 91]


def test_a_lost_heartbeat_is_sent_again():
    telling = Telling()
    telling.settle()
    telling.control.is_away = True
    with pytest.raises(ControlAway):
        telling.tell(seconds=LONGEST_SILENCE_SECONDS)
    telling.control.is_away = False
    telling.tell()
    assert (len(telling.control.reports), len(telling.control.heartbeats)) == (2, 1)


def test_events_stay_until_a_report_with_them_was_taken():
    telling = Telling()
    telling.control.is_away = True
    telling.event("vf_scrubbed")
    with pytest.raises(ControlAway):
        telling.tell()
    telling.control.is_away = False
    telling.control.serial = 7
    telling.event("guest_started")
    telling.tell()
    telling.tell()
    assert telling.kinds == ["vf_scrubbed", "guest_started"]


def test_control_that_takes_nothing_is_not_asked_for_ever():
    telling = Telling()
    telling.event("vf_scrubbed")
    telling.control.is_deaf = True
    telling.tell()
    assert telling.control.reports == []
    telling.control.is_deaf = False
    telling.tell()
    assert telling.kinds == ["vf_scrubbed"]
