"""Drivers and switches that take their time: the loop goes on meanwhile, and nothing is tried twice in a tick."""

from dataclasses import replace
from random import Random

from fairlead.agent.flights import InTurn
from fairlead.hoststate.resources import is_brief
from fairlead.hoststate.steps import Chain, ConfigureVf
from fairlead.model.association import Association
from fairlead.model.errors import Failure, Fault
from fairlead.model.ids import DeviceId
from fairlead.model.vf import BASELINE
from fairlead.sim.fleet import SimClock, SimHost, sim_host
from fairlead.sim.interleaved import Interleaved
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import DATA, HOST, HostWish, ServerWish, VfWish, desired

SECONDS, VFS = 3.0, 16
WISH = HostWish(
    servers=tuple(ServerWish(index + 1, vfs=(VfWish(index // 8, index % 8),)) for index in range(VFS)),
    num_vfs=(8, 8),
    generation=2,
)


class Busy:
    """A host whose drivers say no to each setting of a VF, after seconds."""

    def __init__(self, runner: InTurn | Interleaved) -> None:
        self.clock = SimClock()
        self.host: SimHost = sim_host("h1", 1, clock=self.clock)
        self.control = ControlStandIn(desired(HostWish(num_vfs=(8, 8))))
        self.agent = self.host.agent(HOST, self.control, runner=runner)
        self.agent.poll(0)
        for _ in range(3):
            self.agent.tick()
            if isinstance(runner, Interleaved):
                runner.finish()
        self.tries = 0
        self.host.machine.write_vf = self._refuse  # type: ignore[method-assign]
        self.control.desired = desired(WISH)
        self.agent.poll(0)

    def _refuse(self, *_: object) -> None:
        self.tries += 1
        self.clock.advance(SECONDS)
        raise Fault(Failure("host_refused", "Setting", "a VF", "EBUSY: Device or resource busy"))

    def tick(self) -> float:
        """How many seconds it took."""
        began = self.clock.monotonic()
        self.agent.tick()
        return self.clock.monotonic() - began


def test_nothing_that_fails_is_tried_twice_in_a_tick_however_long_that_takes():
    busy = Busy(InTurn())
    once = busy.tick()
    tries = busy.tries
    assert len(busy.control.reports[-1].failures) == VFS
    busy.clock.advance(61)
    assert (busy.tick(), busy.tries) == (once, 2 * tries)


def test_what_should_be_brief_and_is_not_is_waited_for_once():
    """The others fly, and nobody drives them here."""
    busy = Busy(Interleaved(Random(1)))  # noqa: S311 - a seed is the point
    once = busy.tick()
    assert 0 < once < 3 * SECONDS
    assert busy.tick() == 0


def test_what_asks_a_switch_is_not_brief():
    tagged, asked = (
        Chain("set", (ConfigureVf(DeviceId("d"), DATA[0].key, 0, None, settings, is_repair=False),))
        for settings in (BASELINE, replace(BASELINE, association=Association("finance", "port", "host")))
    )
    assert is_brief(tagged)
    assert not is_brief(asked)
