"""Which chains of a plan may begin now: those that need nothing that is not done, and that nobody is in the way of."""

from collections.abc import Iterator, Mapping

from fairlead.agent.execute import ChainResult, Outcome, blamed
from fairlead.agent.flights import Flights
from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.report import SubjectFailure
from fairlead.hoststate.resources import resources_of
from fairlead.hoststate.steps import Chain, HostPlan


class Turns:
    """The turns that the chains of one plan take, in its order. `blocked`: failures of chains whose need failed,
    each that of the need, told of the chain's own server. `barred`: chains that failed and must wait, by key.

    What is in flight when the plan is made keeps its resources until the next plan, though it may end before:
    it was not seen what came of it.
    """

    def __init__(self, flights: Flights, lookup: Lookup, barred: Mapping[str, SubjectFailure]) -> None:
        self.blocked: list[SubjectFailure] = []
        self.is_any_begun = False
        self._flights = flights
        self._lookup = lookup
        self._failed = dict(barred)
        self._waiting: set[str] = set()
        self._held = flights.resources

    def take(self, plan: HostPlan) -> Iterator[ChainResult]:
        """Begin every chain whose turn it is; the results of those that are over at once."""
        for chain in plan.chains:
            if chain.key in self._failed:
                continue
            need = next((self._failed[key] for key in chain.needs if key in self._failed), None)
            if need is not None:
                self._block(chain, blamed(chain, need.failure))
                continue
            result = self._begun(chain) if self._may_begin(chain) else None
            if result is None or result.outcome is Outcome.LEFT:
                self._waiting.add(chain.key)
                self._held |= resources_of(chain)
            elif result.failure is not None:
                self._failed[chain.key] = result.failure
            if result is not None:
                yield result

    def _begun(self, chain: Chain) -> ChainResult | None:
        self.is_any_begun = True
        return self._flights.start(chain, self._lookup)

    def _block(self, chain: Chain, failure: SubjectFailure) -> None:
        self._failed[chain.key] = failure
        self.blocked.append(failure)

    def _may_begin(self, chain: Chain) -> bool:
        if not self._waiting.isdisjoint(chain.needs) or self._held.exclude(resources_of(chain)):
            return False
        return self._flights.has_room(chain)
