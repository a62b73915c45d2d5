"""Whether anybody has a device, asked again right before it is taken from whoever has it."""

from collections.abc import Iterable, Mapping

from fairlead.agent.hands import Hands
from fairlead.hoststate.possession import devices_of
from fairlead.model.errors import Failure, Fault
from fairlead.model.pci import PciAddress


def check_unused(
    hands: Hands, doing: str, what: str, addresses: Iterable[PciAddress], below: Mapping[str, PciAddress]
) -> None:
    """Ask libvirt once more: since the plan was made, somebody may have started a domain of theirs on it. `below`: the
    VFs below macvtaps, by name. Raises Fault.
    """
    view = hands.hypervisor.observe()
    up = [domain for domain in view.domains if domain.state.is_up]
    ours = {address for domain in up for address in devices_of(domain, below)}
    used = ours.union(view.foreign_hostdevs).intersection(addresses)
    if used:
        hint = "It is done once nobody has it. `virsh list` on the host shows who that is."
        said = f"a domain has {', '.join(sorted(used))}"
        raise Fault(Failure("in_use", doing, what, said, hint))
