"""Versions, tokens and the catalog: one operator, one project, one region."""

from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe

from starlette.responses import Response

from fairlead.api import bodies
from fairlead.api.answers import document, empty
from fairlead.api.bodies import MalformedBody
from fairlead.api.call import OPERATOR_PROJECT, OPERATOR_USER, Call
from fairlead.model.errors import NotFound

_LIFE = timedelta(days=1)
_DOMAIN = {"id": "default", "name": "Default"}
_PROJECT = {"id": OPERATOR_PROJECT, "name": "operator", "domain": _DOMAIN}
_USER = {"id": OPERATOR_USER, "name": "operator", "domain": _DOMAIN, "password_expires_at": None}
_ROLES = [
    {"id": f"0fa1e1ead000000000000000000001{at:02x}", "name": name}
    for at, name in enumerate(("admin", "member", "reader"))
]
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


def issue(call: Call) -> Response:
    """POST /auth/tokens: a token for whoever asks, for everyone is the operator."""
    body = bodies.parse(call.body)
    if not isinstance(body, dict) or not isinstance(body.get("auth"), dict):
        raise MalformedBody("Expecting to find auth in request body.")
    return document({"token": _token(call)}, 201, {"X-Subject-Token": token_urlsafe(24)})


def show(call: Call) -> Response:
    """GET /auth/tokens: what the token of X-Subject-Token stands for."""
    token = call.header("x-subject-token")
    if not token:
        raise NotFound("token", "")
    return document({"token": _token(call)}, 200, {"X-Subject-Token": token})


def revoke(call: Call) -> Response:
    """DELETE /auth/tokens: there is nothing to take away."""
    return empty()


def catalog(call: Call) -> Response:
    """GET /auth/catalog."""
    return document({"catalog": _catalog(call), "links": {"self": call.url("/identity/v3/auth/catalog")}})


def projects(call: Call) -> Response:
    """GET /projects."""
    return document({"projects": [_project()], "links": {"self": call.url("/identity/v3/projects")}})


def project(call: Call, key: str) -> Response:
    """GET /projects/{id}."""
    if key != OPERATOR_PROJECT:
        raise NotFound("project", key)
    return document({"project": _project()})


def _version(call: Call) -> dict[str, object]:
    links = [{"rel": "self", "href": call.url("/identity/v3/")}]
    return {"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z", "links": links}


def _token(call: Call) -> dict[str, object]:
    now = datetime.now(UTC)
    return {
        "methods": ["password"],
        "user": _USER,
        "project": _PROJECT,
        "is_domain": False,
        "roles": _ROLES,
        "catalog": _catalog(call),
        "audit_ids": [token_urlsafe(16)],
        "issued_at": now.strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
        "expires_at": (now + _LIFE).strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
    }


def _catalog(call: Call) -> list[dict[str, object]]:
    return [_service(call, *service) for service in _SERVICES]


def _service(call: Call, kind: str, name: str, path: str) -> dict[str, object]:
    url = call.url(path)
    endpoints = [
        {"id": f"{name}-{face}", "interface": face, "region": _REGION, "region_id": _REGION, "url": url}
        for face in ("public", "internal", "admin")
    ]
    return {"id": name, "type": kind, "name": name, "endpoints": endpoints}


def _project() -> dict[str, object]:
    return {
        "id": OPERATOR_PROJECT,
        "name": "operator",
        "domain_id": "default",
        "parent_id": "default",
        "enabled": True,
        "is_domain": False,
        "description": "",
        "tags": [],
        "options": {},
    }
