"""A guest's ways to the network and its other passed-through devices, as libvirt elements."""

from xml.etree.ElementTree import Element, SubElement

from fairlead.hoststate.desired import DesiredNic
from fairlead.model.ids import PortId
from fairlead.model.pci import PciAddress


def hostdev(address: PciAddress, port_id: PortId | None) -> Element:
    """A passed-through device. `managed`: libvirt takes it from its driver and gives it back after the stop.

    Plain `<hostdev>` even for VFs: `<interface type='hostdev'>` writes MAC and VLAN itself, cannot express
    the rest, and puts back what it found before (libvirt src/hypervisor/virhostdev.c), behind our back.
    """
    element = Element("hostdev", mode="subsystem", type="pci", managed="yes")
    SubElement(element, "driver", name="vfio")
    domain, bus, slot_function = address.split(":")
    slot, function = slot_function.split(".")
    source = SubElement(element, "source")
    SubElement(
        source,
        "address",
        domain=f"0x{domain}",
        bus=f"0x{bus}",
        slot=f"0x{slot}",
        function=f"0x{function}",
    )
    if port_id is not None:
        SubElement(element, "alias", name=nic_alias(port_id))
    return element


def tap_interface(nic: DesiredNic, tap: str) -> Element:
    """A virtio NIC on a tap that the agent has made: libvirt shall neither make nor change it (`managed`)."""
    element = Element("interface", type="ethernet")
    SubElement(element, "mac", address=nic.mac)
    SubElement(element, "target", dev=tap, managed="no")
    SubElement(element, "model", type="virtio")
    SubElement(element, "mtu", size=str(nic.mtu))
    SubElement(element, "alias", name=nic_alias(nic.port_id))
    return element


def nic_alias(port_id: PortId) -> str:
    """The name of a NIC in its domain; libvirt keeps user aliases only with the prefix `ua-`."""
    return f"ua-{port_id}"
