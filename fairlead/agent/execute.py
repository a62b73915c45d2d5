"""Carries out a chain: step by step, to its end or its first failure, while it is still wished for."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from enum import Enum

from fairlead.agent import disk_steps, guest_steps, network_steps, vsi_steps
from fairlead.agent.boundary import ControlAway
from fairlead.agent.disk_steps import DiskStep
from fairlead.agent.guest_steps import GuestStep
from fairlead.agent.hands import Hands
from fairlead.agent.vsi_steps import VsiStep
from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.report import HostEvent, SubjectFailure
from fairlead.hoststate.resources import Resources, resources_of, wish_for
from fairlead.hoststate.steps import (
    AssociateVsi,
    Chain,
    ConfigureVf,
    DisassociateVsi,
    MakeMacvtap,
    MakeTap,
    ResetDevice,
    ScrubVf,
    SetNumVfs,
    SetUpPf,
    Step,
)
from fairlead.model.errors import Failure, Fault
from fairlead.model.ids import HostId, device_id, vf_key


class Outcome(Enum):
    """What became of a chain. LEFT: something else was wished of what it works on, so it was not gone on with."""

    DONE = "done"
    FAILED = "failed"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class ChainResult:
    """What became of a chain, and what happened on the way. `failure`: why it failed; None when it did not."""

    chain: Chain
    outcome: Outcome
    failure: SubjectFailure | None = None
    events: tuple[HostEvent, ...] = ()


ChainRun = Generator[None, None, ChainResult]
"""A chain that is carried out: each `next` gets it a part of the way, and it returns its result."""
OnStep = Callable[[Step], None]
"""Called before each step that is begun."""
AfterStep = Callable[[Step], None]
"""Called after each step that is done: where a test lets the agent die."""


def ignore_step(step: Step) -> None:
    """After a step nothing happens, but in tests."""


@dataclass(frozen=True, slots=True)
class Executor:
    """Carries out chains on one host."""

    host_id: HostId
    hands: Hands
    after_step: AfterStep = ignore_step

    def run(self, chain: Chain, lookup: Lookup, on_step: OnStep) -> ChainRun:
        """Carry it out. `lookup`: what it was planned from. Before each step the newest document is asked:
        the chain goes on only while that wishes the same of all that the chain works on.
        """
        resources, events = resources_of(chain), list[HostEvent]()
        for step in chain.steps:
            if not self._is_wished(resources, lookup):
                return ChainResult(chain, Outcome.LEFT, events=tuple(events))
            on_step(step)
            yield
            try:
                event = self._act(step, lookup)
            except (Fault, ControlAway, OSError) as error:
                failure = told_of(self.host_id, chain, step, _failure(step, error))
                return ChainResult(chain, Outcome.FAILED, failure, tuple(events))
            if event is not None:
                events.append(event)
            self.after_step(step)
            yield
        return ChainResult(chain, Outcome.DONE, events=tuple(events))

    def _is_wished(self, resources: Resources, lookup: Lookup) -> bool:
        newest, planned_by = self.hands.ledger.accepted(), lookup.desired
        if newest is None or newest is planned_by:
            return newest is not None
        return wish_for(resources, newest) == wish_for(resources, planned_by)

    def _act(self, step: Step, lookup: Lookup) -> HostEvent | None:
        if isinstance(step, DiskStep):
            return disk_steps.act(step, self.hands)
        if isinstance(step, GuestStep):
            return guest_steps.act(step, self.hands, lookup)
        if isinstance(step, VsiStep):
            return vsi_steps.act(step, self.hands, lookup)
        return network_steps.act(step, self.hands, lookup)


def told_of(host_id: HostId, chain: Chain, step: Step, failure: Failure) -> SubjectFailure:
    """Which server, port and device the chain's step was for."""
    told = blamed(chain, failure)
    match step:
        case ConfigureVf():
            return replace(told, port_id=step.port_id, device_id=step.device_id)
        case MakeTap():
            return replace(told, port_id=step.tap.port_id)
        case AssociateVsi() | DisassociateVsi():
            return replace(told, port_id=step.vsi.port_id)
        case MakeMacvtap():
            return replace(told, port_id=step.macvtap.port_id)
        case ScrubVf():
            vf = device_id(host_id, vf_key(step.pf, step.index))
            return replace(told, device_id=vf, leaves_traces=True)
        case ResetDevice():
            return replace(told, device_id=device_id(host_id, step.key), leaves_traces=True)
        case SetNumVfs() | SetUpPf():
            return replace(told, device_id=device_id(host_id, step.pf))
        case _:
            return told


def blamed(chain: Chain, failure: Failure) -> SubjectFailure:
    """Whose failure it is that the chain failed: its server's; of one that gives a running guest a NIC, takes it, or
    sets the one that it has, the port's.
    """
    told = SubjectFailure(failure, server_id=chain.server_id)
    return replace(told, port_id=chain.nic.port_id, spares_server=True) if chain.nic else told


def _failure(step: Step, error: Fault | ControlAway | OSError) -> Failure:
    match error:
        case Fault():
            return error.failure
        case ControlAway():
            return Failure("control_away", "Fetching from control for", type(step).__name__, str(error))
        case OSError():
            return Failure("host_refused", "Doing", type(step).__name__, str(error))
