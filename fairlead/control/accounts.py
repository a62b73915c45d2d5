"""Who there is: projects, users, their roles and application credentials, kept in the database."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from msgspec import UNSET, UnsetType

from fairlead.access.caller import Caller
from fairlead.access.rules import with_implied
from fairlead.control.boundary import Tx
from fairlead.control.changes import applied
from fairlead.control.subjects import refused
from fairlead.model.errors import Conflict, InvalidValue, NotFound
from fairlead.model.identity import Assignment, Credential, Project, Role, User
from fairlead.model.ids import CredentialId, ProjectId, UserId

LONGEST_NAME = 64
_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f]*\S[^\x00-\x1f\x7f-\x9f]*")


@dataclass(frozen=True, slots=True)
class ProjectChanges:
    """What may change of a project; UNSET stays as it is."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class UserChanges:
    """What may change of a user; UNSET stays as it is. `password` is a hash."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    default_project_id: ProjectId | UnsetType | None = UNSET
    password: str | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class NewCredential:
    """What an application credential is made from; without `roles` it has all that its user has. `digest` is of its
    secret, SHA-256.
    """

    name: str
    digest: str
    roles: tuple[Role, ...] = ()
    description: str = ""
    expires_at: datetime | None = None


def create_project(tx: Tx, name: str, description: str = "", *, enabled: bool = True) -> Project:
    """The new project. Raises InvalidValue, Conflict `name_in_use`."""
    _check_name(name)
    project = Project(ProjectId(tx.new_id().replace("-", "")), name, tx.now, description, enabled)
    tx.projects.add(project)
    return project


def update_project(tx: Tx, project_id: ProjectId, changes: ProjectChanges) -> Project:
    """The changed project. Who is in one that is disabled is locked out at once. Raises NotFound, InvalidValue,
    Conflict `name_in_use`, `last_admin`.
    """
    if isinstance(changes.name, str):
        _check_name(changes.name)
    with _an_admin_left(tx):
        return tx.projects.put(applied(replace, tx.projects.lock(project_id), changes))


def delete_project(tx: Tx, project_id: ProjectId) -> None:
    """The project is gone, with its roles and credentials. Raises NotFound, Conflict `in_use` while it has anything,
    `last_admin`.
    """
    tx.projects.lock(project_id)
    for rows in (
        tx.servers,
        tx.server_groups,
        tx.ports,
        tx.networks,
        tx.subnets,
        tx.qos_policies,
        tx.port_profiles,
        tx.images,
    ):
        if rows.find(project_id=project_id):
            raise Conflict(
                "in_use",
                f"Project {project_id} still has a {rows.kind}: delete what it has first.",
                field="project",
            )
    with _an_admin_left(tx):
        tx.projects.remove(project_id)


def create_user(
    tx: Tx,
    name: str,
    password: str,
    default_project_id: ProjectId | None = None,
    description: str = "",
    *,
    enabled: bool = True,
) -> User:
    """The new user, who is nothing anywhere yet; `password` is a hash. Raises InvalidValue, NotFound, Conflict
    `name_in_use`.
    """
    _check_name(name)
    if default_project_id is not None:
        tx.projects.fetch(default_project_id)
    user_id = UserId(tx.new_id().replace("-", ""))
    user = User(user_id, name, tx.now, password, default_project_id, description, enabled)
    tx.users.add(user)
    return user


def update_user(tx: Tx, user_id: UserId, changes: UserChanges) -> User:
    """The changed user. A new password, or being disabled, ends the user's tokens. Raises NotFound, InvalidValue,
    Conflict `name_in_use`, `last_admin`.
    """
    if isinstance(changes.name, str):
        _check_name(changes.name)
    if isinstance(changes.default_project_id, str):
        tx.projects.fetch(changes.default_project_id)
    with _an_admin_left(tx):
        user = tx.users.put(applied(replace, tx.users.lock(user_id), changes))
    if changes.password is not UNSET or not user.enabled:
        end_tokens(tx, user_id)
    return user


def delete_user(tx: Tx, user_id: UserId) -> None:
    """The user is gone, with roles, credentials and tokens; what belongs to projects stays theirs. Raises NotFound,
    Conflict `last_admin`.
    """
    tx.users.lock(user_id)
    end_tokens(tx, user_id)
    with _an_admin_left(tx):
        tx.users.remove(user_id)


def end_tokens(tx: Tx, user_id: UserId) -> None:
    """The user's tokens are good for nothing any more."""
    for token in tx.tokens.find(user_id=user_id):
        tx.tokens.remove(token.digest)


def assign(tx: Tx, user_id: UserId, project_id: ProjectId, role: Role) -> None:
    """The user has the role in the project; nothing happens where that is so. Raises NotFound."""
    tx.users.fetch(user_id)
    tx.projects.fetch(project_id)
    if tx.assignments.get((user_id, project_id, role.value)) is None:
        tx.assignments.add(Assignment(user_id, project_id, role))


