"""Guest NUMA cells: which nodes of a host have room for them, and which devices are near enough.

Nova's behaviour: each cell of a guest on a node of its own, all of the same size; a device's policy is about
the nodes of the whole guest; without cells no policy holds.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import combinations

from fairlead.model.numa import GuestCell, NumaPolicy
from fairlead.placement.boundary import HostView
from fairlead.placement.need import Need


@dataclass(frozen=True, slots=True)
class NodeRoom:
    """What is left of a host's node."""

    node: int
    socket: int | None
    vcpus: int
    memory_mib: int


@dataclass(frozen=True, slots=True)
class NodeSet:
    """The nodes that a guest's cells are on, and their sockets. Empty: the guest has no cells."""

    nodes: frozenset[int]
    sockets: frozenset[int]
    socket_by_node: tuple[tuple[int, int | None], ...] = ()

    def admits(self, policy: NumaPolicy, numa_node: int | None) -> bool:
        """Whether a device on that node of the host (None: unknown) does under the policy."""
        if not self.nodes:
            return True
        match policy:
            case NumaPolicy.REQUIRED:
                return numa_node in self.nodes
            case NumaPolicy.LEGACY:
                return numa_node is None or numa_node in self.nodes
            case NumaPolicy.PREFERRED:
                return True
            case NumaPolicy.SOCKET:
                return (
                    dict(self.socket_by_node).get(numa_node) in self.sockets
                    if numa_node is not None
                    else False
                )

    def distance(self, numa_node: int | None) -> int:
        """0 near the guest (or where nothing is near or far), 1 unknown, 2 elsewhere."""
        if not self.nodes or numa_node in self.nodes:
            return 0
        return 1 if numa_node is None else 2


ANYWHERE = NodeSet(frozenset(), frozenset())
"""For a guest without cells."""


def node_rooms(view: HostView) -> tuple[NodeRoom, ...]:
    """What is left of each node of the host."""
    vcpus, memory = dict(view.numa_vcpus_used), dict(view.numa_memory_used)
    return tuple(
        NodeRoom(
            numa.node,
            numa.socket,
            len(numa.cpus) - vcpus.get(numa.node, 0),
            numa.memory_mib - memory.get(numa.node, 0),
        )
        for numa in view.capacity.numa
    )


def roomy_nodes(view: HostView, need: Need) -> tuple[NodeRoom, ...]:
    """The nodes with room for one cell."""
    return tuple(
        room
        for room in node_rooms(view)
        if room.vcpus >= need.cell_vcpus and room.memory_mib >= need.cell_memory_mib
    )


def node_sets(view: HostView, need: Need, devices_on: dict[int, int]) -> Iterator[NodeSet]:
    """Every way to put the cells on nodes with room, best first; one empty set when there are no cells.

    `devices_on`: free devices by node that would serve the server. A server with devices goes where there
    are most of them; one without goes where there are fewest, and leaves them to others.
    """
    if not need.cells:
        yield ANYWHERE
        return
    rooms = roomy_nodes(view, need)
    sign = -1 if need.demands else 1
    sockets = tuple((numa.node, numa.socket) for numa in view.capacity.numa)
    ways = combinations(rooms, need.cells)
    for way in sorted(ways, key=lambda way: sign * sum(devices_on.get(room.node, 0) for room in way)):
        yield NodeSet(
            frozenset(room.node for room in way),
            frozenset(room.socket for room in way if room.socket is not None),
            sockets,
        )


def guest_cells(need: Need, nodes: Collection[int]) -> tuple[GuestCell, ...]:
    """The cells on those nodes."""
    return tuple(GuestCell(node, need.cell_vcpus, need.cell_memory_mib) for node in sorted(nodes))
