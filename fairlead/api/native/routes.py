"""Fairlead's own API on one screen."""

from functools import cache
from typing import Annotated

from starlette.responses import Response

from fairlead.api.call import Call
from fairlead.api.face import Face
from fairlead.api.native import (
    agents,
    aliases,
    audit_trail,
    auditing,
    devices,
    events,
    explaining,
    fabrics,
    health,
    hosts,
    offered_profiles,
    policies,
    questions,
    vnics,
)
from fairlead.api.native.endpoint import Endpoint, Who
from fairlead.api.native.openapi import described, formatted
from fairlead.api.native.signature import Octets
from fairlead.api.problems import native
from fairlead.api.routes import JSON, Table


def face() -> Face:
    """Everything below /v1."""
    return Face("/v1", Table(*(endpoint.route() for endpoint in ENDPOINTS)), native)


@cache
def openapi() -> bytes:
    """The OpenAPI document of all of it, as docs/reference/openapi.json has it."""
    return formatted(described(ENDPOINTS))


def show_openapi(call: Call) -> Annotated[Response, Octets(JSON)]:
    """This document."""
    return Response(openapi(), media_type=JSON)


ENDPOINTS = (
    Endpoint("GET", "/health", health.show, "v1:health", "show_health"),
    Endpoint("GET", "/openapi.json", show_openapi, "v1:openapi", "show_openapi"),
    Endpoint("GET", "/hosts", hosts.list_hosts, "v1:hosts:read", "list_hosts"),
    Endpoint("POST", "/hosts", hosts.create, "v1:hosts:write", "create_host", status=201),
    Endpoint("GET", "/hosts/{host}", hosts.show, "v1:hosts:read", "show_host"),
    Endpoint("PATCH", "/hosts/{host}", hosts.update, "v1:hosts:write", "update_host"),
    Endpoint("DELETE", "/hosts/{host}", hosts.delete, "v1:hosts:write", "delete_host"),
    Endpoint("POST", "/hosts/{host}/token", hosts.renew_token, "v1:hosts:write", "renew_token", status=201),
    Endpoint(
        "DELETE", "/hosts/{host}/guests/{server_id}", hosts.remove_guest, "v1:hosts:write", "remove_guest"
    ),
    Endpoint("GET", "/devices", devices.list_devices, "v1:devices:read", "list_devices"),
    Endpoint("GET", "/devices/{device_id}", devices.show, "v1:devices:read", "show_device"),
    Endpoint("DELETE", "/devices/{device_id}", devices.forget, "v1:devices:write", "forget_device"),
    Endpoint("GET", "/vnics", vnics.list_vnics, "v1:vnics:read", "list_vnics"),
    Endpoint("GET", "/vnics/{port_id}", vnics.show, "v1:vnics:read", "show_vnic"),
    Endpoint("GET", "/policies", policies.list_policies, "v1:policies:read", "list_policies"),
    Endpoint("POST", "/policies", policies.create, "v1:policies:write", "create_policy", status=201),
    Endpoint("POST", "/policies/try", policies.try_out, "v1:policies:read", "try_policy"),
    Endpoint("GET", "/policies/{policy}", policies.show, "v1:policies:read", "show_policy"),
    Endpoint("PATCH", "/policies/{policy}", policies.update, "v1:policies:write", "update_policy"),
    Endpoint("DELETE", "/policies/{policy}", policies.delete, "v1:policies:write", "delete_policy"),
    Endpoint("GET", "/aliases", aliases.list_aliases, "v1:aliases:read", "list_aliases"),
    Endpoint("POST", "/aliases", aliases.create, "v1:aliases:write", "create_alias", status=201),
    Endpoint("GET", "/aliases/{alias}", aliases.show, "v1:aliases:read", "show_alias"),
    Endpoint("PATCH", "/aliases/{alias}", aliases.update, "v1:aliases:write", "update_alias"),
    Endpoint("DELETE", "/aliases/{alias}", aliases.delete, "v1:aliases:write", "delete_alias"),
    Endpoint("GET", "/fabrics", fabrics.list_fabrics, "v1:fabrics:read", "list_fabrics"),
    Endpoint("GET", "/fabrics/{physical_network}", fabrics.show, "v1:fabrics:read", "show_fabric"),
    Endpoint("DELETE", "/fabrics/{physical_network}", fabrics.forget, "v1:fabrics:write", "forget_fabric"),
    Endpoint(
        "GET",
        "/offered-port-profiles",
        offered_profiles.list_offered,
        "v1:offered-port-profiles:read",
        "list_offered_port_profiles",
    ),
    Endpoint("POST", "/explain", explaining.explain_boot, "v1:servers:read", "explain_boot"),
    Endpoint(
        "GET", "/servers/{server_id}/explain", explaining.explain_server, "v1:servers:read", "explain_server"
    ),
    Endpoint("GET", "/servers/{server_id}/domain", questions.show_domain, "v1:servers:read", "show_domain"),
    Endpoint(
        "GET", "/servers/{server_id}/console", questions.show_console, "v1:servers:read", "show_console"
    ),
    Endpoint("GET", "/events", events.list_events, "v1:events:read", "list_events"),
    Endpoint("GET", "/audit", auditing.audit, "v1:audit:read", "show_audit"),
    Endpoint("GET", "/audit-trail", audit_trail.list_records, "v1:audit-trail:read", "list_audit_records"),
    Endpoint("GET", "/agents", agents.list_agents, "v1:agents:read", "list_agents"),
    Endpoint("POST", "/agents/enrol", agents.enrol, "v1:agent", "enrol", Who.NEWCOMER),
    Endpoint("GET", "/agents/{host_id}/assignment", agents.assign, "v1:agent", "assign", Who.AGENT),
    Endpoint("PUT", "/agents/{host_id}/report", agents.report, "v1:agent", "report", Who.AGENT),
    Endpoint("PUT", "/agents/{host_id}/heartbeat", agents.heartbeat, "v1:agent", "heartbeat", Who.AGENT),
    Endpoint(
        "PUT", "/agents/{host_id}/answers/{question_id}", agents.answer, "v1:agent", "answer", Who.AGENT
    ),
    Endpoint(
        "GET", "/agents/{host_id}/images/{image_id}", agents.send_image, "v1:agent", "send_image", Who.AGENT
    ),
)
