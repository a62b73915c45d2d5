"""The Neutron dialect on one screen."""

from fairlead.api import problems
from fairlead.api.face import Face
from fairlead.api.network import agents, ip_availability, port_bindings, qos_rules, quotas, root, tags
from fairlead.api.network.networks import NETWORKS
from fairlead.api.network.port_profiles import PORT_PROFILES
from fairlead.api.network.ports import PORTS
from fairlead.api.network.qos import POLICIES
from fairlead.api.network.rbac_policies import RBAC_POLICIES
from fairlead.api.network.subnets import SUBNETS
from fairlead.api.routes import Route, Table
from fairlead.control.subjects import PROJECT


def face() -> Face:
    """Everything below /network."""
    return Face("/network", Table(*_ROUTES, *qos_rules.routes(), *tags.routes()), problems.neutron)


_ROUTES = (
    Route("GET", "/", root.versions, "get_version", is_open=True),
    Route("GET", "/v2.0", root.resources, "get_version"),
    *NETWORKS.routes("/v2.0/networks"),
    *SUBNETS.routes("/v2.0/subnets"),
    *PORTS.routes("/v2.0/ports"),
    *port_bindings.routes(),
    *POLICIES.routes("/v2.0/qos/policies"),
    *PORT_PROFILES.routes("/v2.0/port-profiles"),
    *RBAC_POLICIES.routes("/v2.0/rbac-policies"),
    Route("GET", "/v2.0/qos/rule-types", qos_rules.rule_types, "get_rule_type"),
    Route("GET", "/v2.0/qos/rule-types/{}", qos_rules.rule_type, "get_rule_type"),
    Route("GET", "/v2.0/agents", agents.index, "get_agent"),
    Route("GET", "/v2.0/agents/{}", agents.show, "get_agent"),
    Route("PUT", "/v2.0/agents/{}", agents.update, "update_agent"),
    Route("DELETE", "/v2.0/agents/{}", agents.delete, "delete_agent"),
    *ip_availability.routes(),
    Route("GET", "/v2.0/availability_zones", root.zones, "get_availability_zone"),
    Route("GET", "/v2.0/extensions", root.extensions, "get_extension"),
    Route("GET", "/v2.0/extensions/{}", root.extension, "get_extension"),
    Route("GET", "/v2.0/quotas", quotas.index, "update_quota"),
    Route("GET", "/v2.0/quotas/{}", quotas.show, "get_quota", PROJECT),
    Route("PUT", "/v2.0/quotas/{}", quotas.update, "update_quota", PROJECT),
    Route("DELETE", "/v2.0/quotas/{}", quotas.delete, "delete_quota", PROJECT),
    Route("GET", "/v2.0/quotas/{}/default", quotas.show_defaults, "get_quota", PROJECT),
    Route("GET", "/v2.0/quotas/{}/details", quotas.show_details, "get_quota", PROJECT),
)
