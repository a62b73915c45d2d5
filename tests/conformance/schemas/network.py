"""What the network API answers, attribute by attribute. Source: https://docs.openstack.org/api-ref/network/v2/."""

from tests.conformance.schemas.shapes import (
    BOOL,
    EMPTY,
    FALSE,
    HEX,
    ID,
    INT,
    NOTHING,
    TEXT,
    TIME,
    URL,
    Schema,
    either,
    many,
    mapping,
    maybe,
    one_of,
    thing,
    wrapped,
)

_PROJECT: dict[str, Schema] = {"project_id": TEXT, "tenant_id": TEXT}
_STANDARD: dict[str, Schema] = {
    "description": TEXT,
    "tags": many(TEXT),
    "created_at": TIME,
    "updated_at": TIME,
    "revision_number": INT,
}
_LINKS = many(thing({"rel": one_of("next", "previous"), "href": URL}))

NETWORK = thing(
    {
        "id": ID,
        "name": TEXT,
        **_PROJECT,
        **_STANDARD,
        "admin_state_up": BOOL,
        "status": one_of("ACTIVE"),
        "shared": BOOL,
        "subnets": many(ID),
        "mtu": INT,
        "port_security_enabled": BOOL,
        "qos_policy_id": maybe(ID),
        "port_profile_id": maybe(ID),
        "provider:network_type": one_of("vlan", "flat"),
        "provider:physical_network": TEXT,
        "provider:segmentation_id": maybe(INT),
        "router:external": FALSE,
        "is_default": BOOL,
        "availability_zone_hints": many(TEXT),
        "availability_zones": many(TEXT),
        "ipv4_address_scope": NOTHING,
        "ipv6_address_scope": NOTHING,
        "l2_adjacency": BOOL,
    }
)
SUBNET = thing(
    {
        "id": ID,
        "name": TEXT,
        **_PROJECT,
        **_STANDARD,
        "network_id": ID,
        "ip_version": one_of(4, 6),
        "cidr": TEXT,
        "gateway_ip": maybe(TEXT),
        "allocation_pools": many(thing({"start": TEXT, "end": TEXT})),
        "dns_nameservers": many(TEXT),
        "host_routes": many(thing({"destination": TEXT, "nexthop": TEXT})),
        "enable_dhcp": BOOL,
        "ipv6_address_mode": maybe(TEXT),
        "ipv6_ra_mode": maybe(TEXT),
        "subnetpool_id": NOTHING,
        "segment_id": NOTHING,
        "service_types": many(TEXT),
    }
)
_VIF_DETAILS = thing(
    {},
    {
        "port_filter": BOOL,
        "vlan": TEXT,
        "connectivity": TEXT,
        "bound_drivers": mapping(TEXT),
        "bridge_name": TEXT,
        "profileid": TEXT,
        "managerid": TEXT,
        "typeid": TEXT,
        "typeidversion": TEXT,
        "instanceid": TEXT,
        "physical_network": TEXT,
    },
)
_PROFILE = thing(
    {},
    {
        "pci_slot": TEXT,
        "pci_vendor_info": TEXT,
        "physical_network": TEXT,
        "card_serial_number": TEXT,
        "pf_mac_address": TEXT,
        "guid": TEXT,
        "vf_num": either(TEXT, INT),
        "trusted": either(TEXT, BOOL),
        "vlan_priority": either(TEXT, INT),
    },
)
_GUID: Schema = {"type": "string", "pattern": "^([0-9a-f]{2}:){7}[0-9a-f]{2}$"}
_VIF_TYPES = one_of(
    "unbound",
    "binding_failed",
    "hw_veb",
    "802.1qbh",
    "802.1qbg",
    "hostdev",
    "bridge",
    "macvtap",
    "hostdev_physical",
    "ib_hostdev",
)
_VNIC_TYPES = one_of("normal", "direct", "macvtap", "direct-physical")
PORT = thing(
    {
        "id": ID,
        "name": TEXT,
        **_PROJECT,
        **_STANDARD,
        "network_id": ID,
        "extra_dhcp_opts": many(thing({"opt_name": TEXT, "opt_value": TEXT, "ip_version": one_of(4, 6)})),
        "mac_address": {"type": "string", "pattern": "^([0-9a-f]{2}:){5}[0-9a-f]{2}$"},
        "fixed_ips": many(thing({"subnet_id": ID, "ip_address": TEXT})),
        "admin_state_up": BOOL,
        "status": one_of("ACTIVE", "DOWN", "BUILD", "ERROR"),
        "device_id": TEXT,
        "device_owner": TEXT,
        "binding:vnic_type": _VNIC_TYPES,
        "binding:host_id": TEXT,
        "binding:vif_type": _VIF_TYPES,
        "binding:vif_details": _VIF_DETAILS,
        "binding:profile": _PROFILE,
        "port_security_enabled": BOOL,
        "security_groups": many(TEXT),
        "allowed_address_pairs": many(thing({"ip_address": TEXT, "mac_address": TEXT})),
        "qos_policy_id": maybe(ID),
        "qos_network_policy_id": maybe(ID),
        "port_profile_id": maybe(ID),
        "network_port_profile_id": maybe(ID),
        "resource_request": NOTHING,
        "ip_allocation": one_of("immediate", "deferred", "none"),
        "propagate_uplink_status": BOOL,
        "trusted": maybe(BOOL),
        "numa_affinity_policy": maybe(one_of("required", "preferred", "legacy", "socket")),
        "guid": maybe(_GUID),
    },
)
_LIMIT = {"id": ID, "max_kbps": INT, "max_burst_kbps": INT, "direction": one_of("egress", "ingress")}
_MINIMUM = {"id": ID, "min_kbps": INT, "direction": one_of("egress", "ingress")}
_IN_POLICY: dict[str, Schema] = {"type": TEXT, "qos_policy_id": ID}
POLICY = thing(
    {
        "id": ID,
        "name": TEXT,
        **_PROJECT,
        **_STANDARD,
        "shared": BOOL,
        "is_default": BOOL,
        "rules": many(either(thing({**_LIMIT, **_IN_POLICY}), thing({**_MINIMUM, **_IN_POLICY}))),
    }
)
_OF_PROFILE: dict[str, Schema] = {
    "id": ID,
    "name": TEXT,
    **_PROJECT,
    **{name: shape for name, shape in _STANDARD.items() if name != "tags"},
    "shared": BOOL,
}
PORT_PROFILE = either(
    thing({**_OF_PROFILE, "kind": one_of("802.1Qbh"), "profile_id": TEXT}),
    thing(
        {
            **_OF_PROFILE,
            "kind": one_of("802.1Qbg"),
            "manager_id": INT,
            "type_id": INT,
            "type_id_version": INT,
            "instance_id": maybe(ID),
        }
    ),
    thing(
        {
            **_OF_PROFILE,
            "kind": one_of("ethernet"),
            "vlan_priority": maybe(INT),
            "vlan_protocol": maybe(one_of("802.1Q", "802.1ad")),
            "allowed_vlans": maybe(many(TEXT)),
            "trust": maybe(BOOL),
            "spoof_check": maybe(BOOL),
            "link_state": maybe(one_of("auto", "enable", "disable")),
            "mtu": maybe(INT),
            "min_rate_mbps": maybe(INT),
            "max_rate_mbps": maybe(INT),
        }
    ),
    thing(
        {
            **_OF_PROFILE,
            "kind": one_of("infiniband"),
            "partition_key": INT,
            "membership": one_of("limited", "full"),
        }
    ),
)
RBAC_POLICY = thing(
    {
        "id": ID,
        **_PROJECT,
        "object_type": one_of("network", "qos_policy", "port_profile"),
        "object_id": ID,
        "target_tenant": TEXT,
        "action": one_of("access_as_shared"),
    }
)
AGENT = thing(
    {
        "id": ID,
        "agent_type": TEXT,
        "binary": TEXT,
        "topic": TEXT,
        "host": TEXT,
        "admin_state_up": BOOL,
        "alive": BOOL,
        "availability_zone": maybe(TEXT),
        "description": TEXT,
        "configurations": thing({"device_mappings": mapping(many(TEXT)), "agent_version": TEXT}),
        "resources_synced": NOTHING,
        "created_at": TIME,
        "started_at": TIME,
        "heartbeat_timestamp": TIME,
    }
)
_FREE = {"total_ips": {"type": "integer", "minimum": 0}, "used_ips": {"type": "integer", "minimum": 0}}
AVAILABILITY = thing(
    {
        "network_id": ID,
        "network_name": TEXT,
        **_PROJECT,
        **_FREE,
        "subnet_ip_availability": many(
            thing({"subnet_id": ID, "subnet_name": TEXT, "cidr": TEXT, "ip_version": one_of(4, 6), **_FREE})
        ),
    }
)
BINDING = thing(
    {
        "host": TEXT,
        "vif_type": _VIF_TYPES,
        "vif_details": _VIF_DETAILS,
        "vnic_type": _VNIC_TYPES,
        "profile": _PROFILE,
        "status": one_of("ACTIVE", "INACTIVE"),
    }
)
_QUOTAS = ("network", "subnet", "port", "rbac_policy")
_QUOTA = dict.fromkeys(_QUOTAS, INT)
_EXTENSION = thing({"alias": TEXT, "name": TEXT, "description": TEXT, "updated": TEXT, "links": many(TEXT)})
_TAGS = wrapped("tags", many(TEXT))
_TYPE = one_of("bandwidth_limit", "minimum_bandwidth")
_PARAMETER = thing(
    {"parameter_name": TEXT, "parameter_type": TEXT, "parameter_values": either(many(TEXT), mapping(INT))}
)

