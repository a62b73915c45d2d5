"""The mechanisms there are. A new one is a file beside this one and a line here."""

from fairlead.drivers.base import Driver
from fairlead.drivers.bridge import Bridge
from fairlead.drivers.hw_veb import HwVeb
from fairlead.model.binding import VifType
from fairlead.model.errors import Conflict
from fairlead.model.pci import LinkLayer
from fairlead.model.port import VnicType

DRIVERS: tuple[Driver, ...] = (HwVeb(), Bridge())


def driver_for(vif_type: VifType) -> Driver:
    """The driver that made a binding; raises Conflict `cannot_bind` for a type that nobody makes."""
    for driver in DRIVERS:
        if driver.vif_type is vif_type:
            return driver
    raise Conflict("cannot_bind", f"No mechanism driver makes bindings of type {vif_type.value}.")


def choose(vnic_type: VnicType, link_layer: LinkLayer) -> Driver:
    """The driver for such a port on such a NIC; raises Conflict `cannot_bind` where there is none."""
    for driver in DRIVERS:
        if vnic_type in driver.vnic_types and link_layer in driver.link_layers:
            return driver
    raise Conflict(
        "cannot_bind", f"No mechanism driver serves {vnic_type.value} ports on {link_layer.value} NICs."
    )
