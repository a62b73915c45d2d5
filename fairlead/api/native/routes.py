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
        Route("GET", "/health", health.show),
        Route("GET", "/hosts", hosts.list_hosts),
        Route("POST", "/hosts", hosts.create),
        Route("GET", "/hosts/{}", hosts.show),
        Route("PATCH", "/hosts/{}", hosts.update),
        Route("DELETE", "/hosts/{}", hosts.delete),
        Route("POST", "/hosts/{}/token", hosts.renew_token),
        Route("DELETE", "/hosts/{}/guests/{}", hosts.remove_guest),
        Route("GET", "/devices", devices.list_devices),
        Route("GET", "/devices/{}", devices.show),
        Route("DELETE", "/devices/{}", devices.forget),
        Route("GET", "/policies", policies.list_policies),
        Route("POST", "/policies", policies.create),
        Route("POST", "/policies/try", policies.try_out),
        Route("GET", "/policies/{}", policies.show),
        Route("PATCH", "/policies/{}", policies.update),
        Route("DELETE", "/policies/{}", policies.delete),
        Route("GET", "/aliases", aliases.list_aliases),
        Route("POST", "/aliases", aliases.create),
        Route("GET", "/aliases/{}", aliases.show),
        Route("PATCH", "/aliases/{}", aliases.update),
        Route("DELETE", "/aliases/{}", aliases.delete),
        Route("POST", "/explain", explaining.explain_boot),
        Route("GET", "/servers/{}/explain", explaining.explain_server),
        Live("GET", "/servers/{}/domain", questions.show_domain),
        Live("GET", "/servers/{}/console", questions.show_console),
        Live("GET", "/events", events.list_events),
        Route("GET", "/audit", auditing.audit),
        Route("GET", "/agents", agents.list_agents),
        Route("POST", "/agents/enrol", agents.enrol, is_for_agents=True),
        Live("GET", "/agents/{}/assignment", agents.assign, is_for_agents=True),
        Route("PUT", "/agents/{}/report", agents.report, body_limit=agents.REPORT_LIMIT, is_for_agents=True),
        Route("PUT", "/agents/{}/heartbeat", agents.heartbeat, is_for_agents=True),
        Route(
            "PUT", "/agents/{}/answers/{}", agents.answer, body_limit=agents.REPORT_LIMIT, is_for_agents=True
        ),
        Live("GET", "/agents/{}/images/{}", agents.send_image, is_for_agents=True),
    )
