"""Projects and the one domain over HTTP."""

from msgspec import UNSET, Struct, UnsetType
from starlette.responses import Response

from fairlead.api import bodies
from fairlead.api.answers import document, empty
from fairlead.api.bodies import built
from fairlead.api.call import Call
from fairlead.api.identity.documents import domain_shown, listed, project_shown
from fairlead.api.login.kept import DOMAIN_ID
from fairlead.control import accounts
from fairlead.control.accounts import ProjectChanges
from fairlead.control.boundary import Tx
from fairlead.model.errors import InvalidValue, NotFound
from fairlead.model.identity import Project
from fairlead.model.ids import ProjectId, UserId


class ProjectForm(Struct, forbid_unknown_fields=True):
    """What POST takes."""

    name: str
    description: str = ""
    enabled: bool = True
    domain_id: str = DOMAIN_ID
    parent_id: str | None = None
    is_domain: bool = False
    tags: list[str] = []
    options: dict[str, object] = {}


class ProjectChangeForm(Struct, forbid_unknown_fields=True):
    """What PATCH takes."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class ProjectBody(Struct):
    """POST /projects."""

    project: ProjectForm


class ProjectChangeBody(Struct):
    """PATCH /projects/{id}."""

    project: ProjectChangeForm


def index(call: Call) -> Response:
    """GET /projects?name=: all of them for an operator, else the caller's own."""
    found = call.run(lambda tx: _seen(tx, call))
    return document(listed(call, "projects", [project_shown(call, project) for project in found]))


def own(call: Call) -> Response:
    """GET /auth/projects: those in which the caller is something."""
    return of_user(call, call.caller.user_id)


def of_user(call: Call, user_id: str) -> Response:
    """GET /users/{id}/projects: those in which the user is something."""

    def work(tx: Tx) -> list[Project]:
        found = accounts.projects_of(tx, UserId(user_id))
        return list(found) or (_of_caller(tx, call) if user_id == call.caller.user_id else [])

    return document(listed(call, "projects", [project_shown(call, p) for p in call.run(work)]))


def show(call: Call, project_id: str) -> Response:
    """GET /projects/{id}."""

    def work(tx: Tx) -> Project:
        own = next((p for p in _of_caller(tx, call) if p.id == project_id), None)
        return own or tx.projects.fetch(project_id)

    return document({"project": project_shown(call, call.run(work))})


def create(call: Call) -> Response:
    """POST /projects."""
    form = bodies.shape(ProjectBody, bodies.parse(call.body)).project
    if form.domain_id != DOMAIN_ID or form.is_domain:
        raise InvalidValue("domain_id", form.domain_id, f"the one domain that there is, {DOMAIN_ID}")
    if form.parent_id not in (None, DOMAIN_ID):
        raise InvalidValue("parent_id", form.parent_id, f"{DOMAIN_ID}: projects have no children")
    if form.tags or form.options:
        raise InvalidValue(
            "tags", form.tags or form.options, "possible: projects have neither tags nor options"
        )
    project = call.run(
        lambda tx: accounts.create_project(tx, form.name, form.description, enabled=form.enabled)
    )
    return document({"project": project_shown(call, project)}, 201)


def update(call: Call, project_id: str) -> Response:
    """PATCH /projects/{id}."""
    changes = built(ProjectChanges, bodies.shape(ProjectChangeBody, bodies.parse(call.body)).project)
    project = call.run(lambda tx: accounts.update_project(tx, ProjectId(project_id), changes))
    return document({"project": project_shown(call, project)})


def delete(call: Call, project_id: str) -> Response:
    """DELETE /projects/{id}."""
    call.run(lambda tx: accounts.delete_project(tx, ProjectId(project_id)))
    return empty()


def domains(call: Call) -> Response:
    """GET /domains."""
    return document(listed(call, "domains", [domain_shown(call)]))


def domain(call: Call, key: str) -> Response:
    """GET /domains/{id}."""
    if key != DOMAIN_ID:
        raise NotFound("domain", key)
    return document({"domain": domain_shown(call)})


def _seen(tx: Tx, call: Call) -> list[Project]:
    name = call.first("name")
    rows = tx.projects.find() if call.caller.may_any("identity:get_project") else ()
    own = [project for project in _of_caller(tx, call) if all(project.id != row.id for row in rows)]
    return [project for project in (*own, *rows) if name in (None, project.name)]


def _of_caller(tx: Tx, call: Call) -> list[Project]:
    """The project that the caller is in, be it kept here or not."""
    caller = call.caller
    if not caller.project_id:
        return []
    kept = tx.projects.get(caller.project_id)
    return [kept or Project(caller.project_id, caller.project_name, tx.now)]
