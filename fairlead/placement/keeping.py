"""A server that stays on its host and becomes another size: what it has is its own to go on with."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from fairlead.model.ids import RequestId
from fairlead.model.request import KeptDevice, PciRequest, ServerRequest
from fairlead.placement.boundary import FamilyView, HostView


def keeping(request: ServerRequest, held: Mapping[RequestId, KeptDevice]) -> ServerRequest:
    """The request, where what the server holds for a part of it already is kept for that."""
    pci = tuple(replace(wanted, keeps=held.get(wanted.id)) for wanted in request.pci)
    return replace(request, pci=pci)


def offering_kept(view: HostView, request: ServerRequest) -> HostView:
    """The view of a host, its servers without the one of the request, on which what that one keeps is free to it. One
    whose operator keeps new servers away serves those it has.
    """
    families = (_offering(family, request.pci) for family in view.families)
    why_not = "" if view.is_disabled else view.why_not
    return replace(view, families=tuple(families), why_not=why_not)


def _offering(family: FamilyView, requests: Iterable[PciRequest]) -> FamilyView:
    for wanted in requests:
        kept = wanted.keeps
        if kept is None or kept.family_id != family.family_id:
            continue
        egress = family.egress_free_kbps + wanted.egress_kbps
        family = replace(family, egress_free_kbps=egress)
        if kept.vf_index is None:
            family = replace(family, is_free=True)
        else:
            family = replace(_with_vf(family, wanted, 1 << kept.vf_index), held_vfs=family.held_vfs - 1)
    return family


def _with_vf(family: FamilyView, wanted: PciRequest, vf: int) -> FamilyView:
    """What vfio has is for no driver of the host, and the reverse."""
    share = family.share
    if wanted.is_host_driven:
        return replace(family, share=replace(share, host_only_vfs=share.host_only_vfs | vf))
    share = replace(share, passed_only_vfs=share.passed_only_vfs | vf)
    return replace(family, free_vfs=family.free_vfs | vf, share=share)
