"""Fairlead's own API on one screen."""

from functools import cache
from typing import Annotated

from starlette.responses import Response

from fairlead.api.call import Call
from fairlead.api.face import Face
from fairlead.api.native import (
    agents,
    aliases,
    auditing,
    devices,
    events,
    explaining,
    health,
    hosts,
    policies,
    questions,
)
from fairlead.api.native.openapi import described, formatted
from fairlead.api.native.operation import Operation, Who
from fairlead.api.native.signature import Octets
from fairlead.api.problems import native
from fairlead.api.routes import JSON, Table


def face() -> Face:
    """Everything below /v1."""
    return Face("/v1", Table(*(operation.route() for operation in OPERATIONS)), native)


@cache
def openapi() -> bytes:
    """The OpenAPI document of all of it, as docs/reference/openapi.json has it."""
    return formatted(described(OPERATIONS))


def show_openapi(call: Call) -> Annotated[Response, Octets(JSON)]:
    """This document."""
    return Response(openapi(), media_type=JSON)


OPERATIONS = (
    Operation("GET", "/health", health.show, "v1:health", "show_health"),
    Operation("GET", "/openapi.json", show_openapi, "v1:openapi", "show_openapi"),
    Operation("GET", "/hosts", hosts.list_hosts, "v1:hosts:read", "list_hosts"),
    Operation("POST", "/hosts", hosts.create, "v1:hosts:write", "create_host", status=201),
    Operation("GET", "/hosts/{host}", hosts.show, "v1:hosts:read", "show_host"),
    Operation("PATCH", "/hosts/{host}", hosts.update, "v1:hosts:write", "update_host"),
    Operation("DELETE", "/hosts/{host}", hosts.delete, "v1:hosts:write", "delete_host"),
    Operation("POST", "/hosts/{host}/token", hosts.renew_token, "v1:hosts:write", "renew_token", status=201),
    Operation(
        "DELETE", "/hosts/{host}/guests/{server_id}", hosts.remove_guest, "v1:hosts:write", "remove_guest"
    ),
    Operation("GET", "/devices", devices.list_devices, "v1:devices:read", "list_devices"),
    Operation("GET", "/devices/{device_id}", devices.show, "v1:devices:read", "show_device"),
    Operation("DELETE", "/devices/{device_id}", devices.forget, "v1:devices:write", "forget_device"),
    Operation("GET", "/policies", policies.list_policies, "v1:policies:read", "list_policies"),
    Operation("POST", "/policies", policies.create, "v1:policies:write", "create_policy", status=201),
    Operation("POST", "/policies/try", policies.try_out, "v1:policies:read", "try_policy"),
    Operation("GET", "/policies/{policy}", policies.show, "v1:policies:read", "show_policy"),
    Operation("PATCH", "/policies/{policy}", policies.update, "v1:policies:write", "update_policy"),
    Operation("DELETE", "/policies/{policy}", policies.delete, "v1:policies:write", "delete_policy"),
    Operation("GET", "/aliases", aliases.list_aliases, "v1:aliases:read", "list_aliases"),
    Operation("POST", "/aliases", aliases.create, "v1:aliases:write", "create_alias", status=201),
    Operation("GET", "/aliases/{alias}", aliases.show, "v1:aliases:read", "show_alias"),
    Operation("PATCH", "/aliases/{alias}", aliases.update, "v1:aliases:write", "update_alias"),
    Operation("DELETE", "/aliases/{alias}", aliases.delete, "v1:aliases:write", "delete_alias"),
    Operation("POST", "/explain", explaining.explain_boot, "v1:servers:read", "explain_boot"),
    Operation(
        "GET", "/servers/{server_id}/explain", explaining.explain_server, "v1:servers:read", "explain_server"
    ),
    Operation("GET", "/servers/{server_id}/domain", questions.show_domain, "v1:servers:read", "show_domain"),
    Operation(
        "GET", "/servers/{server_id}/console", questions.show_console, "v1:servers:read", "show_console"
    ),
    Operation("GET", "/events", events.list_events, "v1:events:read", "list_events"),
    Operation("GET", "/audit", auditing.audit, "v1:audit:read", "show_audit"),
    Operation("GET", "/agents", agents.list_agents, "v1:agents:read", "list_agents"),
    Operation("POST", "/agents/enrol", agents.enrol, "v1:agent", "enrol", Who.NEWCOMER),
    Operation("GET", "/agents/{host_id}/assignment", agents.assign, "v1:agent", "assign", Who.AGENT),
    Operation("PUT", "/agents/{host_id}/report", agents.report, "v1:agent", "report", Who.AGENT),
    Operation("PUT", "/agents/{host_id}/heartbeat", agents.heartbeat, "v1:agent", "heartbeat", Who.AGENT),
    Operation(
        "PUT", "/agents/{host_id}/answers/{question_id}", agents.answer, "v1:agent", "answer", Who.AGENT
    ),
    Operation(
        "GET", "/agents/{host_id}/images/{image_id}", agents.send_image, "v1:agent", "send_image", Who.AGENT
    ),
)
