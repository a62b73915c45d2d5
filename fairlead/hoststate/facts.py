"""The rows that a host's document follows from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fairlead.hoststate.settings import Settings
from fairlead.model.binding import Allocation, Binding
from fairlead.model.device import Device
from fairlead.model.host import Host
from fairlead.model.ids import DeviceId, ImageId, NetworkId, PolicyId, PortId, ServerId, SubnetId
from fairlead.model.network import Network, Subnet
from fairlead.model.policy import DevicePolicy
from fairlead.model.port import Port
from fairlead.model.port_settings import PortSettings
from fairlead.model.server import Image, Server, ServerStatus


@dataclass(frozen=True, slots=True)
class HostFacts:
    """All rows that a host's desired state follows from. `servers` are those claimed on the host, also those
    being deleted; `wirings` holds what the mechanism drivers made of each port bound to it, `in_force` what holds
    for it. `leaving` are bindings that end while their servers stay; `leaving_taps`: by port, the tap that its
    guest has for it, where it has one. `withheld` are ports that no guest is given yet. `left_out` are servers of which
    nothing can be said now: their guests are neither to be started nor to lose anything.
    """

    host: Host
    devices: Mapping[DeviceId, Device]
    policies: Mapping[PolicyId, DevicePolicy]
    servers: Mapping[ServerId, Server]
    allocations: tuple[Allocation, ...]
    bindings: tuple[Binding, ...]
    ports: Mapping[PortId, Port]
    networks: Mapping[NetworkId, Network]
    subnets: Mapping[SubnetId, Subnet]
    images: Mapping[ImageId, Image]
    wirings: Mapping[PortId, Settings]
    in_force: Mapping[PortId, PortSettings]
    leaving: tuple[Binding, ...] = ()
    leaving_taps: Mapping[PortId, str] = field(default_factory=dict)
    withheld: frozenset[PortId] = frozenset()
    left_out: frozenset[ServerId] = frozenset()


def staying(facts: HostFacts) -> list[Server]:
    """The servers that are not being deleted, by id, without those that are left out."""
    return [server for server in keeping(facts) if server.id not in facts.left_out]


def keeping(facts: HostFacts) -> list[Server]:
    """The servers that are not being deleted, by id: they keep what they hold."""
    found = (server for server in facts.servers.values() if server.status is not ServerStatus.DELETING)
    return sorted(found, key=lambda server: server.id)


def kept(facts: HostFacts) -> list[Allocation]:
    """What is held, and not only until it is clean."""
    leaving = {binding.port_id for binding in facts.leaving}
    return [allocation for allocation in facts.allocations if allocation.port_id not in leaving]
