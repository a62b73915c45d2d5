"""Why a host does not do on account of IOMMU groups, in words and counts."""

from collections.abc import Sequence

from fairlead.model.pci import DeviceKind
from fairlead.placement.boundary import FamilyView, HostView, Reason
from fairlead.placement.boundary import ReasonCode as Code
from fairlead.placement.need import Demand, Need, free_devices
from fairlead.placement.request_words import are, counted, ids_of, noun_of, on_network

_NAMED = 3
_IN_USE = "a guest has others of its VFs' IOMMU groups, or some of them are not clean yet"


def kept_by_groups(view: HostView, demand: Demand, families: list[FamilyView], had: int) -> Reason | None:
    """The reason where there would be enough, were it not for what else is in their IOMMU groups."""
    sample = demand.sample
    kept = [(family, why) for family in families if (why := _kept(demand, family)[1])]
    count = count_kept(demand, families)
    if had + count < demand.count or not count:
        return None
    why = "; ".join(f"{family.label}: {why}" for family, why in kept[:_NAMED])
    asked = f"{counted(demand)}{on_network(sample)} {are(demand.count)} asked for ({demand.asked_by})"
    message = f"{asked}, {had} {are(had)} free, and {count} {are(count)} kept back by IOMMU groups: {why}"
    return Reason(
        Code.IOMMU_GROUP,
        message,
        f"lacks {noun_of(sample)}s{on_network(sample)} whose IOMMU group is free",
        demand.count,
        had,
        sample.id,
        ids_of([family for family, _ in kept]),
        f"fairlead device list --host {view.name}",
    )


def count_kept(demand: Demand, families: Sequence[FamilyView]) -> int:
    """How many devices would be free, were it not for what else is in their groups."""
    return sum(_kept(demand, family)[0] for family in families)


def tied_together(view: HostView, need: Need, demand: Demand, positions: Sequence[int]) -> Reason | None:
    """The reason where devices are free, and some of them only together with others of their IOMMU groups."""
    bridged = need.request.bridged_networks
    labels = {family.family_id: family.label for family in view.families}
    free = [view.families[at] for at in positions if free_devices(demand, view.families[at], bridged)]
    tied = [family for family in free if family.share.ties]
    if demand.sample.kind is DeviceKind.VF or not tied or len(free) - len(tied) >= demand.count:
        return None
    had = len(free) - len(tied)
    pairs = "; ".join(
        f"{family.label} with {', '.join(labels.get(mate, mate) for mate in family.share.ties)}"
        for family in tied[:_NAMED]
    )
    sample = demand.sample
    return Reason(
        Code.IOMMU_GROUP,
        f"{counted(demand)}{on_network(sample)} {are(demand.count)} asked for ({demand.asked_by}), {had} {are(had)} "
        f"free alone; others are given only with all that the host's drivers have of their IOMMU groups: {pairs}",
        f"lacks {noun_of(sample)}s{on_network(sample)} whose IOMMU group is free",
        demand.count,
        had,
        sample.id,
        ids_of(tied),
        "ask for all devices of an IOMMU group, or keep the host's drivers off those that are not asked for",
    )


def _kept(demand: Demand, family: FamilyView) -> tuple[int, str]:
    """How many of the family, and why."""
    share, sample = family.share, demand.sample
    if sample.is_host_driven:
        count = (share.passed_only_vfs | share.kept_vfs & ~share.host_only_vfs).bit_count()
        return count, _IN_USE if count else ""
    if sample.kind is DeviceKind.VF:
        return share.kept_vfs.bit_count(), share.why_vfs
    return int(share.why_whole != ""), share.why_whole
