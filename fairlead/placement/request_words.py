"""What is asked for, in the words that reasons are made of."""

from collections.abc import Sequence

from fairlead.model.ids import DeviceId
from fairlead.model.pci import DeviceKind
from fairlead.model.request import PciRequest
from fairlead.placement.boundary import FamilyView
from fairlead.placement.need import Demand


def noun_of(sample: PciRequest) -> str:
    """One such device: `VF`."""
    match sample.kind:
        case DeviceKind.VF:
            return "VF"
        case DeviceKind.PF:
            return "PF"
        case DeviceKind.PCI:
            return "PCI device"


def counted(demand: Demand) -> str:
    """How many are asked for: `1 VF`, `2 VFs`."""
    return f"{demand.count} {noun_of(demand.sample)}" + ("" if demand.count == 1 else "s")


def are(count: int) -> str:
    """The verb of so many."""
    return "is" if count == 1 else "are"


def on_network(sample: PciRequest) -> str:
    """` on physnet1`, or nothing."""
    return f" on {sample.physical_network}" if sample.physical_network is not None else ""


def ids_of(families: Sequence[FamilyView]) -> tuple[DeviceId, ...]:
    """Whose holders a person would want to know."""
    return tuple(family.family_id for family in families)
