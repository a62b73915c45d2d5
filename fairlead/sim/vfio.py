"""What vfio refuses of a simulated machine: devices whose IOMMU group somebody else has a device of."""

from collections.abc import Collection
from dataclasses import dataclass

from fairlead.linux.faults import Act
from fairlead.linux.vfio import in_use
from fairlead.model.pci import STAND_INS, PciAddress
from fairlead.sim.domain import DomainState
from fairlead.sim.machine import Machine, PfState


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a domain cannot have a device, as libvirt and QEMU say it. `is_given_twice`: a guest of ours, or a macvtap,
    has another of its group, so control has given the group to both.
    """

    answer: str
    is_given_twice: bool


def refusal(machine: Machine, domain: DomainState, hostdevs: Collection[PciAddress]) -> Refusal | None:
    """Why the domain cannot have them; None: it can."""
    users, own = machine.passed_through(), {*hostdevs, *(domain.live_hostdevs if domain.is_up else ())}
    for address in hostdevs:
        group = machine.hardware.iommu_group(address)
        for mate in sorted(machine.addresses() - own):
            if machine.hardware.iommu_group(mate) != group or _goes_with(machine, mate, own):
                continue
            user = users.get(mate)
            if user is not None:
                is_ours = user.server_id is not None and not user.is_by_hand
                return Refusal(f"PCI device {mate} is in use by driver vfio-pci, domain {user.name}", is_ours)
            if _driver(machine, mate) not in STAND_INS:
                return Refusal(f"vfio {address}: group {group} is not viable", _is_told(machine, mate))
    return None


def is_in_use(machine: Machine, address: PciAddress) -> bool:
    """Whether vfio has a device of that one's group, so that no driver of the host can have it: EBUSY
    (drivers/iommu/iommu.c, iommu_device_use_default_domain).
    """
    group = machine.hardware.iommu_group(address)
    return any(machine.hardware.iommu_group(user) == group for user in machine.passed_through())


def check_unheld(machine: Machine, act: Act, pf: PfState, indices: Collection[int]) -> None:
    """Raises Fault where somebody outside libvirt has one of the PF's VFs open."""
    for index in indices:
        if (pf.nic.key, index) in machine.links.held:
            address = pf.nic.vf_address(index)
            raise in_use(act, address, f"/dev/vfio/{machine.hardware.iommu_group(address)}")


def _goes_with(machine: Machine, mate: PciAddress, own: Collection[PciAddress]) -> bool:
    """VFs of a PF that is given are gone by then."""
    vf = machine.vf_at(mate)
    return vf is not None and vf[0].nic.pci_address in own


def _driver(machine: Machine, address: PciAddress) -> str | None:
    vf, pf = machine.vf_at(address), machine.pf_at(address)
    if vf is not None:
        device = machine.links.vfs.get((vf[0].nic.key, vf[1]))
        return device.driver if device else None
    if pf is not None:
        return pf.nic.kernel_driver if pf.has_driver else None
    return next(device.kernel_driver for device in machine.hardware.plain if device.pci_address == address)


def _is_told(machine: Machine, address: PciAddress) -> bool:
    vf = machine.vf_at(address)
    device = machine.links.vfs.get((vf[0].nic.key, vf[1])) if vf else None
    return device is not None and device.is_told