def unassign(tx: Tx, user_id: UserId, project_id: ProjectId, role: Role) -> None:
    """The user has the role there no more, at once. Raises NotFound, Conflict `last_admin`."""
    key = (user_id, project_id, role.value)
    if tx.assignments.get(key) is None:
        raise NotFound("role assignment", "/".join(key))
    with _an_admin_left(tx):
        tx.assignments.remove(key)


def roles_of(tx: Tx, user_id: UserId, project_id: ProjectId) -> frozenset[Role]:
    """What the user is in the project, without what that implies."""
    return frozenset(found.role for found in tx.assignments.find(user_id=user_id, project_id=project_id))


def projects_of(tx: Tx, user_id: UserId) -> tuple[Project, ...]:
    """The enabled projects in which the user is something."""
    ids = tuple({found.project_id for found in tx.assignments.find(user_id=user_id)})
    return tuple(project for project in (tx.projects.find(id=ids) if ids else ()) if project.enabled)


def create_credential(tx: Tx, caller: Caller, user_id: UserId, new: NewCredential) -> Credential:
    """The user's new application credential, of the project that the caller is in. Raises InvalidValue for a role
    that the user has not, or an end that is past, NotAllowed for a credential or who is in no project, Conflict
    `name_in_use`.
    """
    project_id = caller.project_id
    # One with some of its user's roles would else make itself one with all of them.
    if caller.application_credential_id is not None or not project_id:
        raise refused("identity:create_application_credential")
    _check_name(new.name)
    held = roles_of(tx, user_id, project_id)
    if missing := [role.value for role in new.roles if role not in with_implied(held)]:
        raise InvalidValue("roles", missing, "roles that the user has in the project")
    if new.expires_at is not None and new.expires_at <= tx.now:
        raise InvalidValue("expires_at", new.expires_at.isoformat(), "in the future")
    credential = Credential(
        id=CredentialId(tx.new_id().replace("-", "")),
        name=new.name,
        user_id=user_id,
        project_id=project_id,
        roles=tuple(sorted(new.roles or held, key=lambda role: role.value)),
        digest=new.digest,
        created_at=tx.now,
        description=new.description,
        expires_at=new.expires_at,
    )
    tx.credentials.add(credential)
    return credential


def delete_credential(tx: Tx, caller: Caller, user_id: UserId, credential_id: CredentialId) -> None:
    """The user's credential is gone, and the tokens that it gave with it. Raises NotFound, NotAllowed for one that
    would end itself or another.
    """
    if caller.application_credential_id is not None:
        raise refused("identity:delete_application_credential")
    credential_of(tx, user_id, credential_id)
    for token in tx.tokens.find(user_id=user_id, credential_id=credential_id):
        tx.tokens.remove(token.digest)
    tx.credentials.remove(credential_id)


def credential_of(tx: Tx, user_id: UserId, credential_id: CredentialId) -> Credential:
    """The user's credential; raises NotFound, for another user's too."""
    found = tx.credentials.get(credential_id)
    if found is None or found.user_id != user_id:
        raise NotFound("application credential", credential_id)
    return found


def seed(tx: Tx, project: Project, admin: str, password: str) -> User | None:
    """At the first start: the project, and its admin with that password (a hash); None where somebody is there."""
    if tx.users.find():
        return None
    if tx.projects.get(project.id) is None:
        tx.projects.add(replace(project, created_at=tx.now))
    user = create_user(tx, admin, password, project.id, "The first operator.")
    for role in (Role.ADMIN, Role.MEMBER, Role.READER):
        assign(tx, user.id, project.id, role)
    return user


def _check_name(name: str) -> None:
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise InvalidValue("name", name, f"a name of 1 to {LONGEST_NAME} characters on one line")


@contextmanager
def _an_admin_left(tx: Tx) -> Iterator[None]:
    """Raises Conflict `last_admin` where nobody could log in and give anybody a role after the block, and somebody
    could before. The roles are held, so that of two admins who take each other's away one stays.
    """
    for found in tx.assignments.find(role=Role.ADMIN):
        tx.assignments.hold((found.user_id, found.project_id, found.role.value))
    was_there = _has_admin(tx)
    yield
    if was_there and not _has_admin(tx):
        raise Conflict("last_admin", "That was the last admin: give somebody else the role admin first.")


def _has_admin(tx: Tx) -> bool:
    held = tx.assignments.find(role=Role.ADMIN)
    users = tx.users.find(id=tuple({found.user_id for found in held}), enabled=True)
    projects = tx.projects.find(id=tuple({found.project_id for found in held}), enabled=True)
    user_ids, project_ids = {user.id for user in users}, {project.id for project in projects}
    return any(found.user_id in user_ids and found.project_id in project_ids for found in held)
