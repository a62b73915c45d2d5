"""The Neutron dialect on one screen."""

from fairlead.api import problems
from fairlead.api.face import Face
from fairlead.api.network import agents, qos_rules, root, tags
from fairlead.api.network.networks import NETWORKS
from fairlead.api.network.ports import PORTS
from fairlead.api.network.qos import POLICIES
from fairlead.api.network.subnets import SUBNETS
from fairlead.api.routes import Route, Table


def face() -> Face:
    """Everything below /network."""
    return Face("/network", Table(*_ROUTES, *qos_rules.routes(), *tags.routes()), problems.neutron)


_ROUTES = (
    Route("GET", "/", root.versions),
    Route("GET", "/v2.0", root.resources),
    *NETWORKS.routes("/v2.0/networks"),
    *SUBNETS.routes("/v2.0/subnets"),
    *PORTS.routes("/v2.0/ports"),
    *POLICIES.routes("/v2.0/qos/policies"),
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
