"""What a mechanism driver takes and gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from fairlead.hoststate.settings import Settings
from fairlead.model.binding import VifType
from fairlead.model.device import Device
from fairlead.model.network import Network
from fairlead.model.pci import LinkLayer
from fairlead.model.port import Port, VnicType
from fairlead.model.port_profile import PortProfile, PortProfileKind
from fairlead.model.port_settings import PortSettings, settings_in_force
from fairlead.model.qos import QosPolicy

NO_FIELDS: Mapping[VnicType, frozenset[str]] = {}
"""Of a mechanism that has no ETHERNET profiles, or none that ask for anything."""


@dataclass(frozen=True, slots=True)
class BoundPort:
    """A port on its way to a host. `device` is the VF held for it and `pf` its PF, None for an ordinary
    vNIC. `qos` and `profile` are the QoS policy and port profile in force: the port's own, else its network's.
    """

    port: Port
    network: Network
    qos: QosPolicy | None
    device: Device | None = None
    pf: Device | None = None
    profile: PortProfile | None = None

    @property
    def in_force(self) -> PortSettings:
        """What holds for the port; raises InvalidValue where port and profile contradict."""
        return settings_in_force(self.port, self.network, self.qos, self.profile)


@dataclass(frozen=True, slots=True)
class Bound:
    """The binding as clients see it: binding:vif_type, binding:vif_details, binding:profile."""

    vif_type: VifType
    vif_details: dict[str, str] = field(default_factory=dict)
    profile: dict[str, str] = field(default_factory=dict)


class Driver(Protocol):
    """One mechanism."""

    vif_type: VifType
    vnic_types: frozenset[VnicType]
    link_layers: frozenset[LinkLayer]
    profile_kinds: frozenset[PortProfileKind]
    """Port profiles that it can make true; a port without one is as one of ETHERNET that says nothing."""
    profile_fields: Mapping[VnicType, frozenset[str]]
    """By vNIC type, what an ETHERNET profile may ask for; none where it has no such profiles."""

    def bind(self, bound: BoundPort) -> Bound:
        """The binding of the port on that device; raises Conflict `cannot_bind` when the port asks for
        what this mechanism can never do, in words for the port's owner.
        """
        ...

    def settings(self, bound: BoundPort) -> Settings:
        """What the host shall be told, complete: what nobody asked for is at its safe baseline."""
        ...
