"""Tokens: given to who has shown who they are, good until they end, judged anew each time they are shown.

What a token opens is what its user is at that moment: a role taken away, a user or a project disabled, or an
application credential deleted act at once. Who users are is a `Directory`'s to say: the database's own, or a file's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from fairlead.access.rules import with_implied
from fairlead.control.boundary import Tx
from fairlead.model.identity import Credential, Project, Role, Token
from fairlead.model.ids import ProjectId, UserId

LIFE = timedelta(hours=1)
"""Keystone's default (token/expiration)."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user as whoever logs somebody in needs to know. `password` is a bcrypt hash."""

    id: UserId
    name: str
    password: str
    default_project_id: ProjectId | None
    enabled: bool = True


class Directory(Protocol):
    """Who users are, and what they are where."""

    def by_id(self, tx: Tx, user_id: str) -> Account | None:
        """The user, or None."""
        ...

    def by_name(self, tx: Tx, name: str) -> Account | None:
        """The user, or None."""
        ...

    def projects(self, tx: Tx, account: Account) -> Mapping[Project, frozenset[Role]]:
        """The enabled projects in which the user is something, and what."""
        ...


class Accounts:
    """The directory that the database keeps."""

    def by_id(self, tx: Tx, user_id: str) -> Account | None:
        """The user, or None."""
        user = tx.users.get(user_id)
        return (
            Account(user.id, user.name, user.password, user.default_project_id, user.enabled)
            if user
            else None
        )

    def by_name(self, tx: Tx, name: str) -> Account | None:
        """The user, or None."""
        found = tx.users.find(name=name)
        return self.by_id(tx, found[0].id) if found else None

    def projects(self, tx: Tx, account: Account) -> Mapping[Project, frozenset[Role]]:
        """The enabled projects in which the user is something, and what."""
        held: dict[ProjectId, set[Role]] = {}
        for found in tx.assignments.find(user_id=account.id):
            held.setdefault(found.project_id, set()).add(found.role)
        projects = tx.projects.find(id=tuple(held)) if held else ()
        return {project: frozenset(held[project.id]) for project in projects if project.enabled}


@dataclass(frozen=True, slots=True)
class Passport:
    """What a token stands for now; `roles` are those that are held and what they imply. `project` None: it says who,
    and opens no project.
    """

    user_id: UserId
    user_name: str
    project: Project | None
    roles: frozenset[Role]
    token: Token


@dataclass(frozen=True, slots=True)
class Wish:
    """What a token shall be of. `project` None: of nothing. `expires_at`: it ends then, if LIFE does not end before."""

    account: Account
    project: Project | None
    methods: tuple[str, ...]
    expires_at: datetime | None = None
    credential: Credential | None = None


def issue(tx: Tx, directory: Directory, wish: Wish, digest: str) -> Passport | None:
    """The passport of a new token, kept by the digest of its text; None where the account may not be there."""
    end, credential = tx.now + LIFE, wish.credential
    token = Token(
        digest=digest,
        user_id=wish.account.id,
        project_id=wish.project.id if wish.project else None,
        issued_at=tx.now,
        expires_at=min(end, wish.expires_at) if wish.expires_at else end,
        methods=wish.methods,
        audit_id=tx.new_id(),
        credential_id=credential.id if credential else None,
    )
    passport = _judged(tx, directory, token)
    if passport is not None:
        tx.tokens.forget(tx.now)
        tx.tokens.add(token)
    return passport


def shown(tx: Tx, directory: Directory, digest: str) -> Passport | None:
    """What the token stands for now; None where it is good for nothing."""
    token = tx.tokens.get(digest)
    return _judged(tx, directory, token) if token else None


def at_home(tx: Tx, directory: Directory, account: Account) -> Passport | None:
    """What somebody is who shows a password with each request: in the default project, until the end of the request."""
    token = Token("", account.id, account.default_project_id, tx.now, tx.now + LIFE, ("password",), "")
    return _judged(tx, directory, token) if account.default_project_id else None


def revoke(tx: Tx, digest: str) -> None:
    """The token is good for nothing any more."""
    tx.tokens.remove(digest)


def check_credential(tx: Tx, directory: Directory, credential: Credential) -> Account | None:
    """The account that the credential speaks for; None where either has ended."""
    if credential.expires_at is not None and credential.expires_at <= tx.now:
        return None
    return directory.by_id(tx, credential.user_id)


def _judged(tx: Tx, directory: Directory, token: Token) -> Passport | None:
    account = directory.by_id(tx, token.user_id)
    if account is None or not account.enabled or token.expires_at <= tx.now:
        return None
    if token.project_id is None:
        return Passport(account.id, account.name, None, frozenset(), token)
    held = directory.projects(tx, account)
    project = next((project for project in held if project.id == token.project_id), None)
    if project is None:
        return None
    roles = _of_credential(tx, token, with_implied(held[project]))
    return Passport(account.id, account.name, project, roles, token) if roles else None


def _of_credential(tx: Tx, token: Token, held: frozenset[Role]) -> frozenset[Role]:
    """The roles that are left of those held, where the token came by an application credential."""
    if token.credential_id is None:
        return held
    credential = tx.credentials.get(token.credential_id)
    return held & with_implied(set(credential.roles)) if credential else frozenset()
