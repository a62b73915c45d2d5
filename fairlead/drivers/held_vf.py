"""The VF that is held for a port, how clients read which it is, and what a macvtap port has on it: the same of every
mechanism on Ethernet VFs.

Source of the keys: Nova's VF profile for binding:profile.
"""

from fairlead.drivers.base import BoundPort
from fairlead.drivers.names import tap_name
from fairlead.hoststate.settings import MacvtapSettings
from fairlead.model.device import Device
from fairlead.model.errors import Conflict
from fairlead.model.multicast import needed_groups
from fairlead.model.port import VnicType


def held_vf(bound: BoundPort) -> tuple[Device, Device]:
    """The VF and its PF; raises Conflict `cannot_bind` where none is held."""
    if bound.device is None or bound.pf is None:
        raise Conflict(
            "cannot_bind", f"Port {bound.port.id} is {bound.port.vnic_type.value} and no VF is held for it."
        )
    return bound.device, bound.pf


def macvtap_on_vf(bound: BoundPort) -> MacvtapSettings | None:
    """The macvtap by which the port's guest has the VF; None where it has the VF itself.

    It hears all groups where the VF is trusted, for then a PF grants it that. One that asks for it without can lose the
    groups that it needs (qede_filter.c, qede_configure_mcast_filtering: all of them, or a list).
    """
    if bound.port.vnic_type is not VnicType.MACVTAP:
        return None
    asked = bound.in_force
    return MacvtapSettings(
        tap_name(bound.port.id), asked.mtu, needed_groups(bound.port), all_groups=asked.trusted
    )


def vf_profile(bound: BoundPort) -> dict[str, str]:
    """binding:profile of a port on a VF; raises as held_vf."""
    device, pf = held_vf(bound)
    profile = {
        "pci_vendor_info": f"{device.vendor}:{device.product}",
        "pci_slot": device.pci_address,
        "physical_network": bound.network.physical_network,
        "vf_num": str(device.vf_index),
    }
    if pf.mac is not None:
        profile["pf_mac_address"] = pf.mac
    if pf.serial is not None:
        profile["card_serial_number"] = pf.serial
    return profile
