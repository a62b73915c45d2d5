"""`fairlead project|user|role ...`: who there is, where control keeps its own users (login builtin)."""

from typing import cast

import click

from fairlead.cli.invocation import Invocation, pass_invocation
from fairlead.cli.lookup import find, listed
from fairlead.cli.output import deleted, progress, show_list, show_one
from fairlead.client.session import Json

_PROJECTS, _USERS, _ROLES = "/identity/v3/projects", "/identity/v3/users", "/identity/v3/roles"


@click.group()
def project() -> None:
    """Projects: whose networks, servers and images are together."""


@project.command("create")
@click.argument("name")
@click.option("--description", default="")
@pass_invocation
def create_project(invocation: Invocation, /, name: str, description: str) -> None:
    """Make a project."""
    body: Json = {"project": {"name": name, "description": description}}
    show_one(invocation, cast("Json", invocation.session.post(_PROJECTS, body)["project"]))


@project.command("list")
@pass_invocation
def list_projects(invocation: Invocation) -> None:
    """List the projects."""
    columns = {"ID": "id", "Name": "name", "Enabled": "enabled", "Description": "description"}
    show_list(invocation, listed(invocation.session, _PROJECTS), columns)


@project.command("set")
@click.argument("name")
@click.option("--enable/--disable", "enabled", default=None, help="Whether its users get in.")
@click.option("--description")
@pass_invocation
def set_project(invocation: Invocation, /, name: str, **changes: object) -> None:
    """Change a project."""
    path = f"{_PROJECTS}/{find(invocation.session, _PROJECTS, 'project', name)['id']}"
    given = {key: value for key, value in changes.items() if value is not None}
    show_one(invocation, cast("Json", invocation.session.patch(path, {"project": given})["project"]))


@project.command("delete")
@click.argument("names", nargs=-1, required=True)
@pass_invocation
def delete_projects(invocation: Invocation, names: tuple[str, ...]) -> None:
    """Delete projects that have nothing any more."""
    for name in names:
        invocation.session.delete(f"{_PROJECTS}/{find(invocation.session, _PROJECTS, 'project', name)['id']}")
        deleted("project", name)


@click.group()
def user() -> None:
    """Users, who log in with a password."""


@user.command("create")
@click.argument("name")
@click.option("--project", "home", help="Where a login without a project leads.")
@click.option(
    "--role", "roles", multiple=True, help="What the user is there: admin, member, reader, service."
)
@click.password_option(help="Asked for if absent, so that it is in no list of processes.")
@pass_invocation
def create_user(
    invocation: Invocation, /, name: str, home: str | None, roles: tuple[str, ...], password: str
) -> None:
    """Make a user; with --project and --role, with these roles there."""
    if roles and not home:
        raise click.UsageError("--role needs --project: roles are had in a project.")
    session = invocation.session
    project_id = str(find(session, _PROJECTS, "project", home)["id"]) if home else None
    body: Json = {"user": {"name": name, "password": password, "default_project_id": project_id}}
    made = cast("Json", session.post(_USERS, body)["user"])
    for role in roles:
        session.put(_grant(invocation, str(made["id"]), str(project_id), role), {})
    show_one(invocation, made)


@user.command("list")
@pass_invocation
def list_users(invocation: Invocation) -> None:
    """List the users."""
    columns = {"ID": "id", "Name": "name", "Enabled": "enabled", "Project": "default_project_id"}
    show_list(invocation, listed(invocation.session, _USERS), columns)


@user.command("set")
@click.argument("name")
@click.option("--enable/--disable", "enabled", default=None, help="Whether the user gets in.")
@click.option("--ask-password", is_flag=True, help="Ask for a new password.")
@pass_invocation
def set_user(invocation: Invocation, /, name: str, *, enabled: bool | None, ask_password: bool) -> None:
    """Change a user; a new password, or being disabled, ends all that the user had opened."""
    path = f"{_USERS}/{find(invocation.session, _USERS, 'user', name)['id']}"
    given: Json = {} if enabled is None else {"enabled": enabled}
    if ask_password:
        given["password"] = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    show_one(invocation, cast("Json", invocation.session.patch(path, {"user": given})["user"]))


@user.command("delete")
@click.argument("names", nargs=-1, required=True)
@pass_invocation
def delete_users(invocation: Invocation, names: tuple[str, ...]) -> None:
    """Delete users; what belongs to their projects stays."""
    for name in names:
        invocation.session.delete(f"{_USERS}/{find(invocation.session, _USERS, 'user', name)['id']}")
        deleted("user", name)


@click.group()
def role() -> None:
    """What users are in projects: admin, member, reader or service."""


@role.command()
@click.argument("name")
@click.option("--user", "user_name", required=True)
@click.option("--project", "project_name", required=True)
@pass_invocation
def add(invocation: Invocation, /, name: str, user_name: str, project_name: str) -> None:
    """Give a user a role in a project."""
    invocation.session.put(_named_grant(invocation, user_name, project_name, name), {})
    progress(f"{user_name} is {name} in {project_name}.")


@role.command()
@click.argument("name")
@click.option("--user", "user_name", required=True)
@click.option("--project", "project_name", required=True)
@pass_invocation
def remove(invocation: Invocation, /, name: str, user_name: str, project_name: str) -> None:
    """Take a role away; it is gone at once."""
    invocation.session.delete(_named_grant(invocation, user_name, project_name, name))
    progress(f"{user_name} is no longer {name} in {project_name}.")


@role.command("list")
@pass_invocation
def list_roles(invocation: Invocation) -> None:
    """List who has which role where."""
    found = invocation.session.get("/identity/v3/role_assignments", {"include_names": "true"})
    rows = [
        {"user": _name(row, "user"), "role": _name(row, "role"), "project": _name(row["scope"], "project")}
        for row in cast("list[Json]", found["role_assignments"])
    ]
    show_list(invocation, rows, {"User": "user", "Role": "role", "Project": "project"})


def _name(row: object, key: str) -> object:
    return cast("Json", cast("Json", row)[key])["name"]


def _named_grant(invocation: Invocation, user_name: str, project_name: str, name: str) -> str:
    user_id = str(find(invocation.session, _USERS, "user", user_name)["id"])
    project_id = str(find(invocation.session, _PROJECTS, "project", project_name)["id"])
    return _grant(invocation, user_id, project_id, name)


def _grant(invocation: Invocation, user_id: str, project_id: str, name: str) -> str:
    role_id = find(invocation.session, _ROLES, "role", name)["id"]
    return f"{_PROJECTS}/{project_id}/users/{user_id}/roles/{role_id}"
