"""A vNIC as its host sees it: what a port has there, how it is set, and what it has counted."""

from dataclasses import dataclass

from fairlead.model.diagnostics import NicCounters
from fairlead.model.errors import Failure
from fairlead.model.ids import PortId, ServerId
from fairlead.model.vf import VfSettings


@dataclass(frozen=True, slots=True)
class VnicSight:
    """`device`: the PCI address of what is passed through, or the name of the network device on the host. `pf`: the
    name of the PF that it is on, or leaves through; None: the kernel's driver does not have that. `settings`: of its
    VF, None where it has none. `is_wired`: VF, PF, tap or macvtap is as wanted. `link_up` None: nobody says.
    `counters` None: nobody counts.
    """

    port_id: PortId
    server_id: ServerId
    device: str
    pf: str | None
    settings: VfSettings | None
    is_wired: bool
    link_up: bool | None
    counters: NicCounters | None


@dataclass(frozen=True, slots=True)
class VnicsAnswer:
    """A host's answer: its vNICs, or why it does not tell."""

    found: tuple[VnicSight, ...] = ()
    failure: Failure | None = None
