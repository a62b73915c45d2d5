"""Chains in flight: those that were started and are not over. They outlast the tick that started them."""

from collections.abc import Generator
from datetime import datetime
from functools import reduce
from threading import Thread
from typing import Protocol

import structlog

from fairlead.agent.boundary import Clock
from fairlead.agent.execute import ChainResult, Executor, Outcome, blamed
from fairlead.agent.wake import Wake
from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.report import SubjectFailure
from fairlead.hoststate.resources import NOTHING, Resources, is_brief, resources_of
from fairlead.hoststate.steps import Chain, Step
from fairlead.model.errors import Failure

Flying = Generator[None, None, None]
"""A chain in flight: to be driven on with `next` until it is over, by one thread at a time."""

PATIENCE_SECONDS = 900.0
"""How long a step may take before it is told of: an image takes minutes, anything else less."""
_BRIEF_SECONDS, _CAUTION_SECONDS = 1.0, 60.0
"""What should be brief and takes longer than the first, as with a driver that is busy: for so long nothing is brief."""
_ROOM_WITH_OVERDUE = 4
"""How many times the room is begun at most, however many of those do not come back: each has a thread."""

_log = structlog.get_logger("fairlead.agent")


class Runner(Protocol):
    """Drives chains in flight."""

    @property
    def room(self) -> int:
        """How many at once."""
        ...

    def start(self, flying: Flying) -> None:
        """Drive it to its end, now or beside others."""
        ...


class InTurn:
    """At once, to the end: what simulations need, to be the same each time."""

    room = 1

    def start(self, flying: Flying) -> None:
        """When this returns, it is over."""
        for _ in flying:
            pass


class Threads:
    """Beside the loop, each in a thread of its own: images take minutes, guests a minute to go down. Daemon
    threads: a process that ends leaves its chains where they are, as a crash does.
    """

    def __init__(self, room: int) -> None:
        self.room = room

    def start(self, flying: Flying) -> None:
        """It ends some time; the one who started it sees to it that there is room."""
        Thread(target=self._drive, args=(flying,), name="chain", daemon=True).start()

    def _drive(self, flying: Flying) -> None:
        InTurn().start(flying)


class _Flight:
    """One chain. `result` None: not over yet. `under_way`: the step that was begun last, None before the first; when,
    and when by the clock's `monotonic`.
    """

    __slots__ = ("_clock", "chain", "resources", "result", "under_way")

    def __init__(self, chain: Chain, clock: Clock) -> None:
        self._clock = clock
        self.chain = chain
        self.resources = resources_of(chain)
        self.result: ChainResult | None = None
        self.under_way: tuple[Step, datetime, float] | None = None

    def enter(self, step: Step) -> None:
        """The step is begun now."""
        self.under_way = (step, self._clock.now(), self._clock.monotonic())

    @property
    def delay(self) -> Failure | None:
        """Why people should know of it, though it is not over; None while they need not."""
        if self.result or self.under_way is None:
            return None
        step, at, began = self.under_way
        if self._clock.monotonic() - began < PATIENCE_SECONDS:
            return None
        return _overdue(self.chain, step, at)


class Flights:
    """Starts chains, and knows those that are in flight. Used by the loop's thread alone; the end of a chain
    calls the wake.
    """

    def __init__(self, executor: Executor, runner: Runner, wake: Wake) -> None:
        self._executor = executor
        self._clock = executor.hands.clock
        self._runner = runner
        self._wake = wake
        self._flights: dict[str, _Flight] = {}
        self._cautious_until = 0.0

    @property
    def keys(self) -> frozenset[str]:
        """Of the chains in flight, and of those whose end was not taken note of."""
        return frozenset(self._flights)

    @property
    def resources(self) -> Resources:
        """All that they hold."""
        return reduce(Resources.__or__, (flight.resources for flight in self._flights.values()), NOTHING)

    def has_room(self, chain: Chain) -> bool:
        """Whether it could be started now. What is brief always can: it does not fly, it is done. While such things
        take long they fly as well. What is overdue may never come back, and takes room from others only when there is
        too much of it.
        """
        if self._is_brief(chain):
            return True
        room, all_in_flight = self._runner.room, len(self._flights)
        return all_in_flight - len(self.overdue()) < room and all_in_flight < room * _ROOM_WITH_OVERDUE

    def overdue(self) -> tuple[SubjectFailure, ...]:
        """What is to be told of chains in flight that have been at one step for too long. They are not ended, for
        nobody can, and keep their resources: the step may still be carried out.
        """
        delays = ((flight.chain, flight.delay) for flight in self._flights.values())
        return tuple(blamed(chain, delay) for chain, delay in delays if delay)

    def start(self, chain: Chain, lookup: Lookup) -> ChainResult | None:
        """Start it; its result if it is over already, as one is that cannot be started."""
        flight = self._flights[chain.key] = _Flight(chain, self._clock)
        began, brief = self._clock.monotonic(), self._is_brief(chain)
        runner = InTurn() if brief else self._runner
        flying = self._fly(flight, lookup)
        try:
            runner.start(flying)
        except (RuntimeError, MemoryError) as error:
            # How Python says that there is no further thread. Closed, it is carried out by nobody later on.
            flying.close()
            _log.exception("chain_not_begun", chain=chain.key)
            flight.result = _failed(chain, _not_begun(chain, error))
        now = self._clock.monotonic()
        if brief and now - began > _BRIEF_SECONDS:
            self._cautious_until = now + _CAUTION_SECONDS
        return self._flights.pop(chain.key).result if flight.result else None

    def _is_brief(self, chain: Chain) -> bool:
        return is_brief(chain) and self._clock.monotonic() >= self._cautious_until

    def ended(self) -> tuple[ChainResult, ...]:
        """Those that are over since this was asked last: they are in flight no more."""
        results = tuple(flight.result for flight in self._flights.values() if flight.result)
        for result in results:
            del self._flights[result.chain.key]
        return results

    def _fly(self, flight: _Flight, lookup: Lookup) -> Flying:
        """Whatever happens, it is over some time, for what a chain holds nobody else can have; and what nobody
        thought of fails this chain alone, so that the host is still heard of and its other guests are served.
        """
        try:
            flight.result = yield from self._executor.run(flight.chain, lookup, flight.enter)
        except Exception:  # noqa: BLE001 - a chain's last layer, as a tick is the loop's: told, and gone on
            _log.exception("chain_broke", chain=flight.chain.key)
            flight.result = _failed(flight.chain, _broken(flight.chain))
        self._wake.call()


def _failed(chain: Chain, failure: Failure) -> ChainResult:
    return ChainResult(chain, Outcome.FAILED, blamed(chain, failure))


def _broken(chain: Chain) -> Failure:
    return Failure(
        "agent_broke",
        "Carrying out",
        chain.key,
        "the agent met an error that it did not expect",
        "Its log has the error, as chain_broke. Please report it.",
    )


def _overdue(chain: Chain, step: Step, at: datetime) -> Failure:
    name = type(step).__name__
    return Failure(
        "overdue",
        "Carrying out",
        chain.key,
        f"{name} has not come back for {PATIENCE_SECONDS / 60:.0f} minutes: it began at {at:%F %T} UTC",
        "A large image may take that long. Else: does libvirt answer (`virsh list`), do the disks? "
        "A restart of the agent begins it anew.",
    )


def _not_begun(chain: Chain, error: RuntimeError | MemoryError) -> Failure:
    return Failure(
        "not_begun",
        "Beginning",
        chain.key,
        str(error) or "there is no memory for it",
        "Has the agent's service reached its limit of tasks (TasksMax=) or of memory? It is tried again.",
    )
