"""vNICs over the fleet: what each bound port is on its host, what it is to be there, and what was last seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fairlead.control.boundary import Tx
from fairlead.control.requests import nics_of, ports_of
from fairlead.control.telling import told_of
from fairlead.hoststate.settings import Settings
from fairlead.model.binding import Binding, BindingRole
from fairlead.model.device import Device
from fairlead.model.errors import InvalidValue
from fairlead.model.host import Host
from fairlead.model.ids import DeviceId, HostId, NetworkId, PortId, ServerId
from fairlead.model.lifecycle import port_status
from fairlead.model.port import PortStatus
from fairlead.model.request import Nic
from fairlead.model.server import Server


@dataclass(frozen=True, slots=True)
class Vnic:
    """A port that is bound on a host. `device` is the VF or PF that it has, `pf` that one's PF, None of one on a
    bridge. `told` None: its settings contradict each other, which they did not when it was bound.
    """

    nic: Nic
    binding: Binding
    host: Host
    server: Server | None
    status: PortStatus
    device: Device | None
    pf: Device | None
    told: Settings | None


def find(
    tx: Tx,
    *,
    host_id: HostId | None = None,
    server_id: ServerId | None = None,
    network_id: NetworkId | None = None,
    after: PortId | None = None,
    limit: int,
) -> tuple[Vnic, ...]:
    """Those that all of it is true of, by port id, `limit` at most, behind the port `after`; in few queries."""
    where = {"host_id": host_id} if host_id else {}
    bindings = {b.port_id: b for b in tx.bindings.find(role=BindingRole.ACTIVE, **where)}
    wanted = {"server_id": server_id, "network_id": network_id}
    given = {name: value for name, value in wanted.items() if value}
    if given:
        named = {port.id for port in tx.ports.find(**given)}
        bindings = {port_id: binding for port_id, binding in bindings.items() if port_id in named}
    chosen = sorted(port_id for port_id in bindings if after is None or port_id > after)[:limit]
    return _vnics(tx, [bindings[port_id] for port_id in chosen])


def show(tx: Tx, port_id: PortId) -> Vnic | None:
    """That of the port; None while no host has it. Raises NotFound."""
    tx.ports.fetch(port_id)
    bound = tx.bindings.find(port_id=port_id, role=BindingRole.ACTIVE)
    return next(iter(_vnics(tx, bound)), None)


def _vnics(tx: Tx, bindings: Sequence[Binding]) -> tuple[Vnic, ...]:
    if not bindings:
        return ()
    nics = {nic.port.id: nic for nic in nics_of(tx, ports_of(tx, [binding.port_id for binding in bindings]))}
    hosts = {host.id: host for host in tx.hosts.find(id=tuple({binding.host_id for binding in bindings}))}
    devices = _devices(tx, bindings)
    server_ids = tuple({nic.port.server_id for nic in nics.values() if nic.port.server_id})
    servers = {server.id: server for server in (tx.servers.find(id=server_ids) if server_ids else ())}
    return tuple(
        _vnic(nics[binding.port_id], binding, hosts[binding.host_id], servers, devices)
        for binding in bindings
    )


def _devices(tx: Tx, bindings: Sequence[Binding]) -> Mapping[DeviceId, Device]:
    """Those bound, and their PFs."""
    ids = tuple(binding.device_id for binding in bindings if binding.device_id)
    bound = tx.devices.find(id=ids) if ids else ()
    heads = tx.devices.find(id=tuple({device.family_id for device in bound})) if bound else ()
    return {device.id: device for device in (*bound, *heads)}


def _vnic(
    nic: Nic,
    binding: Binding,
    host: Host,
    servers: Mapping[ServerId, Server],
    devices: Mapping[DeviceId, Device],
) -> Vnic:
    device = devices[binding.device_id] if binding.device_id else None
    server = servers.get(nic.port.server_id) if nic.port.server_id else None
    return Vnic(
        nic=nic,
        binding=binding,
        host=host,
        server=server,
        status=port_status(binding, server.guest_state if server else ""),
        device=device,
        pf=devices[device.family_id] if device else None,
        told=_told(binding, nic, devices),
    )


def _told(binding: Binding, nic: Nic, devices: Mapping[DeviceId, Device]) -> Settings | None:
    try:
        return told_of(binding, nic, devices)
    except InvalidValue:
        return None
