"""The tap of a running guest that somebody changed is set again, and who reads the events knows."""

from dataclasses import replace

import pytest

from tests.agent_life import AgentLife
from tests.host_wishes import HostWish, ServerWish, port

PLAIN = ServerWish(1, taps=1)
TAP = f"fltap-{port(1, 16)[:8]}"


class Life(AgentLife):
    """A host with a guest that runs on one tap."""

    def __init__(self) -> None:
        super().__init__()
        self.want(HostWish(servers=(PLAIN,)))
        self.tick()

    def told(self) -> list[tuple[str, str]]:
        """Of its tap: the kinds of events, and what they say."""
        events = [event for report in self.control.reports for event in report.events]
        return [(event.kind, event.message) for event in events if event.subject == port(1, 16)]


@pytest.fixture
def life() -> Life:
    return Life()


def test_a_tap_that_somebody_changed_is_set_again_and_that_is_told(life: Life) -> None:
    taps = life.host.kernel.taps
    as_it_was = taps[TAP]
    taps[TAP] = replace(as_it_was, mtu=1400, vlan=999, sources=("10.0.0.9/32",))
    life.tick()
    assert taps[TAP] == as_it_was
    said = "vlan was 999, mtu was 1400, sources was other addresses"
    assert life.told() == [("tap_set", f"tap {TAP} is set as its port says now: {said}")]


def test_a_tap_of_a_guest_that_starts_is_told_by_nobody(life: Life) -> None:
    assert life.told() == []
    life.tick()
    assert life.told() == []


def test_a_tap_that_is_wanted_otherwise_is_told_too(life: Life) -> None:
    before = life.control.desired
    assert before is not None
    taps = tuple(replace(tap, max_rate_kbps=1000) for tap in before.taps)
    life.control.desired = replace(before, generation=before.generation + 1, taps=taps)
    life.tick()
    assert life.told() == [("tap_set", f"tap {TAP} is set as its port says now: max_rate_kbps was none")]