ERROR = wrapped("NeutronError", thing({"type": TEXT, "message": TEXT, "detail": TEXT}))

HIDDEN = frozenset(
    {
        "provider:network_type",
        "provider:physical_network",
        "provider:segmentation_id",
        "binding:host_id",
        "binding:profile",
        "binding:vif_type",
        "binding:vif_details",
        "trusted",
        "resource_request",
    }
)
"""What only the operator is shown."""


def _of(singular: str, plural: str, shape: Schema, path: str) -> dict[str, Schema]:
    """The five requests of a noun."""
    one = wrapped(singular, shape)
    several = thing({plural: many(shape)}, {f"{plural}_links": _LINKS})
    return {
        f"GET {path}": several,
        f"POST {path}": either(one, thing({plural: many(shape)})),
        f"GET {path}/{{}}": one,
        f"PUT {path}/{{}}": one,
        f"DELETE {path}/{{}}": EMPTY,
    }


def _tags(path: str) -> dict[str, Schema]:
    path = f"/v2.0/{path}/{{}}/tags"
    whole = {f"{method} {path}": _TAGS for method in ("GET", "POST", "PUT")}
    alone = {f"{method} {path}/{{}}": EMPTY for method in ("GET", "PUT", "DELETE")}
    return {**whole, f"DELETE {path}": EMPTY, **alone}


