"""The Keystone dialect on one screen."""

from fairlead.api import problems
from fairlead.api.face import Face
from fairlead.api.identity import tokens
from fairlead.api.routes import Route, Table


def face() -> Face:
    """Everything below /identity."""
    return Face("/identity", Table(*_ROUTES), problems.keystone)


_ROUTES = (
    Route("GET", "/", tokens.versions, "identity:get_version"),
    Route("GET", "/v3", tokens.version, "identity:get_version"),
    Route("POST", "/v3/auth/tokens", tokens.issue, "identity:issue_token"),
    Route("GET", "/v3/auth/tokens", tokens.show, "identity:validate_token"),
    Route("DELETE", "/v3/auth/tokens", tokens.revoke, "identity:revoke_token"),
    Route("GET", "/v3/auth/catalog", tokens.catalog, "identity:get_auth_catalog"),
    Route("GET", "/v3/auth/projects", tokens.projects, "identity:get_auth_projects"),
    Route("GET", "/v3/projects", tokens.projects, "identity:list_projects"),
    Route("GET", "/v3/projects/{}", tokens.project, "identity:get_project"),
)
