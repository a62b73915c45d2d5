"""Days in the life of one agent, by seed: documents come, machines suffer, the agent dies; it ends well."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from random import Random

import pytest

from fairlead.agent.boundary import ControlAway
from fairlead.agent.flights import InTurn, Runner
from fairlead.agent.retries import LONGEST_WAIT_SECONDS
from fairlead.hoststate.diff import diff
from fairlead.hoststate.lookup import look_up
from fairlead.hoststate.observed import GuestState, ObservedState
from fairlead.model.errors import Fault
from fairlead.model.multicast import ALL_NODES
from fairlead.model.server import Power
from fairlead.model.vf import baseline_of, differences
from fairlead.sim.fleet import sim_host
from fairlead.sim.hardware import infiniband_server
from fairlead.sim.interleaved import Interleaved
from fairlead.sim.lossy_link import LossyLink
from fairlead.sim.machine import BeforeCall, ignore_call
from fairlead.sim.mischief import AgentDied, Mischief, dies_after
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import (
    DATA,
    HOST,
    IMAGE,
    IMAGE_BYTES,
    NICS,
    HostWish,
    ServerWish,
    VfWish,
    desired,
    server,
)
from tests.simulation.start_judge import StartJudge
from tests.simulation.vf_watch import VfWatch

SEEDS = range(150)
HOURS = 30


def _otherwise(vf: VfWish) -> VfWish:
    """The VF as its port may become under way."""
    if vf.pf >= len(DATA):
        return replace(vf, partition=14 - vf.partition)
    if vf.profile_id is None:
        return replace(vf, trust=not vf.trust, vsi_type=vf.vsi_type and 3 - vf.vsi_type)
    return replace(vf, profile_id="hr" if vf.profile_id == "finance" else "finance")


class Day:
    """One host from its first boot on. Chains run in the tick that starts them."""

    runner: Runner = InTurn()

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - a seed is the point
        self.host = sim_host("h1", 1, built=infiniband_server)
        self.control = ControlStandIn()
        self.control.images[IMAGE.id] = IMAGE_BYTES
        self.link = LossyLink(self.control, self.random, 0.15)
        self.mischief = Mischief(self.random)
        self.watch = VfWatch(self.host, self.control)
        self.judge = StartJudge(self.host)
        self.generation = self.count = 0
        self.servers: dict[int, ServerWish] = {}
        self.start_agent()

    def start_agent(self, fuse: BeforeCall = ignore_call) -> None:
        """The one before is dead, if there was one."""
        self.host.machine.fuse = fuse
        self.agent = self.host.agent(HOST, self.link, self.watch.see, self.runner)

    def wish(self) -> None:
        """Servers come, go, stop, start and boot anew, in four places with VFs of their own."""
        place = self.random.randint(0, 3)
        known = self.servers.get(place)
        if known is None:
            self.count += 1
            fabric = VfWish(1, place, profile_id=self.random.choice(["finance", "hr"]))
            fabric = self.random.choice([fabric, VfWish(1, place, vsi_type=1)])
            partition = self.random.choice([5, 9])
            infiniband = [VfWish(pf, place, partition=partition) for pf in (2, 3)]
            places = [VfWish(0, place * 2), VfWish(0, place * 2 + 1), fabric, *infiniband]
            free = [vf for vf in places if self.watch.may_be_given((NICS[vf.pf].key, vf.index))]
            vfs = tuple(
                replace(vf, is_tapped=vf.pf < len(DATA) and self.random.random() < 0.4)
                for vf in self.random.sample(free, self.random.randint(0, len(free)))
            )
            image = self.random.choice([None, IMAGE])
            taps = self.random.randint(0, 1)
            self.servers[place] = ServerWish(self.count, vfs=vfs, taps=taps, image=image)
        else:
            self._change(place, known)
        self.generation += 1
        servers = tuple(self.servers[place] for place in sorted(self.servers))
        counts = (8, self.random.choice([8, 4]))
        gone = tuple(set(range(1, self.count + 1)) - {wish.number for wish in servers})
        wish = HostWish(servers, counts, self.generation, removals=gone, fabric_vfs=4)
        self.control.desired = desired(wish)
        self.watch.wished(self.control.desired)

    def _change(self, place: int, known: ServerWish) -> None:
        match self.random.randint(0, 5):
            case 0:
                del self.servers[place]
            case 1:
                power = self.random.choice([power for power in Power if power is not known.power])
                goes_on = known.power is Power.SUSPENDED and self.random.random() < 0.7
                serial = known.boot_serial + (power is Power.RUNNING and not goes_on)
                self.servers[place] = replace(known, power=power, boot_serial=serial)
            case 2:
                vfs = tuple(map(_otherwise, known.vfs))
                self.servers[place] = replace(known, vfs=vfs)
            case 3 if known.image:
                again = replace(known, disk_serial=known.disk_serial + 1, hard_reboot=True)
                self.servers[place] = replace(
                    again, boot_serial=known.boot_serial + self.random.randint(0, 1)
                )
            case _:
                self.servers[place] = replace(known, boot_serial=known.boot_serial + 1)

    def hour(self) -> None:
        if self.random.random() < 0.4:
            self.wish()
        if self.random.random() < 0.5:
            self.mischief.strike(self.host.machine)
        if self.random.random() < 0.3:
            self.start_agent(dies_after(self.random.randint(0, 40)))
        if self.random.random() < 0.03:
            self.lose_ledger()
        self.work()
        self.host.clock.advance(self.random.choice([0.1, 2, 61]))

    def lose_ledger(self) -> None:
        """As when the host's disk was replaced: its guests run on, and the agent knows nothing; nor does lldpad."""
        self.host.slots.lose()
        self.host.machine.vsis.clear()
        self.link = LossyLink(self.control, self.random, self.link.trouble)
        self.watch.forget()
        self.start_agent()

    def work(self) -> None:
        """What the agent gets done in an hour."""
        self.tick()

    def tick(self) -> None:
        self.live(self.poll)
        self.live(self.agent.tick)
        self.watch.told()

    def poll(self) -> None:
        with suppress(ControlAway):
            self.agent.poll(0)

    def live(self, act: Callable[[], None]) -> None:
        try:
            with suppress(Fault):  # the host cannot be read: the loop rests and tries again
                act()
        except AgentDied:
            self.start_agent()

    def finish(self) -> None:
        """Nothing is in flight any more."""

    def settle(self) -> ObservedState:
        Mischief.calm(self.host.machine)
        self.link.trouble = 0
        self.host.clock.advance(LONGEST_WAIT_SECONDS)
        for _ in range(4):
            for _ in range(6):
                self.tick()
                self.finish()
            self.host.clock.advance(61)
        self.tick()
        return self.control.reports[-1].observed


