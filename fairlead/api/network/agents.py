"""Agents as Neutron shows them: one for each enrolled host."""

from datetime import datetime, timedelta

from starlette.responses import Response

from fairlead.api.answers import document, timestamp
from fairlead.api.call import Call
from fairlead.api.network import listing
from fairlead.control.boundary import Tx
from fairlead.model.device import Device
from fairlead.model.host import Host, HostAdmin
from fairlead.model.ids import HostId
from fairlead.model.pci import DeviceKind

DOWN_AFTER = timedelta(seconds=75)
"""Without a report for that long an agent is shown as dead: Neutron's agent_down_time."""

_LIST = listing.Collection(
    "agents",
    "agent",
    (
        "id",
        "agent_type",
        "binary",
        "topic",
        "host",
        "admin_state_up",
        "alive",
        "availability_zone",
        "description",
        "created_at",
        "started_at",
        "heartbeat_timestamp",
    ),
    columns={"id": "id", "host": "name"},
)


def index(call: Call) -> Response:
    """GET /agents."""
    where = listing.where(call, _LIST)

    def work(tx: Tx) -> list[listing.Shown]:
        pfs = _pfs(tx)
        hosts = tx.hosts.find(**where)
        return [_shown(host, pfs.get(host.id, []), tx.now) for host in hosts if host.enrolled_at]

    return listing.answer(call, _LIST, call.run(work))


def show(call: Call, host_id: str) -> Response:
    """GET /agents/{id}."""

    def work(tx: Tx) -> listing.Shown:
        host = tx.hosts.fetch(host_id)
        devices = tx.devices.find(host_id=host.id, kind=DeviceKind.PF)
        return _shown(host, list(devices), tx.now)

    return document({"agent": listing.only_fields(call, call.run(work))})


def _pfs(tx: Tx) -> dict[HostId, list[Device]]:
    found: dict[HostId, list[Device]] = {}
    for device in tx.devices.find(kind=DeviceKind.PF):
        found.setdefault(device.host_id, []).append(device)
    return found


def _shown(host: Host, pfs: list[Device], now: datetime) -> listing.Shown:
    mappings: dict[str, list[str]] = {}
    for pf in pfs:
        if pf.physical_network and pf.name:
            mappings.setdefault(pf.physical_network, []).append(pf.name)
    seen = host.reported_at
    return {
        "id": host.id,
        "agent_type": "NIC Switch agent",
        "binary": "fairlead-agent",
        "topic": "N/A",
        "host": host.name,
        "admin_state_up": host.admin is HostAdmin.ENABLED,
        "alive": seen is not None and abs(now - seen) < DOWN_AFTER,
        "availability_zone": None,
        "description": host.admin_reason,
        "configurations": {"device_mappings": mappings, "agent_version": host.agent_version},
        "resources_synced": None,
        "created_at": timestamp(host.created_at),
        "started_at": timestamp(host.enrolled_at or host.created_at),
        "heartbeat_timestamp": timestamp(seen or host.created_at),
    }
