"""Handlers of hosts as Nova has them: hypervisors, compute services, availability zones.

A hypervisor, its compute service and its host are one thing here, and have one id.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from msgspec import UNSET, Struct, UnsetType
from starlette.responses import Response

from fairlead.api import bodies
from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.api.compute.boot_form import Name
from fairlead.api.compute.microversions import Microversion
from fairlead.api.compute.paging import Json, next_links, paged
from fairlead.api.compute.server_view import ZONE
from fairlead.control import hosts as control
from fairlead.control.boundary import Tx
from fairlead.control.hosts import HostChanges, Liveness, liveness
from fairlead.model.errors import InvalidValue
from fairlead.model.host import Host, HostAdmin
from fairlead.model.ids import HostId
from fairlead.model.server import Server

_BINARY = "nova-compute"
_WITH_SERVERS: Microversion = (2, 53)
_WITHOUT_RESOURCES: Microversion = (2, 88)
_FORCED_DOWN: Microversion = (2, 11)
_YES = ("true", "1", "t", "yes")


@dataclass(frozen=True, slots=True)
class HostRows:
    """A host, whether its agent is there, and its servers."""

    host: Host
    is_up: bool
    servers: tuple[Server, ...]


class ServiceForm(Struct, frozen=True, forbid_unknown_fields=True):
    """PUT /os-services/{id}."""

    status: Literal["enabled", "disabled"] | UnsetType = UNSET
    disabled_reason: Name | UnsetType = UNSET
    forced_down: bool = False


def list_hypervisors(call: Call, version: Microversion) -> Response:
    """GET /os-hypervisors."""
    return _listed(call, version, "/compute/v2.1/os-hypervisors", is_full=False)


def list_details(call: Call, version: Microversion) -> Response:
    """GET /os-hypervisors/detail."""
    return _listed(call, version, "/compute/v2.1/os-hypervisors/detail", is_full=True)


def show(call: Call, version: Microversion, host_id: str) -> Response:
    """GET /os-hypervisors/{id}."""
    found = call.run(lambda tx: _rows(tx, (tx.hosts.fetch(HostId(host_id)),)))[0]
    shown = _full(version, found)
    if version >= _WITHOUT_RESOURCES:
        shown["uptime"] = None
    return document({"hypervisor": {**shown, **_servers(call, version, found)}})


def list_services(call: Call, version: Microversion) -> Response:
    """GET /os-services?host=&binary=."""
    name, binary = call.first("host"), call.first("binary")
    rows = call.run(_all_rows) if binary in (None, _BINARY) else []
    return document({"services": [_service(version, row) for row in rows if name in (None, row.host.name)]})


def change_service(call: Call, version: Microversion, host_id: str) -> Response:
    """PUT /os-services/{id}, from 2.53: whether the host takes new servers."""
    form = bodies.shape(ServiceForm, bodies.parse(call.body))
    if form.forced_down:
        raise InvalidValue(
            "forced_down", form.forced_down, "possible: a host is down when its agent is silent"
        )
    changes = HostChanges(
        admin=HostAdmin(form.status) if isinstance(form.status, str) else UNSET,
        admin_reason=form.disabled_reason,
    )

    def work(tx: Tx) -> HostRows:
        return _rows(tx, (control.update(tx, HostId(host_id), changes),))[0]

    return document({"service": _service(version, call.run(work))})


def list_zones(_call: Call) -> Response:
    """GET /os-availability-zone."""
    return document({"availabilityZoneInfo": [_zone(None)]})


def list_zone_details(call: Call) -> Response:
    """GET /os-availability-zone/detail."""
    hosts: Json = {
        row.host.name: {
            _BINARY: {
                "available": row.is_up,
                "active": row.host.admin is HostAdmin.ENABLED,
                "updated_at": _seen(row.host),
            }
        }
        for row in call.run(_all_rows)
    }
    return document({"availabilityZoneInfo": [_zone(hosts)]})


def _all_rows(tx: Tx) -> Sequence[HostRows]:
    return _rows(tx, tx.hosts.find())


def _rows(tx: Tx, hosts: tuple[Host, ...]) -> Sequence[HostRows]:
    servers = tx.servers.find(host_id=tuple(host.id for host in hosts)) if hosts else ()
    return [
        HostRows(
            host,
            liveness(host, tx.now) is Liveness.ALIVE,
            tuple(server for server in servers if server.host_id == host.id),
        )
        for host in hosts
    ]


def _listed(call: Call, version: Microversion, path: str, *, is_full: bool) -> Response:
    pattern = call.first("hypervisor_hostname_pattern") or ""
    rows = [row for row in call.run(_all_rows) if pattern in row.host.name]
    page, has_more = paged(call, rows, lambda row: row.host.id)
    view = (lambda row: _full(version, row)) if is_full else _brief
    answer: Json = {"hypervisors": [{**view(row), **_servers(call, version, row)} for row in page]}
    if has_more:
        answer["hypervisors_links"] = next_links(call, path, page[-1].host.id)
    return document(answer)


def _brief(row: HostRows) -> Json:
    return {
        "id": row.host.id,
        "hypervisor_hostname": row.host.name,
        "state": "up" if row.is_up else "down",
        "status": row.host.admin.value,
    }


def _full(version: Microversion, row: HostRows) -> Json:
    service = {"id": row.host.id, "host": row.host.name, "disabled_reason": row.host.admin_reason or None}
    shown: Json = {
        **_brief(row),
        "hypervisor_type": "QEMU",
        "hypervisor_version": 0,
        "host_ip": None,
        "service": service,
    }
    return shown if version >= _WITHOUT_RESOURCES else {**shown, **_resources(row)}


def _resources(row: HostRows) -> Json:
    capacity = row.host.capacity
    vcpus = sum(server.flavor.vcpus for server in row.servers)
    memory_mib = sum(server.flavor.memory_mib for server in row.servers)
    disk_gib = sum(server.flavor.disk_gib for server in row.servers)
    return {
        "vcpus": capacity.vcpus,
        "vcpus_used": vcpus,
        "memory_mb": capacity.memory_mib,
        "memory_mb_used": memory_mib,
        "free_ram_mb": capacity.memory_mib - memory_mib,
        "local_gb": capacity.disk_gib,
        "local_gb_used": disk_gib,
        "free_disk_gb": capacity.disk_gib - disk_gib,
        "disk_available_least": capacity.disk_gib - disk_gib,
        "running_vms": len(row.servers),
        "current_workload": 0,
        "cpu_info": {},
    }


def _servers(call: Call, version: Microversion, row: HostRows) -> Json:
    if version < _WITH_SERVERS or (call.first("with_servers") or "").lower() not in _YES:
        return {}
    return {"servers": [{"name": f"fl-{server.id}", "uuid": server.id} for server in row.servers]}


def _service(version: Microversion, row: HostRows) -> Json:
    shown: Json = {
        "id": row.host.id,
        "binary": _BINARY,
        "host": row.host.name,
        "zone": ZONE,
        "status": row.host.admin.value,
        "state": "up" if row.is_up else "down",
        "updated_at": _seen(row.host),
        "disabled_reason": row.host.admin_reason or None,
    }
    return {**shown, "forced_down": False} if version >= _FORCED_DOWN else shown


def _seen(host: Host) -> str | None:
    return host.last_seen_at.strftime("%Y-%m-%dT%H:%M:%S.%f") if host.last_seen_at else None


def _zone(hosts: Json | None) -> Json:
    return {"zoneName": ZONE, "zoneState": {"available": True}, "hosts": hosts}
