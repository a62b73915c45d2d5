"""What steps act with, and what they act on."""

from dataclasses import dataclass, field

from fairlead.agent.boundary import Clock, Control, Disks, Hypervisor, Kernel
from fairlead.agent.ledger import Ledger
from fairlead.agent.station import Vdp
from fairlead.guestxml.machine import Machine
from fairlead.hoststate.lookup import Lookup, VfName
from fairlead.hoststate.observed import ObservedPf
from fairlead.hoststate.report import HostEvent
from fairlead.model.errors import Failure, Fault
from fairlead.model.ids import PfKey, ServerId


@dataclass(frozen=True, slots=True)
class Hands:
    """The host, as the agent reaches it. `refused`: by VF, the fields of a change that its driver said no to last."""

    kernel: Kernel
    vdp: Vdp
    hypervisor: Hypervisor
    disks: Disks
    control: Control
    ledger: Ledger
    clock: Clock
    machine: Machine
    refused: dict[VfName, tuple[str, ...]] = field(default_factory=dict)

    def event(self, kind: str, subject: str, message: str, server_id: ServerId | None = None) -> HostEvent:
        """Something that has just happened."""
        return HostEvent(self.clock.now(), kind, subject, message, server_id)


def pf_here(lookup: Lookup, key: PfKey) -> ObservedPf:
    """The PF as last seen; raises Fault `device_missing` when it is not on this host."""
    pf = lookup.pfs.get(key)
    if pf is None:
        raise Fault(
            Failure(
                "device_missing",
                "Looking for",
                f"PF {key}",
                "it is not on this host",
                "Was the card taken out, or given to another driver? `fairlead device list` shows what is.",
            )
        )
    return pf
