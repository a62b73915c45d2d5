"""What the application needs of a way in."""

from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request

from fairlead.access.caller import Caller
from fairlead.api.problems import Unserved
from fairlead.control.tokens import Passport

TOKEN_HEADER = "x-auth-token"  # noqa: S105 - the name of a header
LONGEST_TOKEN = 8192
"""Characters; what is longer is no token of anybody's."""


class Login(Protocol):
    """A way in."""

    async def caller(self, request: Request, request_id: str) -> Caller:
        """Who sends the request; raises what `unauthenticated` makes."""
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

    async def issue(self, auth: object, request: Request) -> Issued:
        """A token for the `auth` document of Keystone's POST /v3/auth/tokens. Raises what `unauthenticated` makes,
        without a hint what of it was wrong, and InvalidValue for a document that is none.
        """
        ...

    async def inspect(self, text: str) -> Passport | None:
        """What a token stands for; None where it is good for nothing."""
        ...

    async def revoke(self, text: str) -> None:
        """The token is good for nothing any more."""
        ...


def unauthenticated(challenge: str) -> Unserved:
    """The 401, the same whatever was wrong; `challenge` is WWW-Authenticate (RFC 9110, 11.6.1)."""
    message = "The request you have made requires authentication."
    return Unserved(401, "unauthorized", message, {"WWW-Authenticate": challenge})
