"""The decision: which host takes a server, and how; or why none does."""

from collections.abc import Iterator, Mapping

from fairlead.model.ids import HostId
from fairlead.model.request import ServerRequest
from fairlead.placement.boundary import (
    Decision,
    Fit,
    HostOrder,
    HostRejection,
    HostView,
    Placed,
    Reason,
    Rejected,
)
from fairlead.placement.filters import candidates
from fairlead.placement.fits import STEPS_FOR_A_HOST, fits_need
from fairlead.placement.host_rules import leaning, rule_out
from fairlead.placement.need import Need, need_of
from fairlead.placement.rank import in_order
from fairlead.placement.search import Effort
from fairlead.placement.snapshot import Fleet

STEPS_FOR_A_DECISION = 100_000
"""Two seconds: as far as a request that only a search can refuse may hold up those behind it."""


def place(fleet: Fleet, request: ServerRequest, order: HostOrder, seed: str = "") -> Decision:
    """The first host in order on which the server fits. The same arguments give the same decision.

    `seed` settles ties between hosts: the server's id, so that not every server tries the same host first.
    """
    trial = Trial(need_of(request))
    refused: dict[HostId, tuple[Reason, ...]] = {}
    for view in _hosts_to_try(fleet, trial.need, order, seed):
        fit = trial.on(view)
        if isinstance(fit, Fit):
            return Placed(view.host_id, fit)
        refused[view.host_id] = fit
    return Rejected(tuple(_rejections(fleet, trial, refused)))


class Trial:
    """A need that is tried on many hosts, with a bound on the work of all of them together."""

    def __init__(self, need: Need) -> None:
        self.need = need
        self._steps = STEPS_FOR_A_DECISION

    def on(self, view: HostView) -> Fit | tuple[Reason, ...]:
        """As `fits`, with no more effort than is left."""
        given = min(self._steps, STEPS_FOR_A_HOST)
        effort = Effort(given)
        fit = fits_need(view, self.need, effort)
        self._steps -= given - effort.steps
        return fit


def _hosts_to_try(fleet: Fleet, need: Need, order: HostOrder, seed: str) -> Iterator[HostView]:
    if need.request.host is not None:
        yield from (view for view in fleet if need.request.host in (view.name, view.host_id))
        return
    columns = fleet.columns
    found = candidates(columns, need)
    rule_out(fleet, need.request.rules, found)
    lean = leaning(fleet, need.request.leanings)
    for row in in_order(columns, found, order, has_devices=bool(need.demands), seed=seed, lean=lean):
        yield fleet.view_at(row)


def _rejections(
    fleet: Fleet, trial: Trial, refused: Mapping[HostId, tuple[Reason, ...]]
) -> Iterator[HostRejection]:
    """Every host's reasons, in name order; those that the filter left out are asked for theirs now."""
    for view in sorted(fleet, key=lambda view: view.name):
        reasons = refused.get(view.host_id) or trial.on(view)
        if not isinstance(reasons, Fit):
            yield HostRejection(view.host_id, view.name, reasons)
