"""This process's own parts, such as what declares simulated hosts: they have a token that nobody else knows."""

import hmac
from dataclasses import dataclass

from starlette.requests import Request

from fairlead.access.caller import Caller
from fairlead.api.call import operator
from fairlead.api.login.boundary import TOKEN_HEADER, Login
from fairlead.model.identity import CredentialKind


@dataclass(frozen=True, slots=True)
class Inside:
    """A way in for others, `login`, and beside it one for whoever shows `token`."""

    login: Login
    token: str

    async def caller(self, request: Request, request_id: str) -> Caller:
        """The operator by the token of this process, else whoever `login` says."""
        given = request.headers.get(TOKEN_HEADER, "")
        if hmac.compare_digest(given.encode(), self.token.encode()):
            return operator(request_id, CredentialKind.TOKEN)
        return await self.login.caller(request, request_id)

    async def close(self) -> None:
        """As the other way in."""
        await self.login.close()
