"""Limits over HTTP: a project's quotas and what of them is used. -1 is Nova's word for "no limit"."""

from starlette.responses import Response

from fairlead.access.rules import Target
from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.api.compute.microversions import Microversion
from fairlead.control import quotas
from fairlead.control.boundary import Tx
from fairlead.control.subjects import refused
from fairlead.model.ids import ProjectId
from fairlead.model.quota import UNLIMITED, Resource

_OTHERS = "os_compute_api:limits:other_project"
_GONE: tuple[tuple[Microversion, tuple[str, ...]], ...] = (
    ((2, 36), ("maxTotalFloatingIps", "maxSecurityGroups", "maxSecurityGroupRules")),
    ((2, 39), ("maxImageMeta",)),
    ((2, 57), ("maxPersonality", "maxPersonalitySize")),
)
"""What Nova limited before, and Fairlead has not."""
_USED_GONE: Microversion = (2, 36)


def show(call: Call, version: Microversion) -> Response:
    """GET /limits?tenant_id=."""
    project_id = ProjectId(call.first("tenant_id") or call.caller.project_id)
    if project_id != call.caller.project_id and not call.caller.may(_OTHERS, Target(project_id)):
        raise refused(_OTHERS)
    absolute = {**call.run(lambda tx: _absolute(tx, project_id)), **_old(version)}
    return document({"limits": {"rate": [], "absolute": absolute}})


def _absolute(tx: Tx, project_id: ProjectId) -> dict[str, int]:
    most, has = quotas.limits(tx, project_id), quotas.used(tx, project_id, quotas.COMPUTE)
    return {
        "maxTotalInstances": most[Resource.INSTANCES],
        "maxTotalCores": most[Resource.CORES],
        "maxTotalRAMSize": most[Resource.RAM],
        "maxTotalKeypairs": most[Resource.KEY_PAIRS],
        "maxServerMeta": most[Resource.METADATA_ITEMS],
        "maxServerGroups": most[Resource.SERVER_GROUPS],
        "maxServerGroupMembers": most[Resource.SERVER_GROUP_MEMBERS],
        "totalServerGroupsUsed": has[Resource.SERVER_GROUPS],
        "totalInstancesUsed": has[Resource.INSTANCES],
        "totalCoresUsed": has[Resource.CORES],
        "totalRAMUsed": has[Resource.RAM],
    }


def _old(version: Microversion) -> dict[str, int]:
    limits = {name: UNLIMITED for gone, names in _GONE if version < gone for name in names}
    used = ("totalFloatingIpsUsed", "totalSecurityGroupsUsed") if version < _USED_GONE else ()
    return {**limits, **dict.fromkeys(used, 0)}
