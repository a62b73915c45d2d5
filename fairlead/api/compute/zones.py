"""Handlers of availability zones: what aggregates make of the hosts."""

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.api.compute.host_rows import HostRows, all_rows
from fairlead.api.compute.paging import Json
from fairlead.api.compute.services import BINARY, seen
from fairlead.control.aggregates import zones
from fairlead.control.boundary import Tx
from fairlead.model.host import HostAdmin

Zones = dict[str, list[HostRows]]


def index(call: Call) -> Response:
    """GET /os-availability-zone."""
    return document({"availabilityZoneInfo": [_shown(*zone, None) for zone in call.run(_zones).items()]})


def details(call: Call) -> Response:
    """GET /os-availability-zone/detail."""
    found = call.run(_zones)
    return document(
        {"availabilityZoneInfo": [_shown(name, found[name], _hosts(found[name])) for name in found]}
    )


def _zones(tx: Tx) -> Zones:
    rows = {row.host.id: row for row in all_rows(tx)}
    found = zones(tx, [row.host for row in rows.values()])
    return {name: [rows[host.id] for host in found[name]] for name in found}


def _shown(name: str, rows: list[HostRows], hosts: Json | None) -> Json:
    is_open = not rows or any(row.is_up and row.host.admin is HostAdmin.ENABLED for row in rows)
    return {"zoneName": name, "zoneState": {"available": is_open}, "hosts": hosts}


def _hosts(rows: list[HostRows]) -> Json:
    return {
        row.host.name: {
            BINARY: {
                "available": row.is_up,
                "active": row.host.admin is HostAdmin.ENABLED,
                "updated_at": seen(row),
            }
        }
        for row in rows
    }
