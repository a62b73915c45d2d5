"""MAC addresses that ports do not choose: generated ones, and those of the PFs that ports have whole.

Nobody can tell a PF another MAC while a guest has it, so while such a port is bound it has the PF's. Within a network
a MAC is one port's: a PF whose MAC another port has is not offered to it. See docs/decisions/0019.
"""

from collections.abc import Sequence
from dataclasses import replace

from fairlead.control.addresses import remade
from fairlead.control.boundary import Tx
from fairlead.control.port_words import in_words
from fairlead.model.errors import Conflict
from fairlead.model.ids import DeviceId, PortId
from fairlead.model.network import Network
from fairlead.model.pci import DeviceKind, MacAddress
from fairlead.model.port import Port, VnicType
from fairlead.model.request import ServerRequest

MAC_PREFIX = "fa:16:3e"
"""OpenStack's: locally administered, so that no card has it."""


def generated_mac(tx: Tx) -> MacAddress:
    """A random MAC; the chance that it is taken is small, and then the transaction is tried again."""
    tail = tx.new_id()[-6:]
    return MacAddress(f"{MAC_PREFIX}:{tail[:2]}:{tail[2:4]}:{tail[4:]}")


def check_mac_free(tx: Tx, network: Network, port: Port) -> None:
    """Raises Conflict `mac_in_use` that names the port which has its MAC there. Of two that come at once the database
    lets one have it (`uq_ports_mac`).
    """
    found = tx.ports.find(network_id=network.id, mac=port.mac)
    if others := [other for other in found if other.id != port.id]:
        raise Conflict(
            "mac_in_use",
            f"Unable to complete operation for network {network.name or network.id}. The mac address {port.mac} is in "
            f"use by {in_words(tx, others, port.project_id)}.",
            field="mac_address",
        )


def with_macs_taken(tx: Tx, request: ServerRequest, ports: Sequence[Port]) -> ServerRequest:
    """The request, which names the PFs that these ports cannot have for their MACs."""
    taken = {port.id: _taken(tx, port) for port in ports if port.vnic_type is VnicType.DIRECT_PHYSICAL}
    if not any(taken.values()):
        return request
    pci = (
        replace(each, mac_taken=taken.get(each.port_id, ())) if each.port_id else each for each in request.pci
    )
    return replace(request, pci=tuple(pci))


def take_mac(tx: Tx, port_id: PortId, mac: MacAddress) -> None:
    """The bound port has the MAC of its PF. Raises Conflict `mac_in_use` where another port of the network has it."""
    port = tx.ports.fetch(port_id)
    others = [other.id for other in tx.ports.find(network_id=port.network_id, mac=mac) if other.id != port_id]
    if others:
        raise Conflict(
            "mac_in_use",
            f"Port {port.name or port_id} cannot have the whole device with the MAC {mac}: port {others[0]} of the "
            "same network has that MAC. Give that port another one, or delete it.",
        )
    _put(tx, port, mac)


def give_mac_back(tx: Tx, port_id: PortId) -> Port:
    """The port that was bound to a PF has a MAC of its own again."""
    return _put(tx, tx.ports.fetch(port_id), generated_mac(tx))


def _taken(tx: Tx, port: Port) -> tuple[DeviceId, ...]:
    """No PF has a generated MAC, so those of the ports that are looked for are few."""
    of_network = tx.ports.find(network_id=port.network_id)
    macs = {other.mac for other in of_network if other.id != port.id}
    given = tuple(sorted(mac for mac in macs if not mac.startswith(MAC_PREFIX)))
    found = tx.devices.find(kind=DeviceKind.PF, mac=given) if given else ()
    return tuple(sorted(device.id for device in found))


def _put(tx: Tx, port: Port, mac: MacAddress) -> Port:
    if port.mac == mac:
        return port
    addresses = remade(tx, port.network_id, mac, port.fixed_ips)
    try:
        return tx.ports.put(replace(port, mac=mac, fixed_ips=addresses, updated_at=tx.now))
    except Conflict as conflict:
        if conflict.code == "mac_in_use":
            raise Conflict("stale", f"The MAC {mac} was taken meanwhile.") from conflict
        raise