def _rules(kind: str, shape: Schema) -> dict[str, Schema]:
    below = _of(kind, f"{kind}s", shape, f"/v2.0/qos/policies/{{}}/{kind}s")
    alone = f"/v2.0/qos/alias-{kind.replace('_', '-')}s/{{}}"
    one = wrapped(kind, shape)
    return {**below, f"GET {alone}": one, f"PUT {alone}": one, f"DELETE {alone}": EMPTY}


ANSWERS: dict[str, Schema] = {
    "GET /": wrapped(
        "versions",
        many(thing({"id": TEXT, "status": TEXT, "links": many(thing({"rel": TEXT, "href": URL}))})),
    ),
    "GET /v2.0": wrapped(
        "resources",
        many(thing({"name": TEXT, "collection": TEXT, "links": many(thing({"rel": TEXT, "href": URL}))})),
    ),
    **_of("network", "networks", NETWORK, "/v2.0/networks"),
    **_of("subnet", "subnets", SUBNET, "/v2.0/subnets"),
    **_of("port", "ports", PORT, "/v2.0/ports"),
    **_of("policy", "policies", POLICY, "/v2.0/qos/policies"),
    **_of("port_profile", "port_profiles", PORT_PROFILE, "/v2.0/port-profiles"),
    **_of("rbac_policy", "rbac_policies", RBAC_POLICY, "/v2.0/rbac-policies"),
    **_of("agent", "agents", AGENT, "/v2.0/agents"),
    **_of("binding", "bindings", BINDING, "/v2.0/ports/{}/bindings"),
    **_of(
        "network_ip_availability",
        "network_ip_availabilities",
        AVAILABILITY,
        "/v2.0/network-ip-availabilities",
    ),
    "PUT /v2.0/ports/{}/bindings/{}/activate": wrapped("binding", BINDING),
    **_rules("bandwidth_limit_rule", thing(_LIMIT)),
    **_rules("minimum_bandwidth_rule", thing(_MINIMUM)),
    "GET /v2.0/qos/rule-types": wrapped("rule_types", many(wrapped("type", _TYPE))),
    "GET /v2.0/qos/rule-types/{}": wrapped(
        "rule_type",
        thing(
            {"type": _TYPE, "drivers": many(thing({"name": TEXT, "supported_parameters": many(_PARAMETER)}))}
        ),
    ),
    "GET /v2.0/availability_zones": wrapped(
        "availability_zones",
        many(thing({"name": TEXT, "resource": one_of("network"), "state": one_of("available")})),
    ),
    "GET /v2.0/extensions": wrapped("extensions", many(_EXTENSION)),
    "GET /v2.0/extensions/{}": wrapped("extension", _EXTENSION),
    "GET /v2.0/quotas": wrapped("quotas", many(thing({**_QUOTA, "project_id": HEX, "tenant_id": HEX}))),
    "GET /v2.0/quotas/{}": wrapped("quota", thing(_QUOTA)),
    "PUT /v2.0/quotas/{}": wrapped("quota", thing(_QUOTA)),
    "DELETE /v2.0/quotas/{}": EMPTY,
    "GET /v2.0/quotas/{}/default": wrapped("quota", thing(_QUOTA)),
    "GET /v2.0/quotas/{}/details": wrapped(
        "quota", thing({name: thing({"limit": INT, "used": INT, "reserved": INT}) for name in _QUOTAS})
    ),
    **{
        key: shape
        for path in ("networks", "subnets", "ports", "policies", "qos/policies")
        for key, shape in _tags(path).items()
    },
}
