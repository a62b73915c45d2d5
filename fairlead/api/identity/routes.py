"""The Keystone dialect on one screen."""

from dataclasses import replace

from starlette.responses import Response

from fairlead.api import problems
from fairlead.api.face import Face
from fairlead.api.identity import catalog, projects, roles, tokens, users
from fairlead.api.problems import Problem
from fairlead.api.routes import JSON, Live, Route, Table
from fairlead.control.subjects import PROJECT_OF_USERS, USER


def face() -> Face:
    """Everything below /identity."""
    return Face(_PREFIX, Table(*_ROUTES), problems.keystone)


def face_elsewhere() -> Face:
    """The same where a Keystone has the users: nothing is there, and it says why."""
    return Face(_PREFIX, Table(), _elsewhere)


def _elsewhere(problem: Problem) -> Response:
    message = "Users, projects, roles and tokens are Keystone's here: ask Keystone about them."
    return problems.keystone(replace(problem, message=message) if problem.code == "no_such_path" else problem)


_PREFIX = "/identity"


_JSON = (JSON,)
_CREDENTIALS = "/v3/users/{}/application_credentials"
_GRANT = "/v3/projects/{}/users/{}/roles"

_ROUTES = (
    Route("GET", "/", catalog.versions, "identity:get_version", is_open=True),
    Route("GET", "/v3", catalog.version, "identity:get_version", is_open=True),
    Live(
        "POST",
        "/v3/auth/tokens",
        tokens.issue,
        "identity:issue_token",
        media_types=_JSON,
        is_open=True,
    ),
    Live("GET", "/v3/auth/tokens", tokens.show, "identity:show_token"),
    Live("DELETE", "/v3/auth/tokens", tokens.revoke, "identity:revoke_token"),
    Route("GET", "/v3/auth/catalog", catalog.catalog, "identity:get_auth_catalog"),
    Route("GET", "/v3/auth/projects", projects.own, "identity:get_auth_projects"),
    Route("GET", "/v3/domains", projects.domains, "identity:get_domain"),
    Route("GET", "/v3/domains/{}", projects.domain, "identity:get_domain"),
    Route("GET", "/v3/projects", projects.index, "identity:list_projects"),
    Route("POST", "/v3/projects", projects.create, "identity:create_project"),
    Route("GET", "/v3/projects/{}", projects.show, "identity:get_project", PROJECT_OF_USERS),
    Route("PATCH", "/v3/projects/{}", projects.update, "identity:update_project", PROJECT_OF_USERS),
    Route("DELETE", "/v3/projects/{}", projects.delete, "identity:delete_project", PROJECT_OF_USERS),
    Route("GET", "/v3/users", users.index, "identity:list_users"),
    Live("POST", "/v3/users", users.create, "identity:create_user", media_types=_JSON),
    Route("GET", "/v3/users/{}", users.show, "identity:get_user", USER),
    Live("PATCH", "/v3/users/{}", users.update, "identity:update_user", USER, media_types=_JSON),
    Route("DELETE", "/v3/users/{}", users.delete, "identity:delete_user", USER),
    Live(
        "POST",
        "/v3/users/{}/password",
        users.change_password,
        "identity:change_password",
        USER,
        media_types=_JSON,
    ),
    Route("GET", "/v3/users/{}/projects", projects.of_user, "identity:list_user_projects", USER),
    Route("GET", _CREDENTIALS, users.credentials, "identity:list_application_credentials", USER),
    Route("POST", _CREDENTIALS, users.create_credential, "identity:create_application_credential", USER),
    Route("GET", f"{_CREDENTIALS}/{{}}", users.credential, "identity:get_application_credential", USER),
    Route(
        "DELETE",
        f"{_CREDENTIALS}/{{}}",
        users.delete_credential,
        "identity:delete_application_credential",
        USER,
    ),
    Route("GET", "/v3/roles", roles.index, "identity:list_roles"),
    Route("GET", "/v3/roles/{}", roles.show, "identity:get_role"),
    Route("GET", "/v3/role_assignments", roles.assignments, "identity:list_role_assignments"),
    Route("GET", _GRANT, roles.of_user, "identity:list_grants"),
    Route("GET", f"{_GRANT}/{{}}", roles.check, "identity:check_grant"),
    Route("PUT", f"{_GRANT}/{{}}", roles.grant, "identity:create_grant"),
    Route("DELETE", f"{_GRANT}/{{}}", roles.revoke, "identity:revoke_grant"),
)
