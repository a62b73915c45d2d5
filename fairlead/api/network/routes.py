"""The Neutron dialect on one screen."""

from fairlead.api import problems
from fairlead.api.face import Face
from fairlead.api.network import agents, networks, ports, qos, qos_rules, root, subnets, tags
from fairlead.api.routes import Route, Table


def face() -> Face:
    """Everything below /network."""
    return Face("/network", Table(*_ROUTES, *qos_rules.routes(), *tags.routes()), problems.neutron)


_ROUTES = (
    Route("GET", "/", root.versions),
    Route("GET", "/v2.0", root.resources),
    Route("GET", "/v2.0/networks", networks.index),
    Route("POST", "/v2.0/networks", networks.create),
    Route("GET", "/v2.0/networks/{}", networks.show),
    Route("PUT", "/v2.0/networks/{}", networks.update),
    Route("DELETE", "/v2.0/networks/{}", networks.delete),
    Route("GET", "/v2.0/subnets", subnets.index),
    Route("POST", "/v2.0/subnets", subnets.create),
    Route("GET", "/v2.0/subnets/{}", subnets.show),
    Route("PUT", "/v2.0/subnets/{}", subnets.update),
    Route("DELETE", "/v2.0/subnets/{}", subnets.delete),
    Route("GET", "/v2.0/ports", ports.index),
    Route("POST", "/v2.0/ports", ports.create),
    Route("GET", "/v2.0/ports/{}", ports.show),
    Route("PUT", "/v2.0/ports/{}", ports.update),
    Route("DELETE", "/v2.0/ports/{}", ports.delete),
    Route("GET", "/v2.0/qos/policies", qos.index),
    Route("POST", "/v2.0/qos/policies", qos.create),
    Route("GET", "/v2.0/qos/policies/{}", qos.show),
    Route("PUT", "/v2.0/qos/policies/{}", qos.update),
    Route("DELETE", "/v2.0/qos/policies/{}", qos.delete),
    Route("GET", "/v2.0/qos/rule-types", qos_rules.rule_types),
    Route("GET", "/v2.0/qos/rule-types/{}", qos_rules.rule_type),
    Route("GET", "/v2.0/agents", agents.index),
    Route("GET", "/v2.0/agents/{}", agents.show),
    Route("GET", "/v2.0/availability_zones", root.zones),
    Route("GET", "/v2.0/extensions", root.extensions),
    Route("GET", "/v2.0/extensions/{}", root.extension),
    Route("GET", "/v2.0/quotas", root.quotas),
    Route("GET", "/v2.0/quotas/{}", root.quota),
    Route("GET", "/v2.0/quotas/{}/default", root.quota),
    Route("GET", "/v2.0/quotas/{}/details", root.quota_details),
)