class CrowdedDay(Day):
    """Chains are in flight over many ticks, and get on in an order that the seed decides."""

    def __init__(self, seed: int) -> None:
        self.runner = self.flights = Interleaved(Random(seed))  # noqa: S311 - as above
        super().__init__(seed)
        self.judge.flights = self.flights
        self.watch.is_crowded = True

    def start_agent(self, fuse: BeforeCall = ignore_call) -> None:
        self.flights.forget()
        super().start_agent(fuse)

    def work(self) -> None:
        for _ in range(self.random.randint(1, 12)):
            act = self.random.choice([self.tick, self.poll, *[self.flights.drive] * 4])
            self.live(act)
            if self.random.random() < 0.1:
                self.wish()

    def finish(self) -> None:
        while not self.flights.is_idle:
            self.live(self.flights.drive)


@pytest.mark.parametrize("kind", [Day, CrowdedDay])
@pytest.mark.parametrize("seed", SEEDS)
def test_day(kind, seed):
    day = kind(seed)
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
    assert day.watch.mishaps == []
    assert day.judge.mishaps == []
    assert_true(day, observed)


def assert_true(day: Day, observed: ObservedState) -> None:
    """The machine itself, not what was said of it."""
    machine, document = day.host.machine, day.control.desired
    assert document is not None
    owners = look_up(document, observed).owners
    for nic in NICS:
        for index, seen in machine.pfs[nic.key].vfs.items():
            owner = owners.get((nic.key, index))
            wanted = owner.settings if owner else baseline_of(nic.link_layer)
            assert not differences(wanted, seen), (nic.name, index)
            assert owner or (nic.key, index) not in machine.links.vfs
    held = {vsi.instance_id: vsi for vsis in machine.vsis.values() for vsi in vsis.values()}
    assert held == {vsi.settings.instance_id: vsi.settings for vsi in document.vsis}
    assert set(machine.domains) == {f"fl-{server(wish.number)}" for wish in day.servers.values()}
    for wish in day.servers.values():
        domain = machine.domains[f"fl-{server(wish.number)}"]
        assert not domain.is_up or wish.power.is_up
        given = [vf for vf in wish.vfs if not vf.is_tapped]
        own = {machine.pfs[NICS[vf.pf].key].nic.vf_address(vf.index) for vf in given}
        assert own.issuperset(domain.live_hostdevs), "however often it was started by hand"
        macvtaps = [name for name in domain.live_taps if name in machine.links.below]
        assert domain.state is GuestState.PAUSED or all(machine.has_open(domain, name) for name in macvtaps)
        there = [name for name in macvtaps if name in machine.virtual_links]
        assert all(ALL_NODES in machine.links.groups[name] for name in there)
        assert machine.links.allmulti.isdisjoint(there)
        assert not (domain.is_up and (domain.state is GuestState.PAUSED) is not (wish.power is Power.PAUSED))
