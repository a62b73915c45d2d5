"""Users in a file, one in a line: `name:bcrypt-hash[:project[:role,role]]`.

The first two fields are what `htpasswd -B` writes (Apache's htpasswd, and OpenStack's http_basic files), and such a
user is an operator. With a project the user is a member of it; with roles, that.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid5

import structlog

from fairlead.api.call import OPERATOR_PROJECT, OPERATOR_PROJECT_NAME
from fairlead.control.boundary import Tx
from fairlead.control.tokens import Account
from fairlead.model.errors import InvalidValue
from fairlead.model.identity import Project, Role
from fairlead.model.ids import ProjectId, UserId

_log = structlog.get_logger("fairlead.login")
_HASH = re.compile(r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}")
_NAMES = UUID("7f7c9a1e-2a56-4a0c-9f0e-0d9a31cf8f10")
_SINCE = datetime(2026, 1, 1, tzinfo=UTC)
_OPERATOR = frozenset({Role.ADMIN, Role.MEMBER, Role.READER})
_MEMBER = frozenset({Role.MEMBER, Role.READER})
_FEWEST_FIELDS, _MOST_FIELDS = 2, 4


@dataclass(frozen=True, slots=True)
class _Line:
    account: Account
    project: Project
    roles: frozenset[Role]


class PasswordFile:
    """A Directory. It is read again when it has changed; a change that cannot be read leaves what was there, and
    says so in the log.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._mark()
        self._lines = _parsed(path)

    def by_id(self, _: Tx, user_id: str) -> Account | None:
        """The user, or None."""
        found = self._fresh().get(user_id)
        return found.account if found else None

    def by_name(self, tx: Tx, name: str) -> Account | None:
        """The user, or None."""
        return self.by_id(tx, _id_of(f"user {name}"))

    def projects(self, _: Tx, account: Account) -> Mapping[Project, frozenset[Role]]:
        """The user's one project."""
        found = self._fresh().get(account.id)
        return {found.project: found.roles} if found else {}

    def _fresh(self) -> Mapping[str, _Line]:
        mark = self._mark()
        if mark != self._seen:
            self._seen = mark
            try:
                self._lines = _parsed(self._path)
            except InvalidValue as wrong:
                _log.warning("password_file_kept", path=str(self._path), why=wrong.message)
        return self._lines

    def _mark(self) -> tuple[int, int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return (found.st_mtime_ns, found.st_size, found.st_ino)


def _parsed(path: Path) -> Mapping[str, _Line]:
    """Raises InvalidValue that names the file and the line."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValue("password_file", str(path), f"a file that can be read: {error}") from None
    found: dict[str, _Line] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            one = _line(f"{path}:{number}", line.strip())
            if one.account.id in found:
                raise InvalidValue(
                    "password_file", f"{path}:{number}", f"the only line of {one.account.name}"
                )
            found[one.account.id] = one
    if not found:
        raise InvalidValue("password_file", str(path), "a file with at least one user")
    return found


def _line(where: str, line: str) -> _Line:
    fields = line.split(":")
    if not _FEWEST_FIELDS <= len(fields) <= _MOST_FIELDS or not fields[0] or not _HASH.fullmatch(fields[1]):
        # Never the line itself: it may have a password where the hash should be.
        raise InvalidValue("password_file", where, "a line name:bcrypt-hash[:project[:role,role]]")
    name, password, *rest = fields
    if not rest or not rest[0]:
        project = Project(OPERATOR_PROJECT, OPERATOR_PROJECT_NAME, _SINCE)
    else:
        project = Project(ProjectId(_id_of(f"project {rest[0]}")), rest[0], _SINCE)
    roles = _roles(where, rest[1]) if len(rest) > 1 else _MEMBER if rest and rest[0] else _OPERATOR
    return _Line(Account(UserId(_id_of(f"user {name}")), name, password, project.id), project, roles)


def _roles(where: str, text: str) -> frozenset[Role]:
    try:
        return frozenset(Role(word.strip()) for word in text.split(","))
    except ValueError as error:
        roles = ", ".join(role.value for role in Role)
        raise InvalidValue("password_file", where, f"a line with roles of {roles}: {error}") from None


def _id_of(text: str) -> str:
    """The same for the same name for ever; 32 hex digits, as Keystone's ids are."""
    return uuid5(_NAMES, text).hex
