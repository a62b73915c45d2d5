"""What clients ask before anything else: versions, resources, extensions; and zones."""

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.api.network import listing
from fairlead.api.network.extensions import EXTENSIONS
from fairlead.api.problems import Unserved
from fairlead.control import aggregates

_RESOURCES = {
    "network": "networks",
    "subnet": "subnets",
    "port": "ports",
    "policy": "qos/policies",
    "rule-type": "qos/rule-types",
    "port-profile": "port-profiles",
    "rbac-policy": "rbac-policies",
    "network-ip-availability": "network-ip-availabilities",
    "availability_zone": "availability_zones",
    "agent": "agents",
    "quota": "quotas",
    "extension": "extensions",
}
"""Where each is listed, below /v2.0."""

_ZONES = listing.Collection(
    "availability_zones", "availability zone", ("name", "resource", "state"), key="name"
)


def versions(call: Call) -> Response:
    """GET /: the one version there is."""
    links = [{"rel": "self", "href": call.url("/network/v2.0/")}]
    return document({"versions": [{"id": "v2.0", "status": "CURRENT", "links": links}]})


def resources(call: Call) -> Response:
    """GET /v2.0: the collections."""
    return document({"resources": [_resource(call, name, path) for name, path in _RESOURCES.items()]})


def extensions(call: Call) -> Response:
    """GET /extensions."""
    return document({"extensions": [_extension(alias) for alias in EXTENSIONS]})


def extension(call: Call, alias: str) -> Response:
    """GET /extensions/{alias}."""
    if alias not in EXTENSIONS:
        raise Unserved(404, "no_such_path", f"Extension with alias {alias[:255]} does not exist")
    return document({"extension": _extension(alias)})


def zones(call: Call) -> Response:
    """GET /availability_zones: those that hosts are in."""
    names = call.run(lambda tx: aggregates.zones(tx, tx.hosts.find()))
    rows: list[listing.Shown] = [
        {"name": name, "resource": "network", "state": "available"} for name in names
    ]
    return listing.answer(call, _ZONES, rows)


def _resource(call: Call, name: str, path: str) -> dict[str, object]:
    links = [{"rel": "self", "href": call.url(f"/network/v2.0/{path}")}]
    return {"name": name, "collection": path.rpartition("/")[2], "links": links}


def _extension(alias: str) -> dict[str, object]:
    extension = EXTENSIONS[alias]
    return {
        "alias": alias,
        "name": extension.name,
        "description": extension.description,
        "updated": f"{extension.updated}-00:00",
        "links": [],
    }
