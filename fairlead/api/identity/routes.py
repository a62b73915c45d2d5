"""The Keystone dialect on one screen."""

from fairlead.api import problems
from fairlead.api.face import Face
from fairlead.api.identity import tokens
from fairlead.api.routes import Route, Table


def face() -> Face:
    """Everything below /identity."""
    return Face("/identity", Table(*_ROUTES), problems.keystone)


_ROUTES = (
    Route("GET", "/", tokens.versions),
    Route("GET", "/v3", tokens.version),
    Route("POST", "/v3/auth/tokens", tokens.issue),
    Route("GET", "/v3/auth/tokens", tokens.show),
    Route("DELETE", "/v3/auth/tokens", tokens.revoke),
    Route("GET", "/v3/auth/catalog", tokens.catalog),
    Route("GET", "/v3/auth/projects", tokens.projects),
    Route("GET", "/v3/projects", tokens.projects),
    Route("GET", "/v3/projects/{}", tokens.project),
)
