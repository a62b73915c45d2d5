"""Handlers of devices."""

from typing import Annotated

from msgspec import Struct

from fairlead.api.call import Call
from fairlead.api.native.device_view import DeviceView, device_views
from fairlead.api.native.hosts import find as find_host
from fairlead.api.native.queries import Query
from fairlead.api.native.records import says
from fairlead.api.native.signature import Refused
from fairlead.control import devices as control
from fairlead.control.boundary import Tx
from fairlead.model.device import DeviceStatus
from fairlead.model.ids import DeviceId
from fairlead.model.pci import DeviceKind


class DeviceQuery(Query, frozen=True, kw_only=True):
    """Which devices."""

    host: Annotated[str | None, says("Those of this host, by its id or name.")] = None
    kind: Annotated[DeviceKind | None, says("Those of this kind.")] = None
    status: Annotated[DeviceStatus | None, says("Those in this status.")] = None
    physical_network: Annotated[str | None, says("Those on this physical network.")] = None
    server: Annotated[str | None, says("Those that this server has, by its id.")] = None


class DeviceList(Struct, frozen=True):
    """Devices."""

    devices: list[DeviceView]


class DeviceShown(Struct, frozen=True):
    """A device."""

    device: DeviceView


def list_devices(call: Call, query: DeviceQuery) -> Annotated[DeviceList, Refused("not_found")]:
    """Devices of all hosts, or those that the query means."""

    def work(tx: Tx) -> list[DeviceView]:
        where = _filters(tx, query)
        return device_views(tx, tx.devices.find(**where)) if () not in where.values() else []

    return DeviceList(call.run(work))


def show(call: Call, device_id: str) -> DeviceShown:
    """A device, who has it, and whether it is offered."""
    return DeviceShown(call.run(lambda tx: device_views(tx, (tx.devices.fetch(device_id),))[0]))


def forget(call: Call, device_id: str) -> Annotated[None, Refused("in_use", "wrong_state")]:
    """Forget a device that is MISSING for good and held by nobody, its VFs with it."""
    call.run(lambda tx: control.forget(tx, DeviceId(device_id)))


def _filters(tx: Tx, query: DeviceQuery) -> dict[str, object]:
    where: dict[str, object] = {
        "kind": query.kind,
        "status": query.status,
        "physical_network": query.physical_network,
    }
    if query.host is not None:
        where["host_id"] = find_host(tx, query.host).id
    if query.server is not None:
        where["id"] = tuple(held.device_id for held in tx.allocations.find(server_id=query.server))
    return {name: value for name, value in where.items() if value is not None}
