"""Whether a host has what one more NIC of a server that is there needs: the same rules, beside what its guest is.

The guest's cells stand: a device is as near to them as its NUMA policy says, and none is made for it.
"""

from dataclasses import replace

from fairlead.model.numa import GuestCell, NumaPolicy
from fairlead.model.request import ServerRequest
from fairlead.placement.boundary import Fit, HostView, Reason, ReasonCode
from fairlead.placement.cells import NodeSet
from fairlead.placement.fits import fits


def fits_beside(
    view: HostView, request: ServerRequest, cells: tuple[GuestCell, ...]
) -> Fit | tuple[Reason, ...]:
    """The devices and bridges of the request, for a guest with these cells that the host has; or every reason why
    not. A host whose operator keeps new servers away serves those it has.
    """
    open_view = replace(view, why_not="") if view.is_disabled else view
    nodes = _nodes(view, cells)
    near = _with_devices(open_view, nodes, _policies(request))
    asked = replace(
        request,
        vcpus=0,
        memory_mib=0,
        disk_gib=0,
        numa_nodes=0,
        pci=tuple(replace(pci, numa_policy=NumaPolicy.PREFERRED) for pci in request.pci),
    )
    best = _with_devices(near, nodes, {NumaPolicy.LEGACY})
    fit = fits(best, asked)
    if isinstance(fit, Fit):
        return fit
    fit = fits(near, asked)
    if isinstance(fit, Fit) or near == open_view or not isinstance(fits(open_view, asked), Fit):
        return fit
    return (_too_far(view),)


def _nodes(view: HostView, cells: tuple[GuestCell, ...]) -> NodeSet:
    nodes = frozenset(cell.host_node for cell in cells)
    sockets = tuple((numa.node, numa.socket) for numa in view.capacity.numa)
    own = frozenset(socket for node, socket in sockets if node in nodes and socket is not None)
    return NodeSet(nodes, own, sockets)


def _policies(request: ServerRequest) -> set[NumaPolicy]:
    return {pci.numa_policy for pci in request.pci}


def _with_devices(view: HostView, nodes: NodeSet, policies: set[NumaPolicy]) -> HostView:
    """The host without devices that are too far for one of the policies."""
    families = tuple(
        family
        for family in view.families
        if all(nodes.admits(policy, family.numa_node) for policy in policies)
    )
    return replace(view, families=families)


def _too_far(view: HostView) -> Reason:
    about = "has devices that would do only on NUMA nodes that the running guest is not on"
    return Reason(ReasonCode.NUMA_POLICY, f"{view.name} {about}.", about)
