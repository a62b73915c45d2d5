"""How many addresses are free, over HTTP: Neutron's network-ip-availabilities."""

from dataclasses import replace

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.api.network import listing
from fairlead.api.routes import Route
from fairlead.control import ip_availability
from fairlead.control.ip_availability import NetworkAvailability
from fairlead.model.ids import NetworkId

_ACTION = "get_network_ip_availability"
_LIST = listing.Collection(
    "network_ip_availabilities",
    "network",
    ("network_id", "network_name", "project_id", "total_ips", "used_ips"),
    columns={"network_id": "id", "network_name": "name", "project_id": "project_id"},
    special={"ip_version": lambda _row, _values: True},
    key="network_id",
)


def routes() -> tuple[Route, ...]:
    """Its routes."""
    path = "/v2.0/network-ip-availabilities"
    return Route("GET", path, index, _ACTION), Route("GET", f"{path}/{{}}", show, _ACTION)


def index(call: Call) -> Response:
    """GET of all; `ip_version` counts only the subnets of that version."""
    where = listing.where(call, _LIST)
    versions = listing.filters(call, _LIST).get("ip_version")
    found = call.run(lambda tx: ip_availability.find(tx, **where))
    return listing.answer(call, _LIST, [_shown(_only(of, versions)) for of in found])


def show(call: Call, network_id: str) -> Response:
    """GET of one network's."""
    found = call.run(lambda tx: ip_availability.show(tx, NetworkId(network_id)))
    return document({"network_ip_availability": listing.only_fields(call, _shown(found))})


def _only(of: NetworkAvailability, versions: list[str] | None) -> NetworkAvailability:
    if versions is None:
        return of
    return replace(of, subnets=tuple(each for each in of.subnets if str(each.subnet.ip_version) in versions))


def _shown(of: NetworkAvailability) -> listing.Shown:
    return {
        "network_id": of.network.id,
        "network_name": of.network.name,
        "project_id": of.network.project_id,
        "tenant_id": of.network.project_id,
        "total_ips": of.total,
        "used_ips": of.used,
        "subnet_ip_availability": [
            {
                "subnet_id": each.subnet.id,
                "subnet_name": each.subnet.name,
                "cidr": each.subnet.cidr,
                "ip_version": each.subnet.ip_version,
                "total_ips": each.total,
                "used_ips": each.used,
            }
            for each in of.subnets
        ],
    }
