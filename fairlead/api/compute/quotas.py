"""Quota sets over HTTP. -1 is Nova's word for "no limit"."""

from msgspec import Struct
from starlette.responses import Response

from fairlead.api import bodies
from fairlead.api.answers import document, empty
from fairlead.api.call import Call
from fairlead.api.compute.microversions import Microversion
from fairlead.api.compute.paging import Json
from fairlead.control import quotas
from fairlead.control.boundary import Tx
from fairlead.model.errors import InvalidValue
from fairlead.model.ids import ProjectId
from fairlead.model.quota import UNLIMITED, Resource

_NETWORK_QUOTAS_GONE: Microversion = (2, 36)
_FILE_QUOTAS_GONE: Microversion = (2, 57)
_NETWORK_QUOTAS = ("fixed_ips", "floating_ips", "networks", "security_group_rules", "security_groups")
_FILE_QUOTAS = ("injected_file_content_bytes", "injected_file_path_bytes", "injected_files")


class QuotaBody(Struct, frozen=True, forbid_unknown_fields=True):
    """PUT /os-quota-sets/{project}."""

    quota_set: dict[str, object]


def show(call: Call, version: Microversion, project_id: str) -> Response:
    """GET /os-quota-sets/{project}."""
    found = call.run(lambda tx: quotas.limits(tx, ProjectId(project_id)))
    return document({"quota_set": {"id": project_id, **_shown(version, found)}})


def show_defaults(_call: Call, version: Microversion, project_id: str) -> Response:
    """GET /os-quota-sets/{project}/defaults: nothing is limited unless somebody says so."""
    return document({"quota_set": {"id": project_id, **_shown(version, {})}})


def show_details(call: Call, version: Microversion, project_id: str) -> Response:
    """GET /os-quota-sets/{project}/detail."""

    def work(tx: Tx) -> Json:
        limits = quotas.limits(tx, ProjectId(project_id))
        found = quotas.used(tx, ProjectId(project_id), quotas.COMPUTE)
        has = {resource.value: count for resource, count in found.items()}
        return {
            name: {"limit": limit, "in_use": has.get(name, 0), "reserved": 0}
            for name, limit in _shown(version, limits).items()
        }

    return document({"quota_set": {"id": project_id, **call.run(work)}})


def update(call: Call, version: Microversion, project_id: str) -> Response:
    """PUT /os-quota-sets/{project}."""
    if call.first("user_id") is not None:
        raise InvalidValue("user_id", call.first("user_id"), "possible: quotas are projects', not users'")
    given = dict(bodies.shape(QuotaBody, bodies.parse(call.body)).quota_set)
    is_forced = given.pop("force", False) in (True, "true", "True", "1")
    given.pop("tenant_id", None)
    wanted = {_resource(version, name): _limit(name, value) for name, value in given.items()}
    wished = {resource: limit for resource, limit in wanted.items() if resource is not None}

    def work(tx: Tx) -> dict[Resource, int]:
        quotas.limit(tx, ProjectId(project_id), wished, is_forced=is_forced)
        return quotas.limits(tx, ProjectId(project_id))

    return document({"quota_set": _shown(version, call.run(work))})


def delete(call: Call, _version: Microversion, project_id: str) -> Response:
    """DELETE /os-quota-sets/{project}: back to no limits."""
    call.run(lambda tx: quotas.reset(tx, ProjectId(project_id), quotas.COMPUTE))
    return empty(202)


def _shown(version: Microversion, limits: dict[Resource, int]) -> dict[str, int]:
    names = [resource.value for resource in quotas.COMPUTE]
    names += _NETWORK_QUOTAS if version < _NETWORK_QUOTAS_GONE else ()
    names += _FILE_QUOTAS if version < _FILE_QUOTAS_GONE else ()
    by_name = {resource.value: limit for resource, limit in limits.items()}
    return {name: by_name.get(name, UNLIMITED) for name in names}


def _resource(version: Microversion, name: str) -> Resource | None:
    """None for what Nova once limited and Fairlead has not; raises InvalidValue for what there is not."""
    known = {resource.value: resource for resource in quotas.COMPUTE}
    if name in known:
        return known[name]
    if name not in _shown(version, {}):
        raise InvalidValue("quota_set", name, f"one of {', '.join(known)}")
    return None


def _limit(name: str, value: object) -> int:
    try:
        number = int(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
    except ValueError:
        number = None
    if number is None or not UNLIMITED <= number <= quotas.MOST:
        raise InvalidValue(name, value, f"a whole number from {UNLIMITED} to {quotas.MOST}")
    return number
