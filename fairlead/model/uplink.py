"""Which device a physical network's bridge leaves a host through. Placement, desired state and audit must agree."""

from collections.abc import Iterable

from fairlead.model.device import Device
from fairlead.model.pci import LinkLayer


def uplinks(devices: Iterable[Device]) -> dict[str, Device]:
    """By physical network: the first managed Ethernet family's own device, in PCI address order.

    `devices` are those of one host. The answer does not depend on who holds what, for an uplink that moved
    would cut the vNICs on it: while the device is given whole or is away, that network has no bridge there.
    """
    found: dict[str, Device] = {}
    for device in sorted(filter(_may_be_uplink, devices), key=lambda device: device.pci_address):
        if device.physical_network is not None:
            found.setdefault(device.physical_network, device)
    return found


def _may_be_uplink(device: Device) -> bool:
    is_head = device.id == device.family_id
    is_managed = device.policy_id is not None and not device.is_management
    return is_head and is_managed and device.link_layer is LinkLayer.ETHERNET
