"""Ports that servers which stay give up: theirs until their host has reported that the guest has them no more.

A device is free only once it is clean, as when a server goes; its port is free, or goes, with it.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial

from fairlead.control.boundary import Tx
from fairlead.control.events import tell_port
from fairlead.control.nics import give_back_ports
from fairlead.control.report_parts import Parts, about_server
from fairlead.drivers.names import tap_name
from fairlead.hoststate.observed import ObservedState
from fairlead.hoststate.possession import guests_with_all_devices
from fairlead.model.binding import Binding, BindingRole, Wiring
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.host import Host
from fairlead.model.ids import DeviceId, PortId
from fairlead.model.server import Server, ServerStatus

Leaving = Mapping[PortId, tuple[Server, Binding]]
"""Ports on their way off, with their servers and bindings."""


def leaving_ports(tx: Tx, host: Host, generation: int) -> Leaving:
    """The ports that servers of the host give up and stay, by a document that it had acted on."""
    unwiring = tx.bindings.find(host_id=host.id, role=BindingRole.ACTIVE, wiring=Wiring.UNWIRING)
    ending = {binding.port_id: binding for binding in unwiring if binding.generation <= generation}
    servers = tx.servers.find(host_id=host.id) if ending else ()
    return {
        port_id: (server, ending[port_id])
        for server in servers
        if server.status is not ServerStatus.DELETING
        for port_id in server.ports
        if port_id in ending
    }


def is_away(device: Device, observed: ObservedState) -> bool:
    """Whether the device is off its host, and no guest has it: nobody waits for it to be clean."""
    users = (address for guest in guests_with_all_devices(observed) for address in guest.hostdevs)
    return device.status is DeviceStatus.MISSING and device.pci_address not in users


def note_detached(
    tx: Tx, leaving: Leaving, held: Collection[DeviceId], observed: ObservedState, parts: Parts
) -> bool:
    """Ports of which nothing is left on their host are their servers' no more: those made for one go. `held` are the
    devices that are not free yet. Whether there were any.
    """
    taps = {tap.name for tap in observed.taps} | {macvtap.name for macvtap in observed.macvtaps}
    taps |= {tap for guest in observed.guests for tap in guest.taps}
    gone = [
        (server, binding)
        for server, binding in leaving.values()
        if binding.device_id not in held and tap_name(binding.port_id) not in taps
    ]
    told = [
        parts.apply(
            about_server(server),
            f"that port {binding.port_id} is detached",
            partial(_detached, tx, server, binding.port_id),
        )
        for server, binding in gone
    ]
    return any(told)


def _detached(tx: Tx, server: Server, port_id: PortId) -> bool:
    drop(tx, server, (port_id,))
    message = f"Port {port_id} is detached from server {server.name}."
    tell_port(tx, server, port_id, "port_detached", message)
    return True


def drop(tx: Tx, server: Server, port_ids: Collection[PortId]) -> Server:
    """The server without these ports, which are nobody's."""
    give_back_ports(tx, tx.ports.find(id=tuple(port_ids)))
    newest = tx.servers.fetch(server.id)
    left = tuple(port_id for port_id in newest.ports if port_id not in port_ids)
    tags = {port_id: tag for port_id, tag in newest.nic_tags.items() if port_id not in port_ids}
    return tx.servers.put(replace(newest, ports=left, nic_tags=tags, updated_at=tx.now))
