"""Handlers of devices: the inventory, who holds what, and the settings as read back."""

from starlette.responses import Response

from fairlead.api.answers import document, empty
from fairlead.api.call import Call
from fairlead.api.native.hosts import find as find_host
from fairlead.api.native.records import Json, plain
from fairlead.control import devices as control
from fairlead.control.boundary import Tx
from fairlead.control.offering import offers
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.errors import InvalidValue
from fairlead.model.ids import DeviceId
from fairlead.model.pci import DeviceKind

_FILTERS = ("host", "kind", "status", "physical_network", "server")


def list_devices(call: Call) -> Response:
    """GET /devices?host=H&kind=vf&status=AVAILABLE&physical_network=P&server=S."""

    def work(tx: Tx) -> list[Json]:
        where = _filters(tx, call)
        return _views(tx, tx.devices.find(**where)) if () not in where.values() else []

    return document({"devices": call.run(work)})


def show(call: Call, device_id: str) -> Response:
    """GET /devices/{device}."""
    return document({"device": call.run(lambda tx: _views(tx, (tx.devices.fetch(device_id),))[0])})


def forget(call: Call, device_id: str) -> Response:
    """DELETE /devices/{device}: one that is MISSING and held by nobody."""
    call.run(lambda tx: control.forget(tx, DeviceId(device_id)))
    return empty()


def _filters(tx: Tx, call: Call) -> dict[str, object]:
    where: dict[str, object] = {}
    for name, value in call.query:
        match name:
            case "host":
                where["host_id"] = find_host(tx, value).id
            case "kind":
                where[name] = _choice(DeviceKind, name, value.lower())
            case "status":
                where[name] = _choice(DeviceStatus, name, value.upper())
            case "physical_network":
                where[name] = value
            case "server":
                where["id"] = tuple(held.device_id for held in tx.allocations.find(server_id=value))
            case _:
                raise InvalidValue("query", name, f"a filter of devices: {', '.join(_FILTERS)}")
    return where


def _choice(kind: type[DeviceKind] | type[DeviceStatus], name: str, value: str) -> DeviceKind | DeviceStatus:
    try:
        return kind(value)
    except ValueError:
        raise InvalidValue(name, value, f"one of {', '.join(one.value for one in kind)}") from None


def _views(tx: Tx, devices: tuple[Device, ...]) -> list[Json]:
    """Devices with the names of their host, PF, policy and holder; a fixed number of queries."""
    hosts = {host.id: host.name for host in tx.hosts.find()}
    policies = {policy.id: policy.name for policy in tx.policies.find()}
    heads, offered = _heads(tx, devices), offers(tx, devices)
    holders = _holders(tx, devices)
    return [
        {
            **plain(device),
            "host_name": hosts[device.host_id],
            "pf_name": heads[device.family_id].name if device.family_id in heads else None,
            "policy_name": policies.get(device.policy_id) if device.policy_id else None,
            "holder": "",
            "server_id": None,
            "server_name": None,
            "port_id": None,
            "port_name": None,
            **holders.get(device.id, {}),
            "offered": offered[device.id].is_offered,
            "standing": offered[device.id].standing,
            "why_not": offered[device.id].why_not,
        }
        for device in devices
    ]


def _heads(tx: Tx, devices: tuple[Device, ...]) -> dict[str, Device]:
    ids = tuple({device.family_id for device in devices})
    return {head.id: head for head in (tx.devices.find(id=ids) if ids else ())}


def _holders(tx: Tx, devices: tuple[Device, ...]) -> dict[str, Json]:
    """By device, the server and port that hold it, and both in words."""
    ids = {device.id for device in devices}
    hosts = tuple({device.host_id for device in devices})
    held = [a for a in (tx.allocations.find(host_id=hosts) if hosts else ()) if a.device_id in ids]
    if not held:
        return {}
    servers = {s.id: s for s in tx.servers.find(id=tuple({a.server_id for a in held}))}
    port_ids = tuple({a.port_id for a in held if a.port_id})
    ports = {port.id: port for port in (tx.ports.find(id=port_ids) if port_ids else ())}
    found: dict[str, Json] = {}
    for allocation in held:
        server = servers[allocation.server_id]
        port = ports.get(allocation.port_id) if allocation.port_id else None
        what = f"port {port.name or port.id}" if port else f"flavor request {allocation.request_id}"
        found[allocation.device_id] = {
            "holder": f"server {server.name or server.id} ({what})",
            "server_id": server.id,
            "server_name": server.name,
            "port_id": port.id if port else None,
            "port_name": port.name if port else None,
        }
    return found
