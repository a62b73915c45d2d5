"""What days had in them: which mechanisms hosts made true, for which vNIC types, and how many side by side."""

from collections.abc import Iterable, Iterator
from enum import Enum

from fairlead.control.boundary import Tx
from fairlead.control.requests import nics_of
from fairlead.model.binding import Binding, BindingRole, VifType, Wiring
from fairlead.model.ids import HostId, PortId
from fairlead.model.port import VnicType
from fairlead.model.request import Nic
from fairlead.model.vf import VlanProtocol
from tests.simulation.fleet import Site

MANY = 3
"""Mechanisms on one host at once."""


class Way(Enum):
    """In which ways ports differ besides."""

    FLAT = "on a flat network"
    TRUNK = "a trunk"
    DOT1AD = "a tag of 802.1ad"
    ALIAS = "a device of an alias"
    PROMISE = "a promised rate"
    GIVEN = "made before its server"
    WAITING = "waiting on another host besides"


class Mixture:
    """Counted over the hours that it is shown: the ports that became wired, by mechanism and vNIC type and by how they
    differ besides, and the hosts that had many mechanisms at once.
    """

    def __init__(self) -> None:
        self.wired: dict[tuple[VifType, VnicType], set[PortId]] = {}
        self.ways: dict[Way, set[PortId]] = {way: set() for way in Way}
        self.mixed_hosts: set[HostId] = set()

    def look(self, site: Site) -> None:
        """At the end of an hour."""
        site.engine.run(self._count)

    def _count(self, tx: Tx) -> None:
        bindings = tx.bindings.find()
        wired = [each for each in bindings if each.wiring is Wiring.WIRED]
        nics = {nic.port.id: nic for nic in nics_of(tx, tx.ports.find(id=tuple(b.port_id for b in wired)))}
        waiting = {each.port_id for each in bindings if each.role is BindingRole.INACTIVE}
        for binding in wired:
            nic = nics[binding.port_id]
            self.wired.setdefault((binding.vif_type, nic.port.vnic_type), set()).add(nic.port.id)
            for way in _ways(nic, waiting):
                self.ways[way].add(nic.port.id)
        self.mixed_hosts.update(_mixed(wired))


def _ways(nic: Nic, waiting: set[PortId]) -> Iterator[Way]:
    settings = nic.settings
    found = {
        Way.FLAT: nic.network.vlan is None,
        Way.TRUNK: settings.allowed_vlans is not None,
        Way.DOT1AD: settings.vlan_protocol is VlanProtocol.DOT1AD,
        Way.ALIAS: nic.port.alias is not None,
        Way.PROMISE: settings.min_kbps > 0,
        Way.GIVEN: not nic.port.owned_by_server,
        Way.WAITING: nic.port.id in waiting,
    }
    return (way for way, is_so in found.items() if is_so)


def _mixed(wired: Iterable[Binding]) -> Iterator[HostId]:
    mechanisms: dict[HostId, set[VifType]] = {}
    for binding in wired:
        mechanisms.setdefault(binding.host_id, set()).add(binding.vif_type)
    return (host_id for host_id, found in mechanisms.items() if len(found) >= MANY)
