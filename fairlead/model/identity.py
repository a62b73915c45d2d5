"""Projects, users, what users are in projects, and the tokens they hold, where Fairlead keeps them itself."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from fairlead.model.ids import CredentialId, ProjectId, UserId


class Role(Enum):
    """What a user is in a project. An admin is the operator of the whole fleet, in whatever project.

    The names, and what they imply, are Keystone's (keystone/api/discovery of default roles: admin > member > reader).
    """

    ADMIN = "admin"
    MEMBER = "member"
    READER = "reader"
    SERVICE = "service"


class CredentialKind(Enum):
    """How somebody showed who they are."""

    NONE = "none"
    """Not at all: there are no logins here, or nothing was shown."""
    PASSWORD = "password"  # noqa: S105 - the word of the thing, not one
    TOKEN = "token"  # noqa: S105
    APPLICATION_CREDENTIAL = "application_credential"
    """By its secret, or by a token that was got with it."""


@dataclass(frozen=True, slots=True)
class Project:
    """Whose networks, ports, servers and images are together. Its name is unique."""

    id: ProjectId
    name: str
    created_at: datetime
    description: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class User:
    """Who logs in. `password` is a bcrypt hash. `default_project_id`: where a login without a project leads."""

    id: UserId
    name: str
    created_at: datetime
    password: str
    default_project_id: ProjectId | None = None
    description: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Assignment:
    """That the user has the role in the project; keyed by all three."""

    user_id: UserId
    project_id: ProjectId
    role: Role


@dataclass(frozen=True, slots=True)
class Credential:
    """An application credential: a secret of its own by which a program is its user in one project, with some of the
    user's roles there. `digest` is of its secret, SHA-256. `expires_at` None: it lasts until it is deleted.
    """

    id: CredentialId
    name: str
    user_id: UserId
    project_id: ProjectId
    roles: tuple[Role, ...]
    digest: str
    created_at: datetime
    description: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A token in use, keyed by the SHA-256 of its text, which is kept nowhere. `project_id` None: it says who, and
    opens no project. `credential_id`: the application credential that it was got with, whose end is its own.
    """

    digest: str
    user_id: UserId
    project_id: ProjectId | None
    issued_at: datetime
    expires_at: datetime
    methods: tuple[str, ...]
    audit_id: str
    credential_id: CredentialId | None = None
