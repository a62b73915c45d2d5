"""The agent of one host: the same path on the first tick and the thousandth."""

from dataclasses import dataclass, replace
from functools import partial

import structlog

from fairlead.agent.answers import answer
from fairlead.agent.boundary import ControlAway
from fairlead.agent.execute import AfterStep, ChainResult, Executor, Outcome, blamed, ignore_step, told_of
from fairlead.agent.flights import Flights, InTurn, Runner
from fairlead.agent.guest_steps import is_fetched
from fairlead.agent.hands import Hands
from fairlead.agent.network_steps import not_kept
from fairlead.agent.observe import observe
from fairlead.agent.reporter import LONGEST_SILENCE_SECONDS, Reporter
from fairlead.agent.retries import Retries
from fairlead.agent.turns import Turns
from fairlead.agent.vnics import vnics
from fairlead.agent.wake import Wake
from fairlead.hoststate.circumstances import circumstances
from fairlead.hoststate.desired import DesiredState
from fairlead.hoststate.diff import diff
from fairlead.hoststate.likeness import verified_vfs, wired_ports
from fairlead.hoststate.lookup import Lookup, look_up
from fairlead.hoststate.observed import ObservedGuest, ObservedState
from fairlead.hoststate.report import Report, SubjectFailure
from fairlead.hoststate.resources import Resources, as_settled
from fairlead.hoststate.steps import Chain, ConfigureVf, HostPlan
from fairlead.hoststate.vnic import VnicsAnswer
from fairlead.model.errors import Failure
from fairlead.model.ids import HostId

LONGEST_REST_SECONDS = LONGEST_SILENCE_SECONDS
"""A tick at least this often: netlink and libvirt may lose an event, and silence means dead."""
_PASSES = 8

_log = structlog.get_logger("fairlead.agent")


@dataclass(frozen=True, slots=True)
class _Sight:
    """What the last pass of a tick saw, under which document, and what was still to do. `in_flight`: what was
    held by chains that were not over when the pass began; what was seen of it may have changed since.
    """

    desired: DesiredState
    observed: ObservedState
    in_flight: Resources
    plan: HostPlan
    failures: tuple[SubjectFailure, ...]


