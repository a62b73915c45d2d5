"""Fairlead's own API on one screen."""

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
from fairlead.api.problems import native
from fairlead.api.routes import Live, Route, Table


def face() -> Face:
    """Everything below /v1."""
    return Face("/v1", _table(), native)


def _table() -> Table:
    return Table(
        Route("GET", "/health", health.show, "v1:health"),
        Route("GET", "/hosts", hosts.list_hosts, "v1:hosts:read"),
        Route("POST", "/hosts", hosts.create, "v1:hosts:write"),
        Route("GET", "/hosts/{}", hosts.show, "v1:hosts:read"),
        Route("PATCH", "/hosts/{}", hosts.update, "v1:hosts:write"),
        Route("DELETE", "/hosts/{}", hosts.delete, "v1:hosts:write"),
        Route("POST", "/hosts/{}/token", hosts.renew_token, "v1:hosts:write"),
        Route("DELETE", "/hosts/{}/guests/{}", hosts.remove_guest, "v1:hosts:write"),
        Route("GET", "/devices", devices.list_devices, "v1:devices:read"),
        Route("GET", "/devices/{}", devices.show, "v1:devices:read"),
        Route("DELETE", "/devices/{}", devices.forget, "v1:devices:write"),
        Route("GET", "/policies", policies.list_policies, "v1:policies:read"),
        Route("POST", "/policies", policies.create, "v1:policies:write"),
        Route("POST", "/policies/try", policies.try_out, "v1:policies:read"),
        Route("GET", "/policies/{}", policies.show, "v1:policies:read"),
        Route("PATCH", "/policies/{}", policies.update, "v1:policies:write"),
        Route("DELETE", "/policies/{}", policies.delete, "v1:policies:write"),
        Route("GET", "/aliases", aliases.list_aliases, "v1:aliases:read"),
        Route("POST", "/aliases", aliases.create, "v1:aliases:write"),
        Route("GET", "/aliases/{}", aliases.show, "v1:aliases:read"),
        Route("PATCH", "/aliases/{}", aliases.update, "v1:aliases:write"),
        Route("DELETE", "/aliases/{}", aliases.delete, "v1:aliases:write"),
        Route("POST", "/explain", explaining.explain_boot, "v1:servers:read"),
        Route("GET", "/servers/{}/explain", explaining.explain_server, "v1:servers:read"),
        Live("GET", "/servers/{}/domain", questions.show_domain, "v1:servers:read"),
        Live("GET", "/servers/{}/console", questions.show_console, "v1:servers:read"),
        Live("GET", "/events", events.list_events, "v1:events:read"),
        Route("GET", "/audit", auditing.audit, "v1:audit:read"),
        Route("GET", "/agents", agents.list_agents, "v1:agents:read"),
        Route("POST", "/agents/enrol", agents.enrol, "v1:agent", is_for_agents=True),
        Live("GET", "/agents/{}/assignment", agents.assign, "v1:agent", is_for_agents=True),
        Route(
            "PUT",
            "/agents/{}/report",
            agents.report,
            "v1:agent",
            body_limit=agents.REPORT_LIMIT,
            is_for_agents=True,
        ),
        Route("PUT", "/agents/{}/heartbeat", agents.heartbeat, "v1:agent", is_for_agents=True),
        Route(
            "PUT",
            "/agents/{}/answers/{}",
            agents.answer,
            "v1:agent",
            body_limit=agents.REPORT_LIMIT,
            is_for_agents=True,
        ),
        Live("GET", "/agents/{}/images/{}", agents.send_image, "v1:agent", is_for_agents=True),
    )
