"""Agents as Neutron shows them: one for each enrolled host. Its administrative state is the host's."""

from datetime import datetime, timedelta

from msgspec import UNSET, Struct, UnsetType
from starlette.responses import Response

from fairlead.api.answers import document, empty, timestamp
from fairlead.api.call import Call
from fairlead.api.network import listing
from fairlead.api.network.requests import Name, Noun, put, refuse_body, refuse_revision
from fairlead.control import hosts
from fairlead.control.boundary import Tx
from fairlead.control.hosts import HostChanges
from fairlead.model.device import Device
from fairlead.model.errors import Conflict, NotFound
from fairlead.model.host import Host, HostAdmin
from fairlead.model.ids import HostId
from fairlead.model.pci import DeviceKind

DOWN_AFTER = timedelta(seconds=75)
"""Without a report for that long an agent is shown as dead: Neutron's agent_down_time."""


class AgentChangeForm(Struct, kw_only=True):
    """What PUT takes."""

    admin_state_up: bool | UnsetType = UNSET
    description: Name | UnsetType = UNSET


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
_NOUN = Noun("agent", "agents", AgentChangeForm, AgentChangeForm, shown=frozenset(_LIST.attributes))


def index(call: Call) -> Response:
    """GET /agents."""
    where = listing.where(call, _LIST)

    def work(tx: Tx) -> list[listing.Shown]:
        pfs = _pfs(tx)
        found = tx.hosts.find(**where)
        return [_shown(host, pfs.get(host.id, []), tx.now) for host in found if host.enrolled_at]

    return listing.answer(call, _LIST, call.run(work))


def show(call: Call, host_id: str) -> Response:
    """GET /agents/{id}."""

    def work(tx: Tx) -> listing.Shown:
        return _view(tx, _host(tx, host_id))

    return document({"agent": listing.only_fields(call, call.run(work))})


def update(call: Call, host_id: str) -> Response:
    """PUT /agents/{id}: whether its host takes new servers, and what people say of that."""
    refuse_revision(call)
    form = put(call, _NOUN).form
    admin = form.admin_state_up
    changes = HostChanges(
        admin=UNSET if isinstance(admin, UnsetType) else HostAdmin.ENABLED if admin else HostAdmin.DISABLED,
        admin_reason=form.description,
    )

    def work(tx: Tx) -> listing.Shown:
        return _view(tx, hosts.update(tx, _host(tx, host_id).id, changes))

    return document({"agent": call.run(work)})


def delete(call: Call, host_id: str) -> Response:
    """DELETE /agents/{id}: the host of a dead agent is forgotten; one that has servers is not."""
    refuse_body(call)
    refuse_revision(call)

    def work(tx: Tx) -> None:
        host = _host(tx, host_id)
        if _is_alive(host, tx.now):
            raise Conflict("agent_alive", f"The agent of host {host.name} is alive: stop it first.")
        hosts.delete(tx, host.id)

    call.run(work)
    return empty()


def _host(tx: Tx, host_id: str) -> Host:
    host = tx.hosts.get(host_id)
    if host is None or host.enrolled_at is None:
        raise NotFound("agent", host_id)
    return host


def _view(tx: Tx, host: Host) -> listing.Shown:
    return _shown(host, list(tx.devices.find(host_id=host.id, kind=DeviceKind.PF)), tx.now)


def _is_alive(host: Host, now: datetime) -> bool:
    return host.reported_at is not None and abs(now - host.reported_at) < DOWN_AFTER


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
        "alive": _is_alive(host, now),
        "availability_zone": None,
        "description": host.admin_reason,
        "configurations": {"device_mappings": mappings, "agent_version": host.agent_version},
        "resources_synced": None,
        "created_at": timestamp(host.created_at),
        "started_at": timestamp(host.enrolled_at or host.created_at),
        "heartbeat_timestamp": timestamp(seen or host.created_at),
    }
