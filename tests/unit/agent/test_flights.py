"""Chains that take long do not hold up a tick, and nothing that they work on is touched or told of meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from threading import Event

import pytest

from fairlead.agent.boundary import HypervisorView
from fairlead.agent.flights import PATIENCE_SECONDS, Flying, Threads
from fairlead.agent.ledger import SlotLedger
from fairlead.hoststate.desired import DesiredState
from fairlead.hoststate.observed import GuestState
from fairlead.hoststate.report import Report
from fairlead.hoststate.steps import ConfigureVf, ScrubVf, Step
from fairlead.model.ids import ImageId
from fairlead.model.server import Power
from fairlead.model.vf import BASELINE
from fairlead.sim.fleet import sim_host
from fairlead.sim.hypervisor import SimHypervisor
from fairlead.sim.interleaved import Interleaved
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import (
    DATA,
    HOST,
    IMAGE,
    IMAGE_BYTES,
    HostWish,
    ServerWish,
    VfWish,
    desired,
    port,
    server,
    settings,
)

VF, OTHER_VF = VfWish(0, 3), VfWish(0, 4)
ONE = ServerWish(1, vfs=(VF,), taps=1)
TWO = ServerWish(2, vfs=(OTHER_VF,), image=IMAGE)


class Rig:
    """A host whose chains in flight get on only when they are driven; its VFs are made, and nothing else."""

    def __init__(self, flights: Interleaved | Threads, control: ControlStandIn | None = None) -> None:
        self.flights = flights
        self.control = control or ControlStandIn()
        self.control.images[IMAGE.id] = IMAGE_BYTES
        self.host = sim_host("h1", 1)
        self.steps: list[str] = []
        self.wished: set[int] = set()
        self.control.desired = desired(HostWish())
        self.host.agent(HOST, self.control).poll(0)
        self.host.agent(HOST, self.control).tick()
        self.agent = self.host.agent(HOST, self.control, self._see, flights)

    def _see(self, step: Step) -> None:
        self.steps.append(type(step).__name__)
        if isinstance(step, ScrubVf):
            assert DATA[0].vf_address(step.index) not in self.host.machine.users()

    def wish(self, *servers: ServerWish) -> None:
        assert self.control.desired is not None
        generation = self.control.desired.generation + 1
        numbers = {server.number for server in servers}
        self.wished |= numbers
        gone = tuple(self.wished - numbers)
        self.control.desired = desired(HostWish(servers, generation=generation, removals=gone))
        self.agent.poll(0)

    def tick(self) -> Report:
        self.agent.tick()
        return self.control.reports[-1]

    def drive_to(self, step: str) -> None:
        """Until such a step is done."""
        assert isinstance(self.flights, Interleaved)
        while step not in self.steps:
            assert not self.flights.is_idle
            self.flights.drive()

    def settle(self) -> Report:
        assert isinstance(self.flights, Interleaved)
        for _ in range(8):
            self.tick()
            self.flights.finish()
        assert all(vf.mac for start in self.host.hypervisor.starts for vf in start.vfs.values())
        assert self.host.machine.mishaps == []
        return self.tick()

    def vfs(self):
        return self.host.machine.pfs[DATA[0].key].vfs

    def is_up(self, number: int) -> bool:
        domain = self.host.machine.domains.get(f"fl-{server(number)}")
        return domain is not None and domain.is_up


def slow_rig(*servers: ServerWish) -> Rig:
    """As `servers`, and with them running."""
    rig = Rig(Interleaved(Random(1)))  # noqa: S311 - a seed is the point
    if servers:
        rig.wish(*servers)
        rig.settle()
        rig.steps.clear()
    return rig


def is_clean(report: Report, index: int) -> bool:
    vf = report.observed.pfs[1].vfs[index]
    return not vf.is_dirty and vf.settings == BASELINE


def test_drift_is_repaired_and_others_start_while_an_image_is_fetched():
    rig = slow_rig(ONE)
    rig.wish(ONE, TWO, ServerWish(3))
    rig.tick()
    rig.vfs()[3] = replace(rig.vfs()[3], vlan=999)
    report = rig.tick()
    assert rig.vfs()[3] == settings(1, VF)
    assert "drift_repaired" in {event.kind for event in report.events}
    assert port(1, 0) in report.wired
    rig.drive_to("StartGuest")
    rig.settle()
    assert rig.is_up(2)
    assert rig.is_up(3)


def test_a_real_download_holds_up_nobody_and_its_end_wakes_the_loop():
    class SlowControl(ControlStandIn):
        def __init__(self) -> None:
            super().__init__()
            self.may_send = Event()

        @contextmanager
        def image(self, image_id: ImageId) -> Iterator[Iterator[bytes]]:
            assert self.may_send.wait(20)
            with super().image(image_id) as chunks:
                yield chunks

    def wait_until_up(number: int) -> None:
        for _ in range(100):
            if rig.is_up(number):
                return
            rig.agent.wake.wait(20)
            rig.tick()

    control = SlowControl()
    rig = Rig(Threads(4), control)
    rig.wish(ONE, TWO, replace(TWO, number=3, vfs=()))
    rig.tick()
    wait_until_up(1)
    assert rig.is_up(1)
    assert not rig.is_up(2)
    rig.vfs()[3] = replace(rig.vfs()[3], vlan=999)
    rig.tick()
    assert rig.vfs()[3] == settings(1, VF)
    control.may_send.set()
    wait_until_up(2)
    wait_until_up(3)
    assert rig.steps.count("FetchImage") == 1


def test_a_server_that_is_deleted_while_its_guest_is_made_is_not_started():
    rig = slow_rig()
    rig.wish(ONE)
    rig.tick()
    rig.drive_to("ConfigureVf")
    rig.wish()
    report = rig.tick()
    assert not is_clean(report, 3)
    assert [guest.server_id for guest in report.observed.guests] == [server(1)]
    report = rig.settle()
    assert "StartGuest" not in rig.steps
    assert is_clean(report, 3)
    assert report.observed.guests == ()
    assert rig.host.machine.mishaps == []


def test_a_server_that_is_deleted_while_its_guest_starts_goes_before_its_vf_is_scrubbed():
    """The document comes when the chain has asked whether it is wished, and has not yet started the guest."""
    rig = slow_rig()
    rig.wish(ONE)
    rig.tick()
    rig.drive_to("DefineGuest")
    rig.flights.drive()  # the step is over
    rig.flights.drive()  # the next is wished
    rig.wish()
    assert not is_clean(rig.tick(), 3)
    assert "ScrubVf" not in rig.steps
    report = rig.settle()
    assert rig.steps[rig.steps.index("StartGuest") :].count("ScrubVf") == 1
    assert rig.steps.index("RemoveGuest") > rig.steps.index("StartGuest")
    assert rig.steps.index("StopGuest") < rig.steps.index("ScrubVf")
    assert is_clean(report, 3)
    assert rig.host.machine.domains == {}


@pytest.mark.parametrize("seed", range(8))
def test_a_vf_that_was_configured_before_belongs_to_the_start_too(seed):
    """The chain defines and starts, and has no step on the VF."""
    rig = Rig(Interleaved(Random(seed)))  # noqa: S311 - a seed is the point
    rig.wish(replace(ONE, power=Power.STOPPED))
    rig.settle()
    rig.steps.clear()
    rig.wish(replace(ONE, boot_serial=2))
    rig.tick()
    rig.drive_to("DefineGuest")
    rig.flights.drive()
    rig.flights.drive()
    rig.wish()
    rig.settle()
    assert rig.steps.index("StartGuest") < rig.steps.index("ScrubVf")
    assert is_clean(rig.tick(), 3)


def test_what_ends_within_a_pass_keeps_its_vf_until_the_next():
    """The pass has seen the guest down; by the turn of the scrub it has come up."""

    class Hasty(Interleaved):
        """Others end when one begins."""

        def start(self, flying: Flying) -> None:
            self.finish()
            super().start(flying)

    rig = Rig(Hasty(Random(1)))  # noqa: S311 - as above
    three = ServerWish(3)
    rig.wish(three)
    rig.settle()
    rig.steps.clear()
    rig.wish(three, ONE)
    rig.tick()
    rig.drive_to("DefineGuest")
    rig.flights.drive()
    rig.flights.drive()
    rig.wish()
    rig.agent.tick()
    rig.settle()
    assert "StartGuest" in rig.steps
    assert rig.host.machine.domains == {}
    assert rig.vfs()[3] == BASELINE


def test_what_was_read_before_a_guest_went_is_not_entered_after():
    class Slow(SimHypervisor):
        """All chains in flight end between what it reads and what is made of it."""

        def observe(self) -> HypervisorView:
            view = super().observe()
            rig.flights.finish()
            return view

    rig = slow_rig(ONE)
    rig.host = replace(rig.host, hypervisor=Slow(rig.host.machine))
    rig.agent = rig.host.agent(HOST, rig.control, runner=rig.flights)
    rig.wish()
    rig.tick()
    assert rig.host.machine.domains == {}
    assert SlotLedger(rig.host.slots, HOST).started() == {}


def test_a_reboot_while_the_guest_is_stopping_starts_it_once_it_is_down():
    rig = slow_rig(ONE)
    rig.wish(replace(ONE, power=Power.STOPPED))
    rig.tick()
    rig.wish(replace(ONE, boot_serial=2))
    rig.tick()
    assert rig.steps == []
    report = rig.settle()
    assert rig.steps == ["StopGuest", "DefineGuest", "StartGuest"]
    assert report.observed.guests[0].state is GuestState.RUNNING
    assert report.observed.guests[0].boot_serial == 2


def test_a_port_that_a_chain_may_still_change_is_not_told_to_be_wired():
    """The VF is as wished, and a guest is about to be started on it."""
    rig = slow_rig(replace(ONE, power=Power.STOPPED))
    rig.wish(replace(ONE, boot_serial=2))
    assert port(1, 0) not in rig.tick().wired
    assert port(1, 0) in rig.settle().wired
    assert rig.steps == ["DefineGuest", "StartGuest"]


def test_a_failure_in_flight_is_told_and_tried_again_later():
    rig = slow_rig()
    rig.host.machine.troubles.hanging["start"] = 3
    rig.wish(ONE)
    report = rig.settle()
    assert [failure.server_id for failure in report.failures] == [server(1)]
    assert 0 < rig.agent.rest_seconds() <= 2
    for _ in range(3):
        rig.host.clock.advance(5)
        report = rig.settle()
    assert rig.is_up(1)
    assert not report.failures


def test_an_image_that_cannot_be_had_is_told_of_each_server_that_waits_for_it():
    rig = slow_rig()
    rig.control.images.clear()
    rig.wish(ONE, TWO, replace(TWO, number=3, vfs=()))
    report = rig.settle()
    assert {failure.server_id for failure in report.failures} >= {server(2), server(3)}
    assert rig.is_up(1)


def test_chains_go_on_while_control_is_away_and_are_told_of_after():
    rig = slow_rig()
    rig.wish(ONE)
    rig.tick()
    rig.control.is_away = True
    rig.settle()
    assert rig.is_up(1)
    rig.control.is_away = False
    report = rig.tick()
    assert port(1, 0) in report.wired
    assert "guest_started" in {event.kind for event in report.events}


def test_no_more_are_begun_than_there_is_room_for():
    rig = slow_rig()
    rig.flights.room = 2
    rig.wish(*(ServerWish(number) for number in range(1, 6)))
    rig.tick()
    begun = 0
    while not rig.flights.is_idle:
        rig.flights.drive()
        begun = rig.steps.count("StartGuest")
    assert begun == 2
    rig.settle()
    assert all(rig.is_up(number) for number in range(1, 6))


def test_a_chain_that_meets_an_error_nobody_thought_of_is_over():
    rig = Rig(Threads(2))

    def break_down(step: Step) -> None:
        raise LookupError

    rig.agent = rig.host.agent(HOST, rig.control, break_down, Threads(2))
    rig.wish(ServerWish(1))
    for _ in range(3):
        rig.tick()
        rig.agent.wake.wait(20)
        report = rig.tick()
        if report.failures:
            break
    assert {failure.failure.code for failure in report.failures} == {"agent_broke"}


def test_a_chain_that_finds_no_thread_is_told_of_and_tried_again():
    class Crowded(Interleaved):
        """There is no thread for the first."""

        is_full = True

        def start(self, flying: Flying) -> None:
            super().start(flying)
            if self.is_full:
                self.is_full = False
                raise RuntimeError("can't start new thread")

    rig = Rig(Crowded(Random(1)))  # noqa: S311 - as above
    rig.flights.room = 1
    rig.wish(ServerWish(1))
    report = rig.settle()
    assert [(told.server_id, told.failure.code) for told in report.failures] == [(server(1), "not_begun")]
    assert rig.steps == []
    assert 0 < rig.agent.rest_seconds() <= 1
    rig.host.clock.advance(1)
    assert not rig.settle().failures
    assert rig.is_up(1)


def test_a_chain_that_does_not_come_back_is_told_of_and_goes_on_when_it_does():
    rig = slow_rig()
    rig.wish(ONE)
    rig.tick()
    rig.drive_to("DefineGuest")
    rig.host.clock.advance(PATIENCE_SECONDS)
    rig.flights.drive()
    rig.flights.drive()  # the start has begun
    rig.host.clock.advance(PATIENCE_SECONDS - 1)
    assert not rig.tick().failures
    rig.host.clock.advance(1)
    [told] = rig.tick().failures
    assert (told.server_id, told.failure.code) == (server(1), "overdue")
    assert told.failure.answer == (
        "StartGuest has not come back for 15 minutes: it began at 2026-01-01 00:15:00 UTC"
    )
    rig.host.clock.advance(60)
    assert rig.tick().failures == (told,)
    rig.flights.finish()
    assert not rig.tick().failures
    assert rig.is_up(1)


def test_chains_that_do_not_come_back_take_no_room_from_others_but_there_is_a_bound():
    class Stuck(Interleaved):
        """What begins gets to its first step, and there it stays."""

        room = 1

        def start(self, flying: Flying) -> None:
            next(flying)
            super().start(flying)

    rig, told = Rig(Stuck(Random(1))), list[int]()  # noqa: S311 - as above
    rig.wish(*(ServerWish(number) for number in range(1, 7)))
    for _ in range(6):
        told.append(len(rig.tick().failures))
        rig.host.clock.advance(PATIENCE_SECONDS)
    assert told == [0, 1, 2, 3, 4, 4]
    assert rig.steps == []
    rig.settle()
    assert all(rig.is_up(number) for number in range(1, 7))


def test_an_error_nobody_thought_of_does_not_end_the_tick():
    rig = Rig(Threads(2))
    broken: list[Step] = []

    def break_down(step: Step) -> None:
        if isinstance(step, ConfigureVf) and not broken:
            broken.append(step)
            raise LookupError

    rig.agent = rig.host.agent(HOST, rig.control, break_down)
    rig.wish(ONE, TWO)
    rig.tick()
    assert broken
    assert rig.is_up(1)
    assert rig.is_up(2)


def test_a_document_of_another_server_does_not_stop_a_chain():
    rig = slow_rig()
    rig.wish(ONE)
    rig.tick()
    rig.drive_to("ConfigureVf")
    rig.wish(ONE, ServerWish(3))
    rig.flights.finish()
    assert rig.is_up(1)
    assert isinstance(rig.control.desired, DesiredState)
