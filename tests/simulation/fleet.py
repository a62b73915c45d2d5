"""A whole site by seed: the real control side on SQLite, real agents on simulated hosts, bad links, bad luck."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from random import Random
from uuid import UUID

from fairlead.agent.boundary import ControlAway
from fairlead.agent.flights import InTurn
from fairlead.agent.loop import Agent
from fairlead.agent.retries import LONGEST_WAIT_SECONDS
from fairlead.control import hosts
from fairlead.model.errors import Fault, Refusal
from fairlead.model.ids import HostId
from fairlead.model.server import Server, ServerStatus
from fairlead.sim.fleet import SimClock, SimHost, sim_host
from fairlead.sim.hardware import Hardware, behind_a_switch, infiniband_server
from fairlead.sim.in_process import InProcessLink
from fairlead.sim.interleaved import Interleaved
from fairlead.sim.lossy_link import LossyLink
from fairlead.sim.machine import BeforeCall, Troubles, ignore_call
from fairlead.sim.mischief import AgentDied, Mischief, dies_after
from fairlead.sim.switch import Switch
from fairlead.store.engine import open_database
from fairlead.wire.documents import Enrolment
from tests.simulation.actions import ACTIONS, NothingToDo, boot, boot_with_a_whole_nic
from tests.simulation.controls import Controls
from tests.simulation.disk_judge import DiskJudge
from tests.simulation.fabric import FabricTold
from tests.simulation.furniture import IMAGE_BYTES, furnish
from tests.simulation.start_judge import StartJudge

SECRET = "0" * 64
TROUBLE = 0.1


class Place:
    """A host of the site: its machine, its link, and the agent that is alive now. `flights`: what drives that
    agent's chains over many ticks; None: they run in the tick that starts them.
    """

    def __init__(
        self, host: SimHost, host_id: HostId, link: LossyLink, flights: Interleaved | None = None
    ) -> None:
        self.host = host
        self.host_id = host_id
        self.link = link
        self.flights = flights
        self.judge = StartJudge(host, flights)
        self.start_agent()

    def start_agent(self, fuse: BeforeCall = ignore_call) -> None:
        """The one before is dead, if there was one."""
        self.host.machine.fuse = fuse
        if self.flights is not None:
            self.flights.forget()
        self.agent: Agent = self.host.agent(self.host_id, self.link, runner=self.flights or InTurn())

    def tick(self) -> None:
        self._live(lambda: self.agent.poll(0))
        self._live(self.agent.tick)

    def lose_ledger(self) -> None:
        self.host.slots.lose()
        self.host.machine.vsis.clear()  # lldpad starts anew with the host's disk
        self.start_agent()

    def drive(self, random: Random) -> None:
        """What is in flight gets on a little; news may come in between."""
        for _ in range(random.randint(0, 12) if self.flights else 0):
            self._live(random.choice([self._drive, self._drive, lambda: self.agent.poll(0)]))

    def settle(self) -> None:
        """Tick until what one tick began is over, and nothing waits for it."""
        for _ in range(6 if self.flights else 1):
            self.tick()
            self._finish()

    def _finish(self) -> None:
        while self.flights is not None and not self.flights.is_idle:
            self._live(self._drive)

    def _drive(self) -> None:
        if self.flights is not None:
            self.flights.drive()

    def _live(self, act: Callable[[], None]) -> None:
        try:
            with suppress(Fault, ControlAway):  # the host cannot be read: the loop rests and tries again
                act()
        except AgentDied:
            self.start_agent()


class Site:
    """Everything, from one seed. `database` is the URL of an empty one. `is_crowded`: agents' chains are in flight
    over many ticks.
    """

    def __init__(
        self, seed: int, database: str = "sqlite://", host_count: int = 2, *, is_crowded: bool = False
    ) -> None:
        self._is_crowded = is_crowded
        self.random = Random(seed)  # noqa: S311 - a seed is the point
        self.clock = SimClock()
        self.database = open_database(database, clock=self.clock.now, new_id=self._new_id)
        self.engine = Controls(self.database, self.random)
        self.mischief = Mischief(self.random)
        self.disks = DiskJudge()
        self.furniture = self.engine.run(furnish)
        self.fabric = FabricTold(self.engine, self.random)
        self.places = [self._enrol(number) for number in range(1, host_count + 1)]
        self._work(1)
        self._move_in()
        self.engine.schedule()  # before hosts count as silent
        self._work(1)
        for place in self.places:
            place.link.trouble = TROUBLE

    def close(self) -> None:
        self.database.close()

    def hour(self) -> None:
        """Something is asked for, something goes wrong, and everybody does some work."""
        for _ in range(self.random.randint(0, 2)):
            self._ask()
        if self.random.random() < 0.8:
            self.engine.schedule()
        self.fabric.hour()
        for place in self.places:
            self._befall(place)
            if self.random.random() < 0.8:
                place.tick()
            place.drive(self.random)
        self.disks.look(self.servers(), self.hosts)
        self.fabric.look(self.places)
        self.clock.advance(self.random.choice([0.5, 3, 3, 12, 35]))

    def settle(self) -> None:
        """Nothing goes wrong any more, what was done is put right, and everybody works until nothing changes."""
        for place in self.places:
            Mischief.calm(place.host.machine)
        self._work(5)

    def quieten(self) -> None:
        """For a while nothing more goes wrong, and everybody works. What was done is left as it is."""
        for place in self.places:
            place.host.machine.troubles, place.host.machine.switch = Troubles(), Switch()
        self._work(3)
        for place in self.places:
            place.link.trouble = TROUBLE

    def _work(self, rounds: int) -> None:
        for place in self.places:
            place.link.trouble = 0
            place.host.machine.fuse = ignore_call
        self.clock.advance(LONGEST_WAIT_SECONDS)
        for _ in range(rounds):
            self.engine.schedule()
            self.fabric.tell()
            for place in self.places:
                place.settle()
            self.fabric.tell()
            self.clock.advance(61)
        for place in self.places:
            place.tick()

    @property
    def hosts(self) -> dict[HostId, SimHost]:
        return {place.host_id: place.host for place in self.places}

    def servers(self, *statuses: ServerStatus) -> tuple[Server, ...]:
        return self.engine.run(lambda tx: tx.servers.find(status=statuses) if statuses else tx.servers.find())

    def run(self, work: Callable[..., object], *args: object, **names: object) -> object:
        return self.engine.run(lambda tx: work(tx, *args, **names))

    def _move_in(self) -> None:
        """Hosts are empty, and nothing has befallen them."""
        if self.random.random() < 0.4:
            boot_with_a_whole_nic(self)
        for _ in range(self.random.randint(2, 4)):
            with suppress(Refusal):
                boot(self)

    def _ask(self) -> None:
        """For one thing that there is somebody to do it to."""
        for action in self.random.sample(ACTIONS, 5):
            with suppress(NothingToDo, Refusal):
                action(self)
                return

    def _befall(self, place: Place) -> None:
        if self.random.random() < 0.35:
            self.mischief.strike(place.host.machine)
        if self.random.random() < 0.3:
            place.start_agent(dies_after(self.random.randint(0, 25)))
        if self.random.random() < 0.03:
            place.lose_ledger()

    def _new_id(self) -> str:
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def _enrol(self, number: int) -> Place:
        _, token = self.engine.run(partial(hosts.create, new=hosts.NewHost(f"h{number}"), secret=SECRET))
        enrolment = Enrolment(token, f"h{number}", "simulated")
        host_id = self.engine.run(partial(hosts.enrol, enrolment=enrolment, secret=SECRET)).host_id
        direct = InProcessLink(self.engine, host_id, lambda _: IMAGE_BYTES)
        link = LossyLink(direct, self.random, 0)
        flights = Interleaved(self.random) if self._is_crowded else None
        host = sim_host(f"h{number}", number, clock=self.clock, built=_built)
        return Place(host, host_id, link, flights)


def _built(number: int) -> Hardware:
    """Every second host has devices that share IOMMU groups."""
    hardware = infiniband_server(number)
    return behind_a_switch(hardware) if number % 2 == 0 else hardware
