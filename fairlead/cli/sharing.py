"""Sharing what the network API can share, with one project or with everybody."""

from typing import cast

from fairlead.cli.invocation import Invocation
from fairlead.cli.lookup import find, listed
from fairlead.cli.network_paths import RBAC
from fairlead.cli.output import progress, show_one
from fairlead.client.session import Json

EVERYBODY = "*"


def share(invocation: Invocation, collection: str, word: str, name: str, project: str) -> None:
    """Let the project, or EVERYBODY, use the thing of that glossary word."""
    found = find(invocation.session, collection, word, name)
    body = {
        "object_type": word.replace(" ", "_"),
        "object_id": found["id"],
        "target_tenant": project,
        "action": "access_as_shared",
    }
    answer = invocation.session.post(RBAC, {"rbac_policy": body})
    show_one(invocation, cast("Json", answer["rbac_policy"]))


def unshare(invocation: Invocation, collection: str, word: str, name: str, project: str) -> None:
    """Let it use the thing no longer."""
    session = invocation.session
    found = find(session, collection, word, name)
    query = {"object_id": str(found["id"]), "target_tenant": project}
    policies = listed(session, RBAC, query)
    for policy in policies:
        session.delete(f"{RBAC}/{policy['id']}")
    who = "everybody" if project == EVERYBODY else f"project {project}"
    is_shared = "no longer" if policies else "not"
    progress(f"{word[0].upper()}{word[1:]} {name} is {is_shared} shared with {who}.")
