"""No logins: whoever reaches this control is its operator, so it is to be reached over loopback alone."""

import secrets
from datetime import UTC, datetime

from starlette.requests import Request

from fairlead.access.caller import Caller
from fairlead.api.call import OPERATOR_PROJECT, OPERATOR_USER, OPERATOR_USER_NAME, operator
from fairlead.api.login.boundary import Issued
from fairlead.control.tokens import LIFE, Passport
from fairlead.model.audit_trail import Deed, Doer
from fairlead.model.identity import Project, Role, Token
from fairlead.model.ids import UserId

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
PROJECT = Project(OPERATOR_PROJECT, "operator", _EPOCH, "Whose everything is where there are no logins.")
_ROLES = frozenset({Role.ADMIN, Role.MEMBER, Role.READER})


class Nobody:
    """Login and Issuer: any token is as good as none, and none is asked for."""

    async def caller(self, _: Request, request_id: str) -> Caller:
        """The operator."""
        return operator(request_id)

    async def close(self) -> None:
        """Nothing is held."""

    async def issue(self, _auth: object, _visitor: Doer) -> Issued:
        """A token for whoever asks: some clients insist on one."""
        return Issued(secrets.token_hex(24), _passport())

    async def inspect(self, _: str) -> Passport | None:
        """Every text stands for the operator."""
        return _passport()

    async def knows(self, _user_id: str, _password: str, _visitor: Doer) -> bool:
        """Nobody has a password."""
        return False

    async def revoke(self, _: str, _deed: Deed) -> None:
        """There is nothing to take away."""


def _passport() -> Passport:
    now = datetime.now(UTC)
    token = Token(
        "", UserId(OPERATOR_USER), PROJECT.id, now, now + LIFE, ("password",), secrets.token_hex(16)
    )
    return Passport(UserId(OPERATOR_USER), OPERATOR_USER_NAME, PROJECT, _ROLES, token)
