"""What a guest that runs has used, as its host tells when it is asked. Sources differ, so much may be absent."""

from dataclasses import dataclass

from fairlead.model.errors import Failure
from fairlead.model.ids import PortId


@dataclass(frozen=True, slots=True)
class NicCounters:
    """What a NIC has received and sent since it was made, from the guest's side. None: nobody counts it."""

    rx_octets: int
    rx_packets: int
    tx_octets: int
    tx_packets: int
    rx_errors: int | None = None
    rx_drop: int | None = None
    tx_errors: int | None = None
    tx_drop: int | None = None


@dataclass(frozen=True, slots=True)
class NicDiagnostics:
    """A NIC: `name` is its tap's, or the PCI address of its VF. `counters` None: its driver keeps none."""

    port_id: PortId
    name: str
    counters: NicCounters | None


@dataclass(frozen=True, slots=True)
class DiskDiagnostics:
    """A disk, named as the guest's domain names it (`vda`). Octets and requests since the guest was started."""

    name: str
    read_octets: int
    read_requests: int
    write_octets: int
    write_requests: int


@dataclass(frozen=True, slots=True)
class GuestStatistics:
    """What libvirt counts. `cpu_times_ns` by vCPU; None: it does not say. `taps` by name."""

    cpu_times_ns: tuple[int | None, ...]
    memory_kib: int
    used_kib: int | None
    disks: tuple[DiskDiagnostics, ...]
    taps: dict[str, NicCounters]


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """All of it. `hypervisor` is the kind of domain: kvm or qemu."""

    hypervisor: str
    cpu_times_ns: tuple[int | None, ...]
    memory_kib: int
    used_kib: int | None
    disks: tuple[DiskDiagnostics, ...]
    nics: tuple[NicDiagnostics, ...]


@dataclass(frozen=True, slots=True)
class DiagnosticsAnswer:
    """A host's answer: one of the two."""

    found: Diagnostics | None = None
    failure: Failure | None = None
