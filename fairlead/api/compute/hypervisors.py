"""Handlers of hosts as hypervisors. Source: nova.api.openstack.compute.hypervisors."""

from collections.abc import Sequence

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.api.compute.host_rows import BY_ID, HostRows, all_rows, host_by, rows_of, shown_id
from fairlead.api.compute.microversions import Microversion
from fairlead.api.compute.paging import Json, next_links, paged
from fairlead.model.errors import InvalidValue, NotFound
from fairlead.model.host import HostAdmin, HostCapacity

_CPU_INFO_AS_OBJECT: Microversion = (2, 28)
_PAGED: Microversion = (2, 33)
_WITHOUT_RESOURCES: Microversion = (2, 88)
_YES = ("true", "1", "t", "yes")


def index(call: Call, version: Microversion) -> Response:
    """GET /os-hypervisors."""
    return _listed(call, version, "/compute/v2.1/os-hypervisors", is_full=False)


def details(call: Call, version: Microversion) -> Response:
    """GET /os-hypervisors/detail."""
    return _listed(call, version, "/compute/v2.1/os-hypervisors/detail", is_full=True)


def show(call: Call, version: Microversion, key: str) -> Response:
    """GET /os-hypervisors/{id}."""
    found = call.run(lambda tx: rows_of(tx, (host_by(tx, version, key),)))[0]
    return document({"hypervisor": {**_full(version, found), **_servers(call, version, found)}})


def statistics(call: Call, version: Microversion) -> Response:
    """GET /os-hypervisors/statistics, before 2.88: sums over the hosts that take servers."""
    rows = [_resources(row) for row in call.run(all_rows) if row.host.admin is HostAdmin.ENABLED]
    names = rows[0] if rows else _resources(None)
    return document(
        {
            "hypervisor_statistics": {
                "count": len(rows),
                **{name: sum(row[name] for row in rows) for name in names},
            }
        }
    )


def uptime(call: Call, version: Microversion, key: str) -> Response:
    """GET /os-hypervisors/{id}/uptime, before 2.88: agents do not tell it."""
    call.run(lambda tx: host_by(tx, version, key))
    raise InvalidValue("uptime", key, "something that agents tell: from 2.88 on it is null")


def search(call: Call, version: Microversion, pattern: str) -> Response:
    """GET /os-hypervisors/{part of a name}/search, before 2.53."""
    return document({"hypervisors": [_brief(version, row) for row in _named(call, pattern)]})


def servers(call: Call, version: Microversion, pattern: str) -> Response:
    """GET /os-hypervisors/{part of a name}/servers, before 2.53."""
    rows = _named(call, pattern)
    return document({"hypervisors": [{**_brief(version, row), **_with_servers(row)} for row in rows]})


def _named(call: Call, pattern: str) -> Sequence[HostRows]:
    found = [row for row in call.run(all_rows) if pattern in row.host.name]
    if not found:
        raise NotFound("hypervisor", f"with {pattern} in its name")
    return found


def _listed(call: Call, version: Microversion, path: str, *, is_full: bool) -> Response:
    pattern = call.first("hypervisor_hostname_pattern") or ""
    rows: Sequence[HostRows] = [
        row for row in call.run(all_rows) if version < BY_ID or pattern in row.host.name
    ]
    if pattern and version >= BY_ID and not rows:
        raise NotFound("hypervisor", f"with {pattern} in its name")
    has_more = False
    if version >= _PAGED:
        rows, has_more = paged(call, rows, lambda row: str(shown_id(version, row.host)))
    view = _full if is_full else _brief
    answer: Json = {"hypervisors": [{**view(version, row), **_servers(call, version, row)} for row in rows]}
    if has_more:
        answer["hypervisors_links"] = next_links(call, path, str(shown_id(version, rows[-1].host)))
    return document(answer)


def _brief(version: Microversion, row: HostRows) -> Json:
    return {
        "id": shown_id(version, row.host),
        "hypervisor_hostname": row.host.name,
        "state": "up" if row.is_up else "down",
        "status": row.host.admin.value,
    }


def _full(version: Microversion, row: HostRows) -> Json:
    service = {
        "id": shown_id(version, row.host),
        "host": row.host.name,
        "disabled_reason": row.host.admin_reason or None,
    }
    shown: Json = {
        **_brief(version, row),
        "hypervisor_type": "QEMU",
        "hypervisor_version": 0,
        "host_ip": None,
        "service": service,
    }
    if version >= _WITHOUT_RESOURCES:
        return {**shown, "uptime": None}
    return {**shown, **_resources(row), "cpu_info": {} if version >= _CPU_INFO_AS_OBJECT else ""}


def _resources(row: HostRows | None) -> dict[str, int]:
    """What a host has and what of it is used; nothing of none."""
    capacity = row.host.capacity if row else HostCapacity()
    servers = row.servers if row else ()
    vcpus = sum(server.held_vcpus for server in servers)
    memory_mib = sum(server.held_memory_mib for server in servers)
    disk_gib = sum(server.held_disk_gib for server in servers)
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
        "running_vms": len(servers),
        "current_workload": 0,
    }


def _servers(call: Call, version: Microversion, row: HostRows) -> Json:
    """From 2.53 by `with_servers`; a host without servers has no such attribute, as in Nova."""
    if version < BY_ID or (call.first("with_servers") or "").lower() not in _YES:
        return {}
    return _with_servers(row)


def _with_servers(row: HostRows) -> Json:
    shown = [{"name": f"fl-{server.id}", "uuid": server.id} for server in row.servers]
    return {"servers": shown} if shown else {}
