"""Whether and how a server fits on a host: the one definition, used when placing and again when claiming."""

from collections.abc import Iterator, Sequence

from fairlead.model.ids import RequestId
from fairlead.model.numa import NumaPolicy
from fairlead.model.pci import DeviceKind
from fairlead.model.request import PciRequest, ServerRequest
from fairlead.placement.boundary import FamilyView, Fit, Grant, HostView, Reason
from fairlead.placement.cells import NodeSet, guest_cells, node_sets
from fairlead.placement.iommu_groups import ways
from fairlead.placement.need import Need, free_devices, free_vfs, need_of, serves
from fairlead.placement.search import Effort, Search, Wish
from fairlead.placement.shortfalls import shortfalls, why_not_together

STEPS_FOR_A_HOST = 5_000
"""A tenth of a second. What is not found by then counts as not there."""
STEPS_FOR_A_WAY = 10
"""What it costs to begin with another way to divide IOMMU groups."""

Matched = tuple[tuple[int, ...], ...]
Found = tuple[NodeSet, list[list[int]]]


def fits(view: HostView, request: ServerRequest) -> Fit | tuple[Reason, ...]:
    """The best way to put the server on the host, or every reason why there is none (at least one)."""
    return fits_need(view, need_of(request), Effort(STEPS_FOR_A_HOST))


def fits_need(view: HostView, need: Need, effort: Effort) -> Fit | tuple[Reason, ...]:
    """As `fits`, for a request that was taken apart before: for asking many hosts.

    Where `effort` runs out there is no fit. More of it never loses a fit that less has found, so a claim,
    which has all that one host may have, finds what placing found.
    """
    matched = tuple(
        tuple(at for at, family in enumerate(view.families) if serves(demand.sample, family))
        for demand in need.demands
    )
    reasons = shortfalls(view, need, matched)
    if reasons:
        return reasons
    for way in ways(view, need):
        found = _arrange(way, need, matched, effort)
        if found is not None:
            nodes, positions = found
            return Fit(guest_cells(need, nodes.nodes), tuple(_grants(way, need, positions)))
        effort.steps -= STEPS_FOR_A_WAY
        if effort.steps <= 0:
            break
    return why_not_together(view, need, matched, gave_up=effort.steps <= 0)


def _arrange(view: HostView, need: Need, matched: Matched, effort: Effort) -> Found | None:
    """The first that is possible of: the best wish, then each lesser wish on the node sets that can do at all."""
    sets = tuple(node_sets(view, need, _devices_on(view, need, matched)))
    wishes = _wishes(view, need, matched)

    def search(wish: Wish, among: Sequence[NodeSet]) -> Iterator[Found]:
        for nodes in among:
            positions = Search(view.families, need, matched, nodes, wish, effort).solve()
            if positions is not None:
                yield nodes, positions

    best = next(search(wishes[0], sets), None)
    if best is not None or len(wishes) == 1:
        return best
    possible = tuple(search(wishes[-1], sets))
    if not possible:
        return None
    among = tuple(nodes for nodes, _ in possible)
    lesser = (found for wish in wishes[1:-1] for found in search(wish, among))
    return next(lesser, possible[0])


def _wishes(view: HostView, need: Need, matched: Matched) -> tuple[Wish, ...]:
    """From the best to the one that asks for nothing. Links that are up count most, nearness next."""
    families = {at for positions in matched for at in positions}
    is_mixed = any(view.families[at].link_up is False for at in families)
    prefers = need.cells and any(d.sample.numa_policy is NumaPolicy.PREFERRED for d in need.demands)
    count = sum(demand.count for demand in need.demands if demand.sample.kind is DeviceKind.VF)
    loads = _loads(count, max(len(families), 1))
    return tuple(
        Wish(load, up_only, near_only)
        for up_only in ((True, False) if is_mixed else (False,))
        for near_only in ((True, False) if prefers else (False,))
        for load in loads
    )


def _loads(count: int, families: int) -> tuple[int, ...]:
    """How many VFs one PF may give: as few as can be, one more, then doubling up to no limit."""
    least = -(-count // families)
    steps = [least, least + 1]
    while steps[-1] < count:
        steps.append(steps[-1] * 2)
    return tuple(sorted({step for step in steps if step < count} | {count}))


def _devices_on(view: HostView, need: Need, matched: Matched) -> dict[int, int]:
    """Free devices by node that would serve the server; for a server without devices, all free ones."""
    found: dict[int, int] = {}
    bridged = need.request.bridged_networks
    if not need.cells:
        return found
    for demand, positions in zip(need.demands, matched, strict=True):
        for at in positions:
            family = view.families[at]
            if family.numa_node is not None:
                free = free_devices(demand, family, bridged)
                found[family.numa_node] = found.get(family.numa_node, 0) + free
    if not need.demands:
        for family in view.families:
            if family.numa_node is not None:
                free = family.free_vfs.bit_count() + family.is_free
                found[family.numa_node] = found.get(family.numa_node, 0) + free
    return found


def _grants(view: HostView, need: Need, positions: list[list[int]]) -> Iterator[Grant]:
    """Devices in the order of the requests: those that are kept, else of each family its lowest free VFs."""
    family_of: dict[RequestId, int] = {}
    for demand, found in zip(need.demands, positions, strict=True):
        family_of.update((request.id, at) for request, at in zip(demand.requests, found, strict=True))
    given = [_kept_vfs(family, need) for family in view.families]
    for request in need.request.pci:
        at = family_of[request.id]
        index = request.keeps.vf_index if request.keeps else None
        if request.kind is DeviceKind.VF and request.keeps is None:
            vf = _chosen_vf(request, view.families[at], given[at])
            given[at] |= vf
            index = vf.bit_length() - 1
        family_id = view.families[at].family_id
        yield Grant(request.id, family_id, index, request.egress_kbps, request.is_host_driven)


def _chosen_vf(request: PciRequest, family: FamilyView, given: int) -> int:
    """The lowest that only such a request could have, else the lowest, as a mask."""
    share = family.share
    free = free_vfs(request, family) & ~given
    best = free & (share.host_only_vfs if request.is_host_driven else share.passed_only_vfs) or free
    return best & -best


def _kept_vfs(family: FamilyView, need: Need) -> int:
    """A mask of the family's VFs that the server has and keeps."""
    kept = [wanted.keeps for wanted in need.request.pci if wanted.keeps]
    indexes = [k.vf_index for k in kept if k.family_id == family.family_id and k.vf_index is not None]
    return sum(1 << index for index in indexes)
