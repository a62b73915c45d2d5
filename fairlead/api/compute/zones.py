"""Handlers of availability zones."""

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.api.compute.host_rows import all_rows
from fairlead.api.compute.paging import Json
from fairlead.api.compute.server_view import ZONE
from fairlead.api.compute.services import BINARY, seen
from fairlead.model.host import HostAdmin


def index(_call: Call) -> Response:
    """GET /os-availability-zone."""
    return document({"availabilityZoneInfo": [_zone(None)]})


def details(call: Call) -> Response:
    """GET /os-availability-zone/detail."""
    hosts: Json = {
        row.host.name: {
            BINARY: {
                "available": row.is_up,
                "active": row.host.admin is HostAdmin.ENABLED,
                "updated_at": seen(row),
            }
        }
        for row in call.run(all_rows)
    }
    return document({"availabilityZoneInfo": [_zone(hosts)]})


def _zone(hosts: Json | None) -> Json:
    return {"zoneName": ZONE, "zoneState": {"available": True}, "hosts": hosts}
