"""Which device a physical network's bridge leaves a host through. Placement, desired state and audit must agree."""

from collections.abc import Iterable

from fairlead.model.device import Device, DeviceStatus
from fairlead.model.pci import LinkLayer


def uplinks(devices: Iterable[Device]) -> dict[str, Device]:
    """By physical network: the device that is the uplink, whatever became of it; where none is yet, the one that
    would be, which is the first managed Ethernet family's own device that is there, in PCI address order.

    `devices` are those of one host. An uplink that moved would cut the vNICs on it. So while it is away its network
    has no bridge, and who holds what does not matter: while the device is given whole, there is none either.
    """
    found: dict[str, Device] = {}
    for device in sorted(filter(_may_be_uplink, devices), key=_order):
        if device.physical_network is not None:
            found.setdefault(device.physical_network, device)
    return found


def _order(device: Device) -> tuple[bool, bool, str]:
    return not device.is_uplink, device.status is DeviceStatus.MISSING, device.pci_address


def _may_be_uplink(device: Device) -> bool:
    is_head = device.id == device.family_id
    is_managed = device.policy_id is not None and not device.is_management
    return device.is_uplink or (is_head and is_managed and device.link_layer is LinkLayer.ETHERNET)
