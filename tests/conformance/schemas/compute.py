"""What the compute API answers, microversion by microversion.

Sources: https://docs.openstack.org/api-ref/compute/ and its history of microversions.
"""

from tests.conformance.schemas.asked import LINKS, Asked, Shape, since, until
from tests.conformance.schemas.servers import (
    ADDRESS,
    BRIEF_SERVER,
    CREATED,
    actions,
    diagnostics,
    interface,
    migrations,
    one_action,
    one_server,
    rebuilt_server,
    server_details,
    updated_server,
)
from tests.conformance.schemas.shapes import (
    BOOL,
    EMPTY,
    ID,
    INT,
    MICROTIME,
    NOTHING,
    NUMBER,
    TEXT,
    TIME,
    Schema,
    either,
    many,
    mapping,
    maybe,
    one_of,
    texts,
    thing,
    wrapped,
)

# Flavors.


def _brief_flavor(asked: Asked) -> dict[str, Schema]:
    return {
        "id": TEXT,
        "name": TEXT,
        "links": LINKS,
        **since(asked, 55, {"description": maybe(TEXT)}),
    }


def _flavor(asked: Asked) -> Schema:
    return thing(
        {
            **_brief_flavor(asked),
            "ram": INT,
            "disk": INT,
            "vcpus": INT,
            "swap": INT if asked.version >= (2, 75) else either(INT, EMPTY),
            "OS-FLV-EXT-DATA:ephemeral": INT,
            "OS-FLV-DISABLED:disabled": BOOL,
            "os-flavor-access:is_public": BOOL,
            "rxtx_factor": NUMBER,
            **since(asked, 61, {"extra_specs": texts()}),
        }
    )


def _flavors(asked: Asked) -> Schema:
    return thing({"flavors": many(thing(_brief_flavor(asked)))}, {"flavors_links": LINKS})


# Hosts.

_RESOURCES = dict.fromkeys(
    (
        "vcpus",
        "vcpus_used",
        "memory_mb",
        "memory_mb_used",
        "free_ram_mb",
        "local_gb",
        "local_gb_used",
        "free_disk_gb",
        "disk_available_least",
        "running_vms",
        "current_workload",
    ),
    INT,
)


def _host_id(asked: Asked) -> Schema:
    return ID if asked.version >= (2, 53) else INT


def _brief_hypervisor(asked: Asked) -> dict[str, Schema]:
    return {
        "id": _host_id(asked),
        "hypervisor_hostname": TEXT,
        "state": one_of("up", "down"),
        "status": one_of("enabled", "disabled"),
    }


def _hypervisor(asked: Asked) -> dict[str, Schema]:
    service = thing({"id": _host_id(asked), "host": TEXT, "disabled_reason": maybe(TEXT)})
    cpu = {"cpu_info": mapping(TEXT) if asked.version >= (2, 28) else TEXT}
    return {
        **_brief_hypervisor(asked),
        "hypervisor_type": TEXT,
        "hypervisor_version": INT,
        "host_ip": maybe(TEXT),
        "service": service,
        **until(asked, 87, {**_RESOURCES, **cpu}),
        **since(asked, 88, {"uptime": maybe(TEXT)}),
    }


def _with_servers(asked: Asked, shape: dict[str, Schema]) -> Schema:
    servers = many(thing({"name": TEXT, "uuid": ID}))
    return thing(shape, since(asked, 53, {"servers": servers}))


def _hypervisors(asked: Asked) -> Schema:
    rows = many(_with_servers(asked, _brief_hypervisor(asked)))
    return thing({"hypervisors": rows}, since(asked, 33, {"hypervisors_links": LINKS}))


def _hypervisor_details(asked: Asked) -> Schema:
    rows = many(_with_servers(asked, _hypervisor(asked)))
    return thing({"hypervisors": rows}, since(asked, 33, {"hypervisors_links": LINKS}))


def _service(asked: Asked) -> Schema:
    return thing(
        {
            "id": _host_id(asked),
            "binary": one_of("nova-compute"),
            "host": TEXT,
            "zone": TEXT,
            "status": one_of("enabled", "disabled"),
            "state": one_of("up", "down"),
            "updated_at": maybe(MICROTIME),
            "disabled_reason": maybe(TEXT),
            **since(asked, 11, {"forced_down": BOOL}),
        }
    )


_HOST_STATE = thing({"available": BOOL, "active": BOOL, "updated_at": maybe(MICROTIME)})


def _zones(hosts: Schema) -> Schema:
    zone = thing({"zoneName": TEXT, "zoneState": wrapped("available", BOOL), "hosts": hosts})
    return wrapped("availabilityZoneInfo", many(zone))


