"""Days in the life of one agent, by seed: documents come, machines suffer, the agent dies; it ends well."""

from contextlib import suppress
from dataclasses import replace
from random import Random

import pytest

from fairlead.agent.boundary import ControlAway
from fairlead.hoststate.diff import diff
from fairlead.hoststate.lookup import look_up
from fairlead.hoststate.observed import ObservedState
from fairlead.model.errors import Fault
from fairlead.model.server import Power
from fairlead.model.vf import BASELINE, differences
from fairlead.sim.fleet import sim_host
from fairlead.sim.lossy_link import LossyLink
from fairlead.sim.mischief import AgentDied, Mischief, dies_after
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import DATA, HOST, HostWish, ServerWish, VfWish, desired, server

SEEDS = range(150)
HOURS = 30


class Day:
    """One host from its first boot on."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - a seed is the point
        self.host = sim_host("h1", 1)
        self.control = ControlStandIn()
        self.link = LossyLink(self.control, self.random, 0.15)
        self.mischief = Mischief(self.random)
        self.generation = self.count = 0
        self.servers: dict[int, ServerWish] = {}
        self.agent = self.host.agent(HOST, self.link)

    def wish(self) -> None:
        """Servers come, go, stop, start and boot anew, in four places with VFs of their own."""
        place = self.random.randint(0, 3)
        known = self.servers.get(place)
        if known is None:
            self.count += 1
            free = [VfWish(0, place * 2), VfWish(0, place * 2 + 1), VfWish(1, place)]
            vfs = tuple(self.random.sample(free, self.random.randint(0, 3)))
            self.servers[place] = ServerWish(self.count, vfs=vfs, taps=self.random.randint(0, 1))
        else:
            self._change(place, known)
        self.generation += 1
        servers = tuple(self.servers[place] for place in sorted(self.servers))
        counts = (8, self.random.choice([8, 4]))
        self.control.desired = desired(HostWish(servers, num_vfs=counts, generation=self.generation))

    def _change(self, place: int, known: ServerWish) -> None:
        match self.random.randint(0, 3):
            case 0:
                del self.servers[place]
            case 1:
                power = Power.STOPPED if known.power is Power.RUNNING else Power.RUNNING
                serial = known.boot_serial + (power is Power.RUNNING)
                self.servers[place] = replace(known, power=power, boot_serial=serial)
            case _:
                self.servers[place] = replace(known, boot_serial=known.boot_serial + 1)

    def hour(self) -> None:
        if self.random.random() < 0.4:
            self.wish()
        if self.random.random() < 0.5:
            self.mischief.strike(self.host.machine)
        if self.random.random() < 0.3:
            self.agent = self.host.agent(HOST, self.link, dies_after(self.random.randint(1, 8)))
        self.tick()
        self.host.clock.advance(self.random.choice([0.1, 2, 61]))

    def tick(self) -> None:
        with suppress(ControlAway):
            self.agent.poll(0)
        try:
            with suppress(Fault):  # the host cannot be read: the loop rests and tries again
                self.agent.tick()
        except AgentDied:
            self.agent = self.host.agent(HOST, self.link)

    def settle(self) -> ObservedState:
        Mischief.calm(self.host.machine)
        self.link.trouble = 0
        for _ in range(4):
            self.tick()
            self.host.clock.advance(61)
        self.tick()
        return self.control.reports[-1].observed


@pytest.mark.parametrize("seed", SEEDS)
def test_day(seed):
    day = Day(seed)
    for _ in range(HOURS):
        day.hour()
    day.wish()
    observed = day.settle()
    document = day.control.desired
    assert document is not None
    plan = diff(document, observed)
    assert plan.is_empty, plan
    assert day.control.reports[-1].failures == ()
    assert day.host.machine.mishaps == []
    assert_true(day, observed)


def assert_true(day: Day, observed: ObservedState) -> None:
    """The machine itself, not what was said of it."""
    machine, document = day.host.machine, day.control.desired
    assert document is not None
    owners = look_up(document, observed).owners
    for nic in DATA:
        for index, seen in machine.pfs[nic.key].vfs.items():
            owner = owners.get((nic.key, index))
            assert not differences(owner.settings if owner else BASELINE, seen), (nic.name, index)
    assert set(machine.domains) == {f"fl-{server(wish.number)}" for wish in day.servers.values()}
    for wish in day.servers.values():
        domain = machine.domains[f"fl-{server(wish.number)}"]
        assert not (domain.is_up and wish.power is Power.STOPPED)
    for start in day.host.hypervisor.starts:
        for settings in start.vfs.values():
            assert settings.mac is not None, "a guest was started on a VF that was not configured"
