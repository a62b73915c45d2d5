"""Where the services are: versions of this one, and the catalog that goes with a token."""

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.api.identity.documents import Json, listed

_SERVICES = (
    ("identity", "keystone", "/identity/v3"),
    ("compute", "nova", "/compute/v2.1"),
    ("network", "neutron", "/network"),
    ("image", "glance", "/image"),
)
_REGION = "RegionOne"


def versions(call: Call) -> Response:
    """GET /: the one version there is."""
    return document({"versions": {"values": [_version(call)]}})


def version(call: Call) -> Response:
    """GET /v3."""
    return document({"version": _version(call)})


def catalog(call: Call) -> Response:
    """GET /auth/catalog."""
    return document(listed(call, "catalog", services(call)))


def services(call: Call) -> list[Json]:
    """The catalog: one region, the three interfaces of each service at one place."""
    return [_service(call, *service) for service in _SERVICES]


def _version(call: Call) -> Json:
    links = [{"rel": "self", "href": call.url("/identity/v3/")}]
    return {"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z", "links": links}


def _service(call: Call, kind: str, name: str, path: str) -> Json:
    url = call.url(path)
    endpoints = [
        {"id": f"{name}-{face}", "interface": face, "region": _REGION, "region_id": _REGION, "url": url}
        for face in ("public", "internal", "admin")
    ]
    return {"id": name, "type": kind, "name": name, "endpoints": endpoints}
