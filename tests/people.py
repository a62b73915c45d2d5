"""People of a stand whose logins are kept: projects, users with roles, and clients that are logged in as them."""

from dataclasses import dataclass
from pathlib import Path

import httpx

from fairlead.api.login.kept import Kept
from fairlead.api.login.password_file import PasswordFile
from fairlead.api.runner import Runner
from fairlead.control.engine import Engine
from fairlead.control.tokens import Accounts
from tests.api_stand import OpenLogin, Stand

TOKENS = "/identity/v3/auth/tokens"
DOMAIN = {"id": "default"}
PASSWORD = "open sesame"
HASHED = "$2b$04$jbhTBFHgkFiQBJaNmuGWSOj2aRBOB3GaYLI1MX4GGwHTDZOSVavlS"
"""bcrypt of PASSWORD at its lowest cost."""


def builtin(engine: Engine, runner: Runner) -> Kept:
    """The login of users that the database keeps."""
    return Kept(engine, runner, Accounts(), takes_basic=False)


def http_basic(path: Path) -> OpenLogin:
    """The login of users of that file."""
    return lambda engine, runner: Kept(engine, runner, PasswordFile(path), takes_basic=True)


def auth(name: str, password: str = PASSWORD, project: str | None = None) -> dict[str, object]:
    """The document of a login by password; without a project, to the user's own."""
    user = {"name": name, "password": password, "domain": DOMAIN}
    found: dict[str, object] = {"identity": {"methods": ["password"], "password": {"user": user}}}
    return found if project is None else found | {"scope": {"project": {"name": project, "domain": DOMAIN}}}


@dataclass(frozen=True)
class Person:
    """A user, and a client that is logged in as them."""

    user_id: str
    project_id: str
    http: httpx.Client


def project(stand: Stand, name: str) -> str:
    """A new project; its id."""
    made = stand.http.post("/identity/v3/projects", json={"project": {"name": name}})
    return str(made.raise_for_status().json()["project"]["id"])


def person(stand: Stand, name: str, project_id: str, *roles: str) -> Person:
    """A new user with these roles in the project, logged in. The client is closed with the stand's."""
    body = {"name": name, "password": PASSWORD, "default_project_id": project_id}
    user_id = str(
        stand.http.post("/identity/v3/users", json={"user": body}).raise_for_status().json()["user"]["id"]
    )
    ids = {
        role["name"]: role["id"]
        for role in stand.http.get("/identity/v3/roles").raise_for_status().json()["roles"]
    }
    for role in roles:
        path = f"/identity/v3/projects/{project_id}/users/{user_id}/roles/{ids[role]}"
        stand.http.put(path).raise_for_status()
    return Person(user_id, project_id, client(stand, log_in(stand, auth(name))))


def log_in(stand: Stand, document: dict[str, object]) -> str:
    """The token for an `auth` document."""
    answer = httpx.post(f"{stand.url}{TOKENS}", json={"auth": document}, trust_env=False)
    assert answer.status_code == 201, answer.text
    return answer.headers["x-subject-token"]


def client(stand: Stand, token: str) -> httpx.Client:
    """A client with that token."""
    made = httpx.Client(base_url=stand.url, timeout=30, trust_env=False, headers={"x-auth-token": token})
    stand.clients.append(made)
    return made
