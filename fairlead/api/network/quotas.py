"""Quotas of the network API: how much of its nouns a project may have."""

import re

from msgspec import Struct
from starlette.responses import Response

from fairlead.api import bodies
from fairlead.api.answers import document, empty
from fairlead.api.bodies import MalformedBody
from fairlead.api.call import Call
from fairlead.api.network.listing import Shown
from fairlead.api.network.requests import refuse_body, refuse_revision
from fairlead.control import quotas
from fairlead.control.boundary import Tx
from fairlead.model.errors import InvalidValue
from fairlead.model.ids import ProjectId
from fairlead.model.quota import UNLIMITED, Resource

_NUMBER = re.compile(r"-?[0-9]{1,10}")


class QuotaBody(Struct, frozen=True):
    """PUT /quotas/{project}."""

    quota: dict[str, object]


class _Force(Struct):
    """Whether limits may be set below what is used."""

    force: bool


def index(call: Call) -> Response:
    """GET /quotas: of the projects that have any of their own."""

    def work(tx: Tx) -> list[Shown]:
        ids = dict.fromkeys(q.project_id for q in tx.quotas.find(resource=quotas.NETWORK))
        return [{**_shown(tx, key), "project_id": key, "tenant_id": key} for key in ids]

    return document({"quotas": call.run(work)})


def show(call: Call, project_id: str) -> Response:
    """GET /quotas/{project}."""
    return document({"quota": call.run(lambda tx: _shown(tx, ProjectId(project_id)))})


def show_defaults(_: Call, _project_id: str) -> Response:
    """GET /quotas/{project}/default: nothing is limited unless somebody says so."""
    return document({"quota": {resource.value: UNLIMITED for resource in quotas.NETWORK}})


def show_details(call: Call, project_id: str) -> Response:
    """GET /quotas/{project}/details, with what is used."""

    def work(tx: Tx) -> Shown:
        limits = _shown(tx, ProjectId(project_id))
        has = quotas.used(tx, ProjectId(project_id), quotas.NETWORK)
        return {
            resource.value: {
                "limit": limits[resource.value],
                "used": has[resource],
                "reserved": 0,
            }
            for resource in quotas.NETWORK
        }

    return document({"quota": call.run(work)})


def update(call: Call, project_id: str) -> Response:
    """PUT /quotas/{project}."""
    refuse_revision(call)
    if not call.body:
        raise MalformedBody("Resource body required")
    given = dict(bodies.shape(QuotaBody, bodies.parse(call.body)).quota)
    for name in ("project_id", "tenant_id", "check_limit"):
        given.pop(name, None)
    is_forced = bodies.shape(_Force, {"force": given.pop("force", False)}).force
    wanted = {_resource(name): _limit(name, value) for name, value in given.items()}

    def work(tx: Tx) -> Shown:
        quotas.limit(tx, ProjectId(project_id), wanted, is_forced=is_forced)
        return _shown(tx, ProjectId(project_id))

    return document({"quota": call.run(work)})


def delete(call: Call, project_id: str) -> Response:
    """DELETE /quotas/{project}: back to no limits."""
    refuse_body(call)
    refuse_revision(call)
    call.run(lambda tx: quotas.reset(tx, ProjectId(project_id), quotas.NETWORK))
    return empty()


def _shown(tx: Tx, project_id: ProjectId) -> Shown:
    limits = quotas.limits(tx, project_id)
    return {resource.value: limits[resource] for resource in quotas.NETWORK}


def _resource(name: str) -> Resource:
    found = next((resource for resource in quotas.NETWORK if resource.value == name), None)
    if found is None:
        raise MalformedBody(f"Unrecognized attribute(s) '{name[:255]}'")
    return found


def _limit(name: str, value: object) -> int:
    """A number, or a text that says one, as Neutron takes it."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not UNLIMITED <= value <= quotas.MOST:
        raise InvalidValue(name, value, f"a whole number from {UNLIMITED} to {quotas.MOST}")
    return value
