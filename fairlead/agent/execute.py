"""Carries out a plan: stage by stage, each chain to its end or its first failure."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from fairlead.agent import guest_steps, network_steps
from fairlead.agent.boundary import ControlAway
from fairlead.agent.guest_steps import GuestStep
from fairlead.agent.hands import Hands
from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.report import HostEvent, SubjectFailure
from fairlead.hoststate.steps import (
    Chain,
    ConfigureVf,
    HostPlan,
    MakeTap,
    ResetDevice,
    ScrubVf,
    SetNumVfs,
    SetUpPf,
    Step,
)
from fairlead.model.errors import Failure, Fault
from fairlead.model.ids import HostId, device_id, vf_key


@dataclass(frozen=True, slots=True)
class ChainResult:
    """What became of a chain. `failure` None: all its steps are done. `was_run` False: what it needs had
    failed, so nothing of it was tried.
    """

    chain: Chain
    failure: SubjectFailure | None
    was_run: bool = True
    events: tuple[HostEvent, ...] = ()


RunAll = Callable[[Sequence[Callable[[], ChainResult]]], Sequence[ChainResult]]
"""Runs what is given, in any order, and returns the results in the order given."""
AfterStep = Callable[[Step], None]
"""Called after each step that is done: where a test lets the agent die."""


def in_turn(chains: Sequence[Callable[[], ChainResult]]) -> Sequence[ChainResult]:
    """One after the other: what simulations need, to be the same each time."""
    return [run() for run in chains]


class Threads:
    """Several at once: libvirt takes seconds to start a guest with devices, for each of them."""

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="chain")

    def __call__(self, chains: Sequence[Callable[[], ChainResult]]) -> Sequence[ChainResult]:
        """All results, once all are done."""
        if len(chains) < 2:  # noqa: PLR2004 - one needs no company
            return in_turn(chains)
        return list(self._pool.map(lambda run: run(), chains))

    def close(self) -> None:
        """Wait for what runs, and let the threads go."""
        self._pool.shutdown()


def ignore_step(step: Step) -> None:
    """After a step nothing happens, but in tests."""


@dataclass(frozen=True, slots=True)
class Executor:
    """Executes plans on one host."""

    host_id: HostId
    hands: Hands
    run_all: RunAll = in_turn
    after_step: AfterStep = ignore_step

    def execute(
        self, plan: HostPlan, lookup: Lookup, barred: Mapping[str, SubjectFailure]
    ) -> tuple[ChainResult, ...]:
        """What became of every chain that is not barred. A chain whose need failed, or is barred, is not
        tried: its failure is that of its need, told of its own server.
        """
        failed = dict(barred)
        results: list[ChainResult] = []
        for stage in plan.stages:
            found = self._stage([chain for chain in stage if chain.key not in barred], lookup, failed)
            failed.update({result.chain.key: result.failure for result in found if result.failure})
            results.extend(found)
        return tuple(results)

    def _stage(
        self, chains: list[Chain], lookup: Lookup, failed: Mapping[str, SubjectFailure]
    ) -> list[ChainResult]:
        blocked = [result for result in (_blocked(chain, failed) for chain in chains) if result]
        kept = {result.chain.key for result in blocked}
        runs = [self._bound(chain, lookup) for chain in chains if chain.key not in kept]
        return [*blocked, *self.run_all(runs)]

    def _bound(self, chain: Chain, lookup: Lookup) -> Callable[[], ChainResult]:
        return lambda: self._run(chain, lookup)

    def _run(self, chain: Chain, lookup: Lookup) -> ChainResult:
        events: list[HostEvent] = []
        for step in chain.steps:
            try:
                event = self._act(step, lookup)
            except (Fault, ControlAway, OSError) as error:
                failure = self._subject(chain, step, _failure(step, error))
                return ChainResult(chain, failure, events=tuple(events))
            if event is not None:
                events.append(event)
            self.after_step(step)
        return ChainResult(chain, None, events=tuple(events))

    def _act(self, step: Step, lookup: Lookup) -> HostEvent | None:
        if isinstance(step, GuestStep):
            return guest_steps.act(step, self.hands, lookup)
        return network_steps.act(step, self.hands, lookup)

    def _subject(self, chain: Chain, step: Step, failure: Failure) -> SubjectFailure:
        """Which server, port and device it was for."""
        told = SubjectFailure(failure, server_id=chain.server_id)
        match step:
            case ConfigureVf():
                return replace(told, port_id=step.port_id, device_id=step.device_id)
            case MakeTap():
                return replace(told, port_id=step.tap.port_id)
            case ScrubVf():
                return replace(told, device_id=device_id(self.host_id, vf_key(step.pf, step.index)))
            case ResetDevice():
                return replace(told, device_id=device_id(self.host_id, step.key))
            case SetNumVfs() | SetUpPf():
                return replace(told, device_id=device_id(self.host_id, step.pf))
            case _:
                return told


def _blocked(chain: Chain, failed: Mapping[str, SubjectFailure]) -> ChainResult | None:
    need = next((failed[key] for key in chain.needs if key in failed), None)
    if need is None:
        return None
    return ChainResult(chain, SubjectFailure(need.failure, server_id=chain.server_id), was_run=False)


def _failure(step: Step, error: Fault | ControlAway | OSError) -> Failure:
    match error:
        case Fault():
            return error.failure
        case ControlAway():
            return Failure("control_away", "Fetching from control for", type(step).__name__, str(error))
        case OSError():
            return Failure("host_refused", "Doing", type(step).__name__, str(error))
