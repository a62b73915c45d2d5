"""Fabrics of which a control process tells the subnet manager, and what waits for that.

A port there is withheld from its guest until the manager has been told whose partition its GUID is in, and its VF is
held until the manager has been told that the GUID is in none. A fabric that no process tells is its operator's alone.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from fairlead.control.boundary import Tx
from fairlead.control.generations import advance
from fairlead.control.requests import nics_of
from fairlead.model.binding import Allocation, Binding, VifType, Wiring
from fairlead.model.device import Device
from fairlead.model.errors import Conflict, InvalidValue
from fairlead.model.fabric import Fabric, Member, PartitionMember, is_told
from fairlead.model.ids import DeviceId, HostId, PortId
from fairlead.model.infiniband import TAKES_PARTITIONS, Guid, guid_in, guid_key
from fairlead.model.pci import LinkLayer
from fairlead.model.request import Nic

_SILENCE_SECONDS = 60
"""Of a process that tells: after that it is another's to tell, or nobody's."""


@dataclass(frozen=True, slots=True)
class FabricView:
    """A fabric with the members of its partitions by Fairlead's word."""

    fabric: Fabric
    members: tuple[PartitionMember, ...]

    @property
    def told(self) -> int:
        """How many members the manager knows."""
        return sum(row.is_settled for row in self.members)

    @property
    def waiting(self) -> int:
        """Of how many it is still to be told, be it that they are none any more."""
        return len(self.members) - self.told


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A port whose settings contradict each other, so that nobody can say how it is in a partition: why, and of which
    GUIDs what the manager knows is left as it is.
    """

    port_id: PortId
    why: str
    guids: frozenset[Guid]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is to be in which partition of a fabric, and the ports that are left out of that."""

    members: frozenset[Member]
    contradictions: tuple[Contradiction, ...]


def list_fabrics(tx: Tx) -> tuple[FabricView, ...]:
    """All fabrics that are told, or were."""
    rows: defaultdict[str, list[PartitionMember]] = defaultdict(list)
    for row in tx.partition_members.find():
        rows[row.physical_network].append(row)
    return tuple(FabricView(fabric, tuple(rows[fabric.physical_network])) for fabric in tx.fabrics.find())


def show(tx: Tx, physical_network: str) -> FabricView:
    """The fabric; raises NotFound."""
    fabric = tx.fabrics.fetch(physical_network)
    return FabricView(fabric, tx.partition_members.find(physical_network=physical_network))


def forget(tx: Tx, physical_network: str) -> None:
    """Nobody of ours tells the fabric's manager any more: what waits for that goes on. Raises NotFound, Conflict
    `wrong_state` while a control process does.
    """
    fabric = tx.fabrics.lock(physical_network)
    if not is_silent(tx, fabric):
        raise Conflict(
            "wrong_state",
            f"The subnet manager of physical network {physical_network} is told by control process {fabric.teller}, "
            f"which looked after it at {fabric.seen_at:%Y-%m-%d %H:%M:%S} UTC. Take it out of that process's setting "
            f"subnet_manager, start it anew, and try again {_SILENCE_SECONDS} seconds later.",
        )
    rows = tx.partition_members.find(physical_network=physical_network)
    retell(tx, hosts_of(tx, {row.guid for row in rows} | _guids_on(tx, physical_network)))
    for row in rows:
        tx.partition_members.remove((row.physical_network, row.guid, row.partition))
    tx.fabrics.remove(physical_network)


def is_silent(tx: Tx, fabric: Fabric) -> bool:
    """Whether the process that told the fabric's manager has not looked after it for so long that it is gone."""
    return (tx.now - fabric.seen_at).total_seconds() >= _SILENCE_SECONDS


def wanted(tx: Tx, physical_network: str) -> Wanted:
    """Who is to be in which partition of the fabric: the ports that a host has or is to have, until they are given
    up. One that contradicts itself keeps no other waiting.
    """
    found = tx.networks.find(physical_network=physical_network, link_layer=LinkLayer.INFINIBAND)
    ports = tx.ports.find(network_id=tuple(network.id for network in found)) if found else ()
    bindings = _standing(tx, tuple(port.id for port in ports))
    held = tuple({binding.device_id for binding in bindings} - {None})
    devices = {device.id: device for device in (tx.devices.find(id=held) if held else ())}
    heads = tuple({device.family_id for device in devices.values()})
    devices |= {head.id: head for head in (tx.devices.find(id=heads) if heads else ())}
    bound = {binding.port_id for binding in bindings}
    nics = {nic.port.id: nic for nic in nics_of(tx, [port for port in ports if port.id in bound])}
    members: set[Member] = set()
    contradictions: list[Contradiction] = []
    for binding in bindings:
        nic = nics[binding.port_id]
        try:
            member = _member(binding, nic, devices)
        except InvalidValue as error:
            guids = (nic.port.guid, _guid_told(binding, nic, devices))
            known = frozenset(guid for guid in guids if guid is not None)
            contradictions.append(Contradiction(binding.port_id, str(error), known))
        else:
            members |= {member} if member else set()
    return Wanted(frozenset(members), tuple(contradictions))


