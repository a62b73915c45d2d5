"""Roles, and who has them where, over HTTP."""

from starlette.responses import Response

from fairlead.api.answers import document, empty
from fairlead.api.call import Call
from fairlead.api.identity.documents import Json, listed, role_id, role_shown
from fairlead.api.login.kept import DOMAIN_ID
from fairlead.control import accounts
from fairlead.control.boundary import Tx
from fairlead.model.errors import NotFound
from fairlead.model.identity import Assignment, Role
from fairlead.model.ids import ProjectId, UserId


def index(call: Call) -> Response:
    """GET /roles?name=: those that rules know; there are no others."""
    name = call.first("name")
    found = [role_shown(role) for role in Role if name in (None, role.value)]
    return document(listed(call, "roles", found))


def show(call: Call, key: str) -> Response:
    """GET /roles/{id}."""
    return document({"role": role_shown(_role(key))})


def assignments(call: Call) -> Response:
    """GET /role_assignments?user.id=&scope.project.id=&role.id=, with `include_names`."""
    asked = {"user_id": call.first("user.id"), "project_id": call.first("scope.project.id")}
    where: dict[str, object] = {name: value for name, value in asked.items() if value is not None}
    if (role := call.first("role.id")) is not None:
        where["role"] = _role(role)
    is_named = call.first("include_names") is not None and call.first("include_names") not in ("0", "false")

    def work(tx: Tx) -> list[Json]:
        return [_assigned(call, tx, found, is_named=is_named) for found in tx.assignments.find(**where)]

    return document(listed(call, "role_assignments", call.run(work)))


def of_user(call: Call, project_id: str, user_id: str) -> Response:
    """GET /projects/{p}/users/{u}/roles."""
    held = call.run(lambda tx: accounts.roles_of(tx, UserId(user_id), ProjectId(project_id)))
    return document(listed(call, "roles", [role_shown(role) for role in Role if role in held]))


def check(call: Call, project_id: str, user_id: str, key: str) -> Response:
    """HEAD and GET /projects/{p}/users/{u}/roles/{r}: 204 where that is so."""
    role = _role(key)
    if role not in call.run(lambda tx: accounts.roles_of(tx, UserId(user_id), ProjectId(project_id))):
        raise NotFound("role assignment", f"{user_id}/{project_id}/{role.value}")
    return empty()


def grant(call: Call, project_id: str, user_id: str, key: str) -> Response:
    """PUT /projects/{p}/users/{u}/roles/{r}."""
    call.run(lambda tx: accounts.assign(tx, UserId(user_id), ProjectId(project_id), _role(key)))
    return empty()


def revoke(call: Call, project_id: str, user_id: str, key: str) -> Response:
    """DELETE /projects/{p}/users/{u}/roles/{r}."""
    call.run(lambda tx: accounts.unassign(tx, UserId(user_id), ProjectId(project_id), _role(key)))
    return empty()


def _role(key: str) -> Role:
    found = next((role for role in Role if key == role_id(role)), None)
    if found is None:
        raise NotFound("role", key)
    return found


def _assigned(call: Call, tx: Tx, found: Assignment, *, is_named: bool) -> Json:
    role: Json = {"id": role_id(found.role)}
    user: Json = {"id": found.user_id}
    project: Json = {"id": found.project_id}
    if is_named:
        domain = {"id": DOMAIN_ID, "name": "Default"}
        role["name"] = found.role.value
        user |= {"name": tx.users.fetch(found.user_id).name, "domain": domain}
        project |= {"name": tx.projects.fetch(found.project_id).name, "domain": domain}
    path = f"/identity/v3/projects/{found.project_id}/users/{found.user_id}/roles/{role['id']}"
    links = {"assignment": call.url(path)}
    return {"role": role, "user": user, "scope": {"project": project}, "links": links}