class Agent:
    """Brings one host to what control desires of it, and tells control what is.

    `tick` and `poll` run in threads of their own: poll keeps the newest document and calls the wake, tick
    reads what is kept. `runner` drives chains that may take long: a tick does not wait for them. `after_step` is
    called after each step.
    """

    def __init__(
        self,
        host_id: HostId,
        version: str,
        hands: Hands,
        *,
        runner: Runner = InTurn(),  # noqa: B008 - it keeps nothing
        after_step: AfterStep = ignore_step,
    ) -> None:
        self.wake = Wake()
        self._host_id = host_id
        self._version = version
        self._hands = hands
        self._flights = Flights(Executor(host_id, hands, after_step), runner, self.wake)
        self._retries = Retries()
        self._reporter = Reporter(host_id, hands.control, hands.clock)
        self._tried_at = 0.0
        self._guests: tuple[ObservedGuest, ...] = ()

    def tick(self) -> None:
        """Observe, diff, act, observe, until nothing is left that may be begun now; then report.

        Control may be away: the host still converges on what was accepted. The end of a chain in flight wakes
        the loop, to go on with what waited for it.
        """
        sight = self._converge()
        try:
            self._reporter.tell(self._report(sight))
        except ControlAway as away:
            _log.warning("control_away", host_id=self._host_id, answer=str(away))

    def poll(self, wait_seconds: float) -> None:
        """Ask control for what is new: keep the document, answer the questions. Raises ControlAway."""
        hands = self._hands
        accepted = hands.ledger.accepted()
        assignment = hands.control.assignment(accepted.generation if accepted else 0, wait_seconds)
        desired = assignment.desired
        if desired is not None:
            if not hands.ledger.accept(desired):
                _log.warning(
                    "document_refused",
                    host_id=self._host_id,
                    for_host_id=desired.host_id,
                    generation=desired.generation,
                )
            self.wake.call()
        for question in assignment.questions:
            hands.control.answer(question.id, answer(question, hands, self._guests))

    def vnics(self) -> VnicsAnswer:
        """Which are here, how they are now and what they have counted; may be called in any thread."""
        return vnics(self._hands, self._guests)

    def rest_seconds(self) -> float:
        """How long to wait after a tick that nothing interrupts: until a failed chain is due, or a report."""
        due = self._retries.next_due(self._tried_at)
        seconds = LONGEST_REST_SECONDS if due is None else due - self._hands.clock.monotonic()
        return min(max(seconds, 0.0), LONGEST_REST_SECONDS)

    def _converge(self) -> _Sight:
        """The same chain twice in a tick means that it was done and the host does not keep it: that is a
        failure too, with back-off, or a driver that ignores us would keep us busy for ever. Nor is what failed tried
        twice in a tick, however long that takes.
        """
        done: dict[str, Chain] = {}
        self._tried_at = self._hands.clock.monotonic()
        sight, is_over = self._pass(done)
        for _ in range(_PASSES):
            if is_over:
                return sight
            sight, is_over = self._pass(done)
        if is_over:
            return sight
        in_flight = self._flights.resources
        return replace(sight, observed=self._observe(), in_flight=in_flight)

    def _pass(self, done: dict[str, Chain]) -> tuple[_Sight, bool]:
        """Observe, diff, begin once; whether there was nothing to begin, so that what was observed still is."""
        for result in self._flights.ended():
            self._record(result, done)
        in_flight = self._flights.resources
        desired = self._hands.ledger.accepted() or DesiredState(self._host_id, 0)
        observed = self._observe()
        plan = self._plan(desired, observed)
        lookup = look_up(desired, observed)
        self._retries.keep_planned(plan, partial(circumstances, lookup), self._flights.keys)
        self._refuse_repeats(plan, lookup, done)
        if desired.generation:
            self._hands.kernel.own_vfs(lookup.our_vfs)
            self._hands.ledger.mark_verified(verified_vfs(lookup, self._hands.ledger.verified()))
        turns = Turns(self._flights, lookup, self._retries.barred(self._tried_at))
        for result in turns.take(plan):
            self._record(result, done)
        failures = (*self._retries.standing(self._flights.keys), *self._flights.overdue(), *turns.blocked)
        sight = _Sight(desired, observed, in_flight, plan, failures)
        return sight, not turns.is_any_begun

    def _observe(self) -> ObservedState:
        hands = self._hands
        held = self._flights.resources.servers
        seen = observe(hands.kernel, hands.vdp, hands.hypervisor, hands.disks, hands.ledger, held)
        self._guests = seen.guests
        return seen

    def _plan(self, desired: DesiredState, observed: ObservedState) -> HostPlan:
        """Before control has said anything, nothing: an empty document would remove every guest. Images that are
        here are not fetched.
        """
        if not desired.generation:
            return HostPlan()
        plan, disks = diff(desired, observed), self._hands.disks
        return plan.without(chain.key for chain in plan.chains if is_fetched(chain, disks))

    def _refuse_repeats(self, plan: HostPlan, lookup: Lookup, done: dict[str, Chain]) -> None:
        """What was done and is planned again by the very next look was not kept. What was seen as wanted between is as
        good as never done: somebody has changed it since.
        """
        barred = self._retries.barred(self._tried_at)
        again = [chain for chain in plan.chains if done.get(chain.key) == chain]
        done.clear()
        for chain in again:
            done[chain.key] = chain
            if chain.key not in barred:
                self._retries.failed(chain, self._not_kept(chain, lookup), self._hands.clock.monotonic())

    def _not_kept(self, chain: Chain, lookup: Lookup) -> SubjectFailure:
        match chain.steps:
            case (ConfigureVf() as step,):
                return told_of(self._host_id, chain, step, not_kept(step, lookup))
            case _:
                return blamed(chain, _not_kept(chain))

    def _record(self, result: ChainResult, done: dict[str, Chain]) -> None:
        self._reporter.note(result.events)
        if result.outcome is Outcome.DONE:
            done[result.chain.key] = result.chain
            self._retries.succeeded(result.chain)
        elif result.failure is not None:
            self._retries.failed(result.chain, result.failure, self._hands.clock.monotonic())
            _log.warning(
                "chain_failed",
                host_id=self._host_id,
                chain=result.chain.key,
                server_id=result.failure.server_id,
                code=result.failure.failure.code,
                answer=result.failure.failure.answer,
            )

    def _report(self, sight: _Sight) -> Report:
        """What is told of it; serial and events are the reporter's."""
        return Report(
            host_id=self._host_id,
            generation=sight.desired.generation,
            serial=0,
            agent_version=self._version,
            observed=as_settled(sight.observed, sight.desired, sight.in_flight),
            wired=wired_ports(look_up(sight.desired, sight.observed), sight.in_flight),
            holds=sight.plan.holds,
            failures=sight.failures,
        )


def _not_kept(chain: Chain) -> Failure:
    steps = ", ".join(type(step).__name__ for step in chain.steps)
    return Failure(
        "not_kept",
        "Keeping",
        f"what {steps} made ({chain.key})",
        "all of it was done, and the host shows the same difference again",
        "Does something else manage this device, such as NetworkManager or another agent?",
    )
