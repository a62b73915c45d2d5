"""A simulated host whose agent is told things by a stand-in for control, one tick after another."""

from dataclasses import replace

from fairlead.hoststate.report import Report
from fairlead.sim.fleet import SimHost, sim_host
from fairlead.sim.mischief import AgentDied, dies_after
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import HOST, HostWish, desired

_LONG = 10**6


class AgentLife:
    """An agent that dies is started anew, and lives."""

    def __init__(self, host: SimHost | None = None) -> None:
        self.host: SimHost = host or sim_host("h1", 1)
        self.control = ControlStandIn()
        self.agent = self.host.agent(HOST, self.control)

    def want(self, wish: HostWish) -> None:
        """What the agent hears of at its next tick, with the next generation."""
        generation = self.control.desired.generation if self.control.desired else 0
        self.control.desired = desired(replace(wish, generation=generation + 1))

    def tick(self) -> None:
        """The agent hears, looks and does what is to be done; or dies of it."""
        try:
            self.agent.poll(0)
            self.agent.tick()
        except AgentDied:
            self.host.machine.fuse = dies_after(_LONG)
            self.agent = self.host.agent(HOST, self.control)

    @property
    def report(self) -> Report:
        """The last one that control got."""
        return self.control.reports[-1]
