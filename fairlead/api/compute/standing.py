"""Handlers of what Nova has around servers and Fairlead answers plainly: limits, quotas, key pairs, aggregates.

There are no quotas: -1 is Nova's word for "no limit".
"""

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.api.compute.microversions import Microversion
from fairlead.control.boundary import Tx

_UNLIMITED = -1
_NETWORK_QUOTAS_GONE: Microversion = (2, 36)
_FILE_QUOTAS_GONE: Microversion = (2, 57)
_QUOTAS = (
    "cores",
    "instances",
    "key_pairs",
    "metadata_items",
    "ram",
    "server_groups",
    "server_group_members",
)
_NETWORK_QUOTAS = ("fixed_ips", "floating_ips", "networks", "security_group_rules", "security_groups")
_FILE_QUOTAS = ("injected_file_content_bytes", "injected_file_path_bytes", "injected_files")


def show_limits(call: Call) -> Response:
    """GET /limits."""
    absolute = {
        "maxTotalInstances": _UNLIMITED,
        "maxTotalCores": _UNLIMITED,
        "maxTotalRAMSize": _UNLIMITED,
        "maxTotalKeypairs": 0,
        "maxServerMeta": _UNLIMITED,
        "maxServerGroups": 0,
        "maxServerGroupMembers": 0,
        "totalServerGroupsUsed": 0,
        **call.run(lambda tx: _used(tx, call.caller.project_id)),
    }
    return document({"limits": {"rate": [], "absolute": absolute}})


def show_quotas(_call: Call, version: Microversion, project_id: str) -> Response:
    """GET /os-quota-sets/{project}, and /defaults."""
    return document({"quota_set": {"id": project_id, **dict.fromkeys(_quotas(version), _UNLIMITED)}})


def show_quota_details(call: Call, version: Microversion, project_id: str) -> Response:
    """GET /os-quota-sets/{project}/detail."""
    used = call.run(lambda tx: _used(tx, project_id))
    in_use = {
        "instances": used["totalInstancesUsed"],
        "cores": used["totalCoresUsed"],
        "ram": used["totalRAMUsed"],
    }
    quotas = {
        name: {"limit": _UNLIMITED, "in_use": in_use.get(name, 0), "reserved": 0} for name in _quotas(version)
    }
    return document({"quota_set": {"id": project_id, **quotas}})


def list_keypairs(_call: Call) -> Response:
    """GET /os-keypairs: none; keys go into user_data."""
    return document({"keypairs": []})


def list_aggregates(_call: Call) -> Response:
    """GET /os-aggregates: none; hosts have labels."""
    return document({"aggregates": []})


def _quotas(version: Microversion) -> tuple[str, ...]:
    network = _NETWORK_QUOTAS if version < _NETWORK_QUOTAS_GONE else ()
    files = _FILE_QUOTAS if version < _FILE_QUOTAS_GONE else ()
    return (*_QUOTAS, *network, *files)


def _used(tx: Tx, project_id: str) -> dict[str, int]:
    servers = tx.servers.find(project_id=project_id)
    return {
        "totalInstancesUsed": len(servers),
        "totalCoresUsed": sum(server.flavor.vcpus for server in servers),
        "totalRAMUsed": sum(server.flavor.memory_mib for server in servers),
    }