def withheld(
    tx: Tx, bindings: Iterable[Binding], nics: Iterable[Nic], devices: Mapping[DeviceId, Device]
) -> frozenset[PortId]:
    """Those of the bound ports of which their fabric's manager has not been told yet."""
    named = {nic.port.id: nic for nic in nics if nic.network.link_layer is LinkLayer.INFINIBAND}
    places = tuple({nic.network.physical_network for nic in named.values()})
    told = {
        fabric.physical_network for fabric in (tx.fabrics.find(physical_network=places) if places else ())
    }
    asked = {
        binding.port_id: (nic.network.physical_network, member)
        for binding in bindings
        if (nic := named.get(binding.port_id)) and nic.network.physical_network in told
        if (member := _member(binding, nic, devices))
    }
    guids = tuple({member.guid for _, member in asked.values()})
    rows = tx.partition_members.find(guid=guids) if guids else ()
    return frozenset(
        port_id
        for port_id, (place, member) in asked.items()
        if not is_told(member, (row for row in rows if row.physical_network == place))
    )


def still_in(tx: Tx, allocations: Iterable[Allocation]) -> frozenset[DeviceId]:
    """Devices whose port's GUID a subnet manager may still have in a partition."""
    held = {each.port_id: each.device_id for each in allocations if each.port_id is not None}
    ports = tx.ports.find(id=tuple(held)) if held else ()
    guids = {port.guid: held[port.id] for port in ports if port.guid is not None}
    rows = tx.partition_members.find(guid=tuple(guids)) if guids else ()
    return frozenset(guids[row.guid] for row in rows)


def hosts_of(tx: Tx, guids: Collection[Guid]) -> tuple[HostId, ...]:
    """The hosts that have ports with these GUIDs, or PFs, in the order in which they are locked."""
    if not guids:
        return ()
    ports = tuple(port.id for port in tx.ports.find(guid=tuple(guids)))
    bindings = tx.bindings.find(port_id=ports) if ports else ()
    pfs = tx.devices.find(key=tuple(guid_key(guid) for guid in guids))
    return tuple(sorted({*(binding.host_id for binding in bindings), *(pf.host_id for pf in pfs)}))


def retell(tx: Tx, host_ids: Iterable[HostId]) -> None:
    """The hosts, in that order, are told anew what waits."""
    for host_id in host_ids:
        host = tx.hosts.hold(host_id)
        if host is not None:
            advance(tx, host)


def _guids_on(tx: Tx, physical_network: str) -> set[Guid]:
    return {member.guid for member in wanted(tx, physical_network).members}


def _standing(tx: Tx, port_ids: tuple[PortId, ...]) -> list[Binding]:
    found = tx.bindings.find(port_id=port_ids, vif_type=VifType.IB_HOSTDEV) if port_ids else ()
    return [binding for binding in found if binding.wiring is not Wiring.UNWIRING]


def _member(binding: Binding, nic: Nic, devices: Mapping[DeviceId, Device]) -> Member | None:
    """Who the manager is told of for the port; raises InvalidValue where the port's settings contradict."""
    guid, partition = _guid_told(binding, nic, devices), nic.settings.partition
    return Member(guid, partition) if guid and partition else None


def _guid_told(binding: Binding, nic: Nic, devices: Mapping[DeviceId, Device]) -> Guid | None:
    """By which GUID: on mlx5 the port's own, on mlx4 its PF's port's, whose table its VFs share."""
    device = devices.get(binding.device_id) if binding.device_id else None
    if device is None or nic.port.guid is None:
        return None
    pf = devices[device.family_id]
    shared = guid_in(pf.key) if TAKES_PARTITIONS in pf.capabilities else None
    return shared or nic.port.guid
