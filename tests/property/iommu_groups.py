"""What vfio and the kernel allow in IOMMU groups, read from the rows device by device by trying every choice."""

from collections.abc import Iterator

from fairlead.model.device import Device, DeviceStatus
from fairlead.model.pci import DeviceKind
from fairlead.model.request import PciRequest

OFF = (None, "vfio-pci", "pci-stub")
UNCLEAN = (DeviceStatus.RELEASING, DeviceStatus.FAULTY)


def ways(
    devices: list[Device],
    taken: frozenset[str],
    pairs: list[tuple[PciRequest, Device]],
    given: dict[str, bool],
) -> Iterator[dict[str, bool]]:
    """Each way to choose a device for each request of its family; by id, whether a driver of the host gets it."""
    if not pairs:
        yield given
        return
    (wanted, head), *rest = pairs
    for device in devices:
        is_of_kind = (device.kind is DeviceKind.VF) is (wanted.kind is DeviceKind.VF)
        is_free = (
            device.status is DeviceStatus.AVAILABLE and device.id not in taken and device.id not in given
        )
        if device.family_id == head.id and is_of_kind and is_free:
            yield from ways(devices, taken, rest, {**given, device.id: wanted.is_host_driven})


def is_allowed(
    devices: list[Device], held: dict[str, bool], given: dict[str, bool], own: frozenset[str] = frozenset()
) -> bool:
    """Whether all of them can be given at once. `held`: what somebody has, and whether below a macvtap; `own`: what the
    server that gets them has of that, by vfio.
    """
    others = {device_id: is_host_driven for device_id, is_host_driven in held.items() if device_id not in own}
    passed = {**given, **dict.fromkeys(own, False)}
    return all(
        _is_drivable(device, _mates(device, devices, held), others, passed)
        if given[device.id]
        else all(
            mate.id in own or _lets(device, mate, others, passed) for mate in _mates(device, devices, held)
        )
        for device in devices
        if device.id in given and device.iommu_group is not None
    )


def _mates(device: Device, devices: list[Device], held: dict[str, bool]) -> list[Device]:
    return [
        mate
        for mate in devices
        if mate.iommu_group == device.iommu_group
        and mate.id != device.id
        and (mate.status is not DeviceStatus.MISSING or mate.id in held)
    ]


def _lets(device: Device, mate: Device, held: dict[str, bool], given: dict[str, bool]) -> bool:
    """Whether the mate lets vfio have the device. A driver lets go of what is given whole, beside what is."""
    if mate.id in held or given.get(mate.id) is True:
        return False
    if device.kind is DeviceKind.PF and mate.family_id == device.id:
        return True
    if mate.status in UNCLEAN:
        return False
    goes_too = mate.id in given and DeviceKind.VF not in (mate.kind, device.kind)
    return mate.kernel_driver in OFF or goes_too


def _is_drivable(device: Device, mates: list[Device], held: dict[str, bool], given: dict[str, bool]) -> bool:
    """Whether a driver of the host can have the device: vfio has none of its group, nor may anybody have yet."""
    if any(held.get(mate.id) is False or given.get(mate.id) is False for mate in mates):
        return False
    is_hosts = any(
        held.get(mate.id)
        or (mate.id not in held and mate.status not in UNCLEAN and mate.kernel_driver not in OFF)
        for mate in (device, *mates)
    )
    return is_hosts or not any(mate.status in UNCLEAN and mate.id not in held for mate in mates)
