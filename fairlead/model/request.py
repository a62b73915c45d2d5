"""PCI requests: what a server needs of a host, before any device is chosen."""

from dataclasses import dataclass

from fairlead.model.ids import PortId, RequestId
from fairlead.model.numa import NumaPolicy
from fairlead.model.pci import DeviceKind


@dataclass(frozen=True, slots=True)
class PciRequest:
    """One device. Globs as in DeviceMatch, empty means any. `physical_network` None: any or none.

    `trusted` devices go to those who ask for trust; `egress_kbps` is counted on the PF. `asked_by` is for
    people: "port p1", "flavor alias a1".
    """

    id: RequestId
    kind: DeviceKind
    asked_by: str
    port_id: PortId | None = None
    vendor: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    physical_network: str | None = None
    tags: tuple[str, ...] = ()
    trusted: bool = False
    numa_policy: NumaPolicy = NumaPolicy.LEGACY
    egress_kbps: int = 0


@dataclass(frozen=True, slots=True)
class ServerRequest:
    """Everything a server needs of one host, placed together or not at all.

    `numa_nodes` 0: no guest NUMA topology was asked for. A device request with policy REQUIRED or SOCKET
    gives such a guest one cell, for required means required. `bridged_networks`: physical networks that
    ordinary vNICs need a bridge on. `host` is a host's name or id that was asked for; None: any.
    """

    vcpus: int
    memory_mib: int
    disk_gib: int
    pci: tuple[PciRequest, ...] = ()
    bridged_networks: tuple[str, ...] = ()
    numa_nodes: int = 0
    host: str | None = None
