"""Users, projects and tokens of a Keystone, made by its operator over its own API."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.keystone.server import ADMIN, ADMIN_PROJECT
from tests.people import DOMAIN, PASSWORD, auth

TOKENS = "/auth/tokens"
Document = dict[str, object]


def scoped(name: str, project: str) -> Document:
    """The document of a login by password to that project."""
    return auth(name, project=project)


@dataclass(frozen=True, slots=True)
class Directory:
    """What the operator does there."""

    http: httpx.Client

    @classmethod
    @contextmanager
    def of(cls, url: str) -> Iterator["Directory"]:
        """Logged in as the operator; closed with the block."""
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as http:
            made = cls(http)
            http.headers["x-auth-token"] = made.token(scoped(ADMIN, ADMIN_PROJECT))
            yield made

    def token(self, document: Document) -> str:
        """The token for an `auth` document."""
        answer = self.http.post(TOKENS, json={"auth": document})
        assert answer.status_code == 201, answer.text
        return answer.headers["x-subject-token"]

    def revoke(self, token: str) -> None:
        """That token is good for nothing any more."""
        self.http.delete(TOKENS, headers={"x-subject-token": token}).raise_for_status()

    def project(self, name: str) -> str:
        """The id of the project of that name, made if there is none."""
        return self._id("project", name, {"domain_id": DOMAIN["id"]})

    def user(self, name: str, roles: Mapping[str, Iterable[str]], **more: object) -> str:
        """A new user with these roles in projects, by name; its id."""
        body = {"name": name, "password": PASSWORD, "domain_id": DOMAIN["id"], **more}
        user_id = str(self.post("/users", {"user": body})["user"]["id"])
        for project, names in roles.items():
            for role in names:
                self.http.put(self.grant(user_id, project, role)).raise_for_status()
        return user_id

    def grant(self, user_id: str, project: str, role: str) -> str:
        """The path of a role that a user has in a project; a role that there is not is made."""
        return f"/projects/{self.project(project)}/users/{user_id}/roles/{self._id('role', role, {})}"

    def post(self, path: str, body: Document, **headers: str) -> Any:
        """What is answered."""
        return self.http.post(path, json=body, headers=headers).raise_for_status().json()

    def _id(self, kind: str, name: str, more: Document) -> str:
        found = self.http.get(f"/{kind}s", params={"name": name}).raise_for_status().json()[f"{kind}s"]
        made = found[0] if found else self.post(f"/{kind}s", {kind: {"name": name, **more}})[kind]
        return str(made["id"])
