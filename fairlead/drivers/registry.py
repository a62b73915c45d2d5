"""The mechanisms there are. A new one is a file beside this one and a line here."""

from fairlead.drivers.base import Driver
from fairlead.drivers.bridge import Bridge
from fairlead.drivers.hw_veb import HwVeb
from fairlead.drivers.infiniband import Infiniband
from fairlead.drivers.physical import Physical
from fairlead.drivers.qbg import Qbg
from fairlead.drivers.qbh import Qbh
from fairlead.model.binding import VifType
from fairlead.model.errors import Conflict
from fairlead.model.pci import LinkLayer
from fairlead.model.port import VnicType
from fairlead.model.port_profile import EthernetSettings, PortProfile, PortProfileKind

DRIVERS: tuple[Driver, ...] = (HwVeb(), Qbh(), Qbg(), Physical(), Bridge(), Infiniband())


def driver_for(vif_type: VifType) -> Driver:
    """The driver that made a binding; raises Conflict `cannot_bind` for a type that nobody makes."""
    for driver in DRIVERS:
        if driver.vif_type is vif_type:
            return driver
    raise Conflict("cannot_bind", f"No mechanism driver makes bindings of type {vif_type.value}.")


def choose(
    vnic_type: VnicType, link_layer: LinkLayer, profile_kind: PortProfileKind = PortProfileKind.ETHERNET
) -> Driver:
    """The driver for such a port, with a port profile of that kind, on such a NIC; raises Conflict `cannot_bind` where
    there is none.
    """
    fitting = _fitting(vnic_type, link_layer)
    for driver in fitting:
        if profile_kind in driver.profile_kinds:
            return driver
    served = f"No mechanism driver serves {vnic_type.value} ports on {link_layer.value} NICs"
    if not fitting:
        others = " or ".join(sorted(kind.value for kind in served_vnic_types(link_layer)))
        raise Conflict("cannot_bind", f"{served}: make it a port of vnic_type {others}.")
    raise Conflict(
        "cannot_bind",
        f"{served} with a port profile of kind {profile_kind.value}: choose one of another kind for the port.",
    )


def served_kinds(vnic_type: VnicType, link_layer: LinkLayer) -> frozenset[PortProfileKind]:
    """The kinds of port profiles that can be made true for such a port on such a NIC."""
    return frozenset(kind for driver in _fitting(vnic_type, link_layer) for kind in driver.profile_kinds)


def speaks_to(profile: PortProfile, vnic_type: VnicType, link_layer: LinkLayer) -> bool:
    """Whether the profile, as a network's default, holds for such ports: their mechanism has its kind, and all that it
    asks for.
    """
    drivers = [driver for driver in _fitting(vnic_type, link_layer) if profile.kind in driver.profile_kinds]
    asked = profile.settings.asked if isinstance(profile.settings, EthernetSettings) else frozenset()
    return any(asked <= driver.profile_fields.get(vnic_type, frozenset()) for driver in drivers)


def served_vnic_types(link_layer: LinkLayer) -> frozenset[VnicType]:
    """The vNIC types that a port on such a NIC can be of."""
    return frozenset(
        kind for driver in DRIVERS if link_layer in driver.link_layers for kind in driver.vnic_types
    )


def _fitting(vnic_type: VnicType, link_layer: LinkLayer) -> list[Driver]:
    return [d for d in DRIVERS if vnic_type in d.vnic_types and link_layer in d.link_layers]
