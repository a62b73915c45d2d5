"""Who takes part in the conversations: people of two projects, in the roles that there are, all logged in."""

from dataclasses import dataclass, field

import httpx

from fairlead.control import accounts
from fairlead.control.boundary import Tx
from fairlead.model.identity import Role
from tests.api_stand import Stand
from tests.people import HASHED, auth, client, log_in

ROLES = {
    "member": ("ours", Role.MEMBER),
    "reader": ("ours", Role.READER),
    "service": ("ours", Role.SERVICE),
    "nobody": ("ours", None),
    "manager": ("ours", Role.ADMIN),
    "stranger": ("theirs", Role.MEMBER),
}
OPERATOR = "operator"


@dataclass
class Cast:
    """A client of each person, and what the names in a conversation stand for."""

    clients: dict[str, httpx.Client]
    names: dict[str, str] = field(default_factory=dict)


def cast(stand: Stand) -> Cast:
    """Everybody, and one without any token. Passwords are hashed at the lowest cost, so that this takes no time."""

    def add(tx: Tx) -> dict[str, str]:
        projects = {name: accounts.create_project(tx, name) for name in ("ours", "theirs")}
        ids = {name: str(project.id) for name, project in projects.items()}
        for name, (project, role) in ROLES.items():
            user = accounts.create_user(tx, name, HASHED, projects[project].id)
            ids[f"{name}_id"] = user.id
            if role:
                accounts.assign(tx, user.id, projects[project].id, role)
        return ids

    names = stand.engine.run(add)
    clients = {OPERATOR: stand.http}
    for name, (project, role) in ROLES.items():
        text = log_in(stand, auth(name, project=project if role else None))
        clients[name] = client(stand, text)
        names[f"{name}_token"] = text
    anonymous = httpx.Client(base_url=stand.url, timeout=30, trust_env=False)
    stand.clients.append(anonymous)
    clients["anonymous"] = anonymous
    return Cast(clients, names)
