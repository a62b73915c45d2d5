"""NUMA nodes of hosts and guests, and how strictly a device must be near its guest."""

from dataclasses import dataclass
from enum import Enum

from fairlead.model.count import Count


class NumaPolicy(Enum):
    """Nova's PCI NUMA affinity policies.

    REQUIRED: the device is on a node of the guest. LEGACY: so, or its node is unknown. PREFERRED: near if
    possible. SOCKET: on a node whose CPU socket hosts a node of the guest.
    """

    REQUIRED = "required"
    LEGACY = "legacy"
    PREFERRED = "preferred"
    SOCKET = "socket"


@dataclass(frozen=True, slots=True)
class NumaNode:
    """One NUMA node of a host. `socket` None: the host does not say (topology/physical_package_id)."""

    node: Count
    socket: Count | None
    cpus: tuple[Count, ...]
    memory_mib: Count


@dataclass(frozen=True, slots=True)
class GuestCell:
    """One NUMA cell of a guest, and the host node that it was placed on."""

    host_node: int
    vcpus: int
    memory_mib: int
