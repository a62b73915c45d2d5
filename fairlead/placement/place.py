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
from fairlead.placement.fits import fits_need
from fairlead.placement.need import Need, need_of
from fairlead.placement.rank import in_order
from fairlead.placement.snapshot import Fleet


def place(fleet: Fleet, request: ServerRequest, order: HostOrder, seed: str = "") -> Decision:
    """The first host in order on which the server fits. The same arguments give the same decision.

    `seed` settles ties between hosts: the server's id, so that not every server tries the same host first.
    """
    need = need_of(request)
    refused: dict[HostId, tuple[Reason, ...]] = {}
    for view in _hosts_to_try(fleet, need, order, seed):
        fit = fits_need(view, need)
        if isinstance(fit, Fit):
            return Placed(view.host_id, fit)
        refused[view.host_id] = fit
    return Rejected(tuple(_rejections(fleet, need, refused)))


def _hosts_to_try(fleet: Fleet, need: Need, order: HostOrder, seed: str) -> Iterator[HostView]:
    if need.request.host is not None:
        yield from (view for view in fleet if need.request.host in (view.name, view.host_id))
        return
    columns = fleet.columns
    found = candidates(columns, need)
    for row in in_order(columns, found, order, has_devices=bool(need.demands), seed=seed):
        yield fleet.view_at(row)


def _rejections(
    fleet: Fleet, need: Need, refused: Mapping[HostId, tuple[Reason, ...]]
) -> Iterator[HostRejection]:
    """Every host's reasons, in name order; those that the filter left out are asked for theirs now."""
    for view in sorted(fleet, key=lambda view: view.name):
        reasons = refused.get(view.host_id) or fits_need(view, need)
        if not isinstance(reasons, Fit):
            yield HostRejection(view.host_id, view.name, reasons)
