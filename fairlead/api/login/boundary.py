"""What the application needs of a way in."""

from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request

from fairlead.access.caller import Caller
from fairlead.api.problems import Unserved
from fairlead.control.tokens import Passport
from fairlead.model.audit_trail import Deed, Doer
from fairlead.model.identity import CredentialKind

TOKEN_HEADER = "x-auth-token"  # noqa: S105 - the name of a header
LONGEST_TOKEN = 8192
"""Characters; what is longer is no token of anybody's."""


class Login(Protocol):
    """A way in."""

    async def caller(self, request: Request, request_id: str) -> Caller:
        """Who sends the request; raises Unauthenticated."""
        ...

    async def close(self) -> None:
        """Nobody asks any more: give back what is held."""
        ...


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token, which nobody else knows, and what it stands for."""

    text: str
    passport: Passport


class Issuer(Protocol):
    """A way in that gives tokens itself, in place of Keystone."""

    async def issue(self, auth: object, visitor: Doer) -> Issued:
        """A token for the `auth` document of Keystone's POST /v3/auth/tokens. Raises Unauthenticated,
        without a hint what of it was wrong, and InvalidValue for a document that is none.
        """
        ...

    async def inspect(self, text: str) -> Passport | None:
        """What a token stands for; None where it is good for nothing."""
        ...

    async def knows(self, user_id: str, password: str, visitor: Doer) -> bool:
        """Whether it is the user's password; False as well while too many wrong ones came from there."""
        ...

    async def revoke(self, text: str, deed: Deed) -> None:
        """The token is good for nothing any more, as somebody asked."""
        ...


class Unauthenticated(Unserved):
    """The 401, the same whatever was wrong; `challenge` is WWW-Authenticate (RFC 9110, 11.6.1). What was shown, and the
    user whose it should have been, are for the audit trail: no answer says them.
    """

    def __init__(
        self, challenge: str, credential: CredentialKind, user_id: str = "", user_name: str = ""
    ) -> None:
        message = "The request you have made requires authentication."
        super().__init__(401, "unauthorized", message, {"WWW-Authenticate": challenge})
        self.credential = credential
        self.user_id = user_id
        self.user_name = user_name