# Key pairs, limits, quotas.


def _brief_keypair(asked: Asked) -> dict[str, Schema]:
    return {
        "name": TEXT,
        "public_key": TEXT,
        "fingerprint": {"type": "string", "pattern": "^([0-9a-f]{2}:){15}[0-9a-f]{2}$"},
        **since(asked, 2, {"type": one_of("ssh")}),
    }


def _keypairs(asked: Asked) -> Schema:
    rows = many(wrapped("keypair", thing(_brief_keypair(asked))))
    return thing({"keypairs": rows}, since(asked, 35, {"keypairs_links": LINKS}))


def _keypair(asked: Asked) -> Schema:
    kept = {"created_at": MICROTIME, "deleted": BOOL, "deleted_at": NOTHING, "updated_at": NOTHING, "id": INT}
    return wrapped("keypair", thing({**_brief_keypair(asked), "user_id": TEXT, **kept}))


def _new_keypair(asked: Asked) -> Schema:
    private = until(asked, 91, {"private_key": TEXT})
    return wrapped("keypair", thing({**_brief_keypair(asked), "user_id": TEXT}, private))


_QUOTA_NAMES = (
    "cores",
    "instances",
    "key_pairs",
    "metadata_items",
    "ram",
    "server_group_members",
    "server_groups",
)
_NETWORK_QUOTAS = ("fixed_ips", "floating_ips", "networks", "security_group_rules", "security_groups")
_FILE_QUOTAS = ("injected_file_content_bytes", "injected_file_path_bytes", "injected_files")


def _quota(asked: Asked, shape: Schema) -> dict[str, Schema]:
    names = (
        *_QUOTA_NAMES,
        *(_NETWORK_QUOTAS if asked.version < (2, 36) else ()),
        *(_FILE_QUOTAS if asked.version < (2, 57) else ()),
    )
    return dict.fromkeys(names, shape)


def _quota_set(asked: Asked) -> Schema:
    return wrapped("quota_set", thing({"id": TEXT, **_quota(asked, INT)}))


def _changed_quota_set(asked: Asked) -> Schema:
    return wrapped("quota_set", thing(_quota(asked, INT)))


def _quota_details(asked: Asked) -> Schema:
    use = thing({"limit": INT, "in_use": INT, "reserved": INT})
    return wrapped("quota_set", thing({"id": TEXT, **_quota(asked, use)}))


def _limits(asked: Asked) -> Schema:
    names = (
        "maxTotalInstances",
        "maxTotalCores",
        "maxTotalRAMSize",
        "maxTotalKeypairs",
        "maxServerMeta",
        "maxServerGroups",
        "maxServerGroupMembers",
        "totalServerGroupsUsed",
        "totalInstancesUsed",
        "totalCoresUsed",
        "totalRAMUsed",
    )
    floating = ("maxTotalFloatingIps", "totalFloatingIpsUsed")
    groups = ("maxSecurityGroups", "maxSecurityGroupRules", "totalSecurityGroupsUsed")
    more = (
        *(names),
        *((*floating, *groups) if asked.version < (2, 36) else ()),
        *(("maxImageMeta",) if asked.version < (2, 39) else ()),
        *(("maxPersonality", "maxPersonalitySize") if asked.version < (2, 57) else ()),
    )
    return wrapped("limits", thing({"rate": many(TEXT), "absolute": thing(dict.fromkeys(more, INT))}))


# Aggregates, server groups, topology.


def _new_aggregate(asked: Asked) -> dict[str, Schema]:
    return {
        "id": INT,
        "name": TEXT,
        "availability_zone": maybe(TEXT),
        "created_at": MICROTIME,
        "updated_at": maybe(MICROTIME),
        "deleted": BOOL,
        "deleted_at": NOTHING,
        **since(asked, 41, {"uuid": ID}),
    }


def _aggregate(asked: Asked) -> Schema:
    return thing({**_new_aggregate(asked), "hosts": many(TEXT), "metadata": texts()})


def _group(asked: Asked) -> Schema:
    policies = one_of("affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity")
    return thing(
        {
            "id": ID,
            "name": TEXT,
            "members": many(ID),
            **until(asked, 63, {"policies": many(policies), "metadata": thing({})}),
            **since(asked, 13, {"project_id": TEXT, "user_id": TEXT}),
            **since(asked, 64, {"policy": policies, "rules": thing({}, {"max_server_per_host": INT})}),
        }
    )


def _node(asked: Asked) -> Schema:
    shape = {"memory_mb": INT, "vcpu_set": many(INT), "siblings": many(many(INT))}
    return thing({**shape, **({"host_node": INT, "cpu_pinning": mapping(INT)} if asked.by_operator else {})})


_ACCESS = wrapped("flavor_access", many(thing({"flavor_id": TEXT, "tenant_id": TEXT})))

_VERSION: dict[str, Schema] = {
    "id": TEXT,
    "status": TEXT,
    "version": TEXT,
    "min_version": TEXT,
    "updated": TIME,
    "links": LINKS,
}
_EXTENSION = thing(
    {
        "alias": TEXT,
        "name": TEXT,
        "description": TEXT,
        "updated": TIME,
        "namespace": TEXT,
        "links": many(TEXT),
    }
)
_TAGS = wrapped("tags", many(TEXT))
_SERVICE_BY_NAME: dict[str, Schema] = {"host": TEXT, "binary": one_of("nova-compute")}

_FAULTS = (
    "badRequest",
    "unauthorized",
    "forbidden",
    "itemNotFound",
    "badMethod",
    "conflictingRequest",
    "overLimit",
    "badMediaType",
    "computeFault",
    "serviceUnavailable",
)
ERROR = either(*(wrapped(name, thing({"code": INT, "message": TEXT})) for name in _FAULTS))
HIDDEN = frozenset[str]()

ANSWERS: dict[str, Shape] = {
    "GET ": wrapped("versions", many(thing(_VERSION))),
    "GET /v2.1": wrapped(
        "version", thing({**_VERSION, "media-types": many(thing({"base": TEXT, "type": TEXT}))})
    ),
    "GET /v2.1/extensions": wrapped("extensions", many(_EXTENSION)),
    "GET /v2.1/extensions/{}": wrapped("extension", _EXTENSION),
    "GET /v2.1/servers": thing({"servers": many(BRIEF_SERVER)}, {"servers_links": LINKS}),
    "POST /v2.1/servers": wrapped("server", CREATED),
    "GET /v2.1/servers/detail": server_details,
    "GET /v2.1/servers/{}": one_server,
    "PUT /v2.1/servers/{}": updated_server,
    "DELETE /v2.1/servers/{}": EMPTY,
    "POST /v2.1/servers/{}/action": lambda asked: either(
        EMPTY, wrapped("output", TEXT), rebuilt_server(asked)
    ),
    "GET /v2.1/servers/{}/os-security-groups": wrapped("security_groups", many(TEXT)),
    "GET /v2.1/servers/{}/diagnostics": diagnostics,
    "GET /v2.1/servers/{}/ips": wrapped("addresses", mapping(many(thing(ADDRESS)))),
    "GET /v2.1/servers/{}/ips/{}": mapping(many(thing(ADDRESS))),
    "GET /v2.1/servers/{}/metadata": wrapped("metadata", texts()),
    "POST /v2.1/servers/{}/metadata": wrapped("metadata", texts()),
    "PUT /v2.1/servers/{}/metadata": wrapped("metadata", texts()),
    "GET /v2.1/servers/{}/metadata/{}": wrapped("meta", texts()),
    "PUT /v2.1/servers/{}/metadata/{}": wrapped("meta", texts()),
    "DELETE /v2.1/servers/{}/metadata/{}": EMPTY,
    "GET /v2.1/servers/{}/tags": _TAGS,
    "PUT /v2.1/servers/{}/tags": _TAGS,
    "DELETE /v2.1/servers/{}/tags": EMPTY,
    "GET /v2.1/servers/{}/tags/{}": EMPTY,
    "PUT /v2.1/servers/{}/tags/{}": EMPTY,
    "DELETE /v2.1/servers/{}/tags/{}": EMPTY,
    "GET /v2.1/servers/{}/os-interface": lambda asked: wrapped(
        "interfaceAttachments", many(interface(asked))
    ),
    "POST /v2.1/servers/{}/os-interface": lambda asked: wrapped("interfaceAttachment", interface(asked)),
    "DELETE /v2.1/servers/{}/os-interface/{}": EMPTY,
    "GET /v2.1/servers/{}/os-interface/{}": lambda asked: wrapped("interfaceAttachment", interface(asked)),
    "GET /v2.1/os-migrations": migrations,
    "GET /v2.1/servers/{}/migrations": wrapped("migrations", many(thing({}))),
    "GET /v2.1/servers/{}/os-instance-actions": actions,
    "GET /v2.1/servers/{}/os-instance-actions/{}": one_action,
    "GET /v2.1/flavors": _flavors,
    "GET /v2.1/flavors/detail": lambda asked: thing(
        {"flavors": many(_flavor(asked))}, {"flavors_links": LINKS}
    ),
    "POST /v2.1/flavors": lambda asked: wrapped("flavor", _flavor(asked)),
    "GET /v2.1/flavors/{}": lambda asked: wrapped("flavor", _flavor(asked)),
    "PUT /v2.1/flavors/{}": lambda asked: wrapped("flavor", _flavor(asked)),
    "DELETE /v2.1/flavors/{}": EMPTY,
    "GET /v2.1/flavors/{}/os-extra_specs": wrapped("extra_specs", texts()),
    "POST /v2.1/flavors/{}/os-extra_specs": wrapped("extra_specs", texts()),
    "GET /v2.1/flavors/{}/os-extra_specs/{}": texts(),
    "PUT /v2.1/flavors/{}/os-extra_specs/{}": texts(),
    "DELETE /v2.1/flavors/{}/os-extra_specs/{}": EMPTY,
    "GET /v2.1/os-hypervisors": _hypervisors,
    "GET /v2.1/os-hypervisors/detail": _hypervisor_details,
    "GET /v2.1/os-hypervisors/{}": lambda asked: wrapped(
        "hypervisor", _with_servers(asked, _hypervisor(asked))
    ),
    "GET /v2.1/os-hypervisors/statistics": wrapped(
        "hypervisor_statistics", thing({**_RESOURCES, "count": INT})
    ),
    "GET /v2.1/os-hypervisors/{}/uptime": lambda asked: wrapped(
        "hypervisor", thing({**_brief_hypervisor(asked), "uptime": TEXT})
    ),
    "GET /v2.1/os-hypervisors/{}/search": lambda asked: wrapped(
        "hypervisors", many(thing(_brief_hypervisor(asked)))
    ),
    "GET /v2.1/os-hypervisors/{}/servers": lambda asked: wrapped(
        "hypervisors",
        many(thing(_brief_hypervisor(asked), {"servers": many(thing({"name": TEXT, "uuid": ID}))})),
    ),
    "GET /v2.1/os-services": lambda asked: wrapped("services", many(_service(asked))),
    "PUT /v2.1/os-services/{}": lambda asked: wrapped(
        "service",
        _service(asked)
        if asked.version >= (2, 53)
        else either(
            thing({**_SERVICE_BY_NAME, "status": TEXT}, {"disabled_reason": TEXT}),
            thing({**_SERVICE_BY_NAME, "forced_down": BOOL}),
        ),
    ),
    "DELETE /v2.1/os-services/{}": EMPTY,
    "GET /v2.1/os-availability-zone": _zones(NOTHING),
    "GET /v2.1/os-availability-zone/detail": _zones(mapping(wrapped("nova-compute", _HOST_STATE))),
    "GET /v2.1/limits": _limits,
    "GET /v2.1/os-quota-sets/{}": _quota_set,
    "PUT /v2.1/os-quota-sets/{}": _changed_quota_set,
    "DELETE /v2.1/os-quota-sets/{}": EMPTY,
    "GET /v2.1/os-quota-sets/{}/defaults": _quota_set,
    "GET /v2.1/os-quota-sets/{}/detail": _quota_details,
    "GET /v2.1/os-keypairs": _keypairs,
    "POST /v2.1/os-keypairs": _new_keypair,
    "GET /v2.1/os-keypairs/{}": _keypair,
    "DELETE /v2.1/os-keypairs/{}": EMPTY,
    "GET /v2.1/os-aggregates": lambda asked: wrapped("aggregates", many(_aggregate(asked))),
    "POST /v2.1/os-aggregates": lambda asked: wrapped("aggregate", thing(_new_aggregate(asked))),
    "GET /v2.1/os-aggregates/{}": lambda asked: wrapped("aggregate", _aggregate(asked)),
    "PUT /v2.1/os-aggregates/{}": lambda asked: wrapped("aggregate", _aggregate(asked)),
    "DELETE /v2.1/os-aggregates/{}": EMPTY,
    "POST /v2.1/os-aggregates/{}/action": lambda asked: wrapped("aggregate", _aggregate(asked)),
    "GET /v2.1/os-server-groups": lambda asked: wrapped("server_groups", many(_group(asked))),
    "POST /v2.1/os-server-groups": lambda asked: wrapped("server_group", _group(asked)),
    "GET /v2.1/os-server-groups/{}": lambda asked: wrapped("server_group", _group(asked)),
    "DELETE /v2.1/os-server-groups/{}": EMPTY,
    "GET /v2.1/flavors/{}/os-flavor-access": _ACCESS,
    "POST /v2.1/flavors/{}/action": _ACCESS,
    "GET /v2.1/servers/{}/topology": lambda asked: thing(
        {"nodes": many(_node(asked)), "pagesize_kb": maybe(INT)}
    ),
}
