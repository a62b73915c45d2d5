"""Tokens of a real Keystone: it is asked what a token stands for, and its answer is believed for a minute at most.

While Keystone does not answer nobody gets in whose token was not seen within that minute.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

import httpx
import structlog
from starlette.requests import Request

from fairlead.access.caller import Caller
from fairlead.access.rules import with_implied
from fairlead.api.login.boundary import LONGEST_TOKEN, TOKEN_HEADER, Unauthenticated
from fairlead.api.login.keystone_session import REST_SECONDS, Named, NoAnswer, Service, Session, Token
from fairlead.api.login.memory import Memory
from fairlead.api.problems import Unserved
from fairlead.model.identity import CredentialKind, Role
from fairlead.model.ids import ProjectId

BELIEVED_SECONDS = 60.0
REFUSED_SECONDS = 10.0
"""So long a token that is none is refused without asking again: less, since it may be one that Keystone just made."""
_REMEMBERED, _REMEMBERED_REFUSED = 10_000, 1_000
_ROLES = {role.value: role for role in Role}

_log = structlog.get_logger("fairlead.login")


class Keystone:
    """Login by Keystone's tokens. All its work is done on the event loop that serves, so nothing of it is locked."""

    def __init__(
        self,
        service: Service,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = service.url
        self._session = Session(service, clock, transport)
        # Apart, so that whoever shows a thousand tokens that are none makes nobody's be forgotten.
        self._known = Memory[Token](_REMEMBERED, BELIEVED_SECONDS, clock)
        self._refused = Memory[Literal["refused"]](_REMEMBERED_REFUSED, REFUSED_SECONDS, clock)
        self._asking: dict[bytes, asyncio.Task[Token | None]] = {}
        self._complaints: set[str] = set()

    async def caller(self, request: Request, request_id: str) -> Caller:
        """Who sends the request. Raises Unserved 503 while Keystone gives no answer."""
        text = request.headers.get(TOKEN_HEADER, "")
        if not 0 < len(text) <= LONGEST_TOKEN or not text.isascii() or not text.isprintable():
            raise self._refusal()
        token = await self._token(text)
        if token is None or token.expires_at <= datetime.now(UTC):
            raise self._refusal()
        project = token.project or Named()
        return Caller(
            ProjectId(project.id),
            token.user.id,
            with_implied(_roles(token)),
            request_id,
            project.name,
            token.user.name,
            CredentialKind.APPLICATION_CREDENTIAL if token.application_credential else CredentialKind.TOKEN,
            token.application_credential.id if token.application_credential else None,
        )

    async def close(self) -> None:
        """Ask nothing more, and give the connections back."""
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await self._session.close()

    async def _token(self, text: str) -> Token | None:
        key = hashlib.sha256(text.encode()).digest()
        known = self._known.get(key)
        if known is not None or self._refused.get(key):
            return known
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._asked(key, text))
            task.add_done_callback(lambda _: self._asking.pop(key))
        try:
            # Shielded: whoever goes away does not take the answer from the others who wait for it.
            return await asyncio.shield(task)
        except NoAnswer as error:
            self._complain(str(error))
            raise _unavailable() from None

    async def _asked(self, key: bytes, text: str) -> Token | None:
        """What Keystone says of it, once for all who show it meanwhile."""
        token = await self._session.validate(text)
        if token is None:
            self._refused.put(key, "refused")
        else:
            self._known.put(key, token)
        self._content()
        return token

    def _complain(self, reason: str) -> None:
        """Tell the log of each reason once until there is an answer again: not with each request."""
        if reason not in self._complaints:
            self._complaints.add(reason)
            _log.warning("keystone_gives_no_answer", reason=reason)

    def _content(self) -> None:
        """There is an answer, and the log is told if there was none."""
        if self._complaints:
            self._complaints.clear()
            _log.info("keystone_answers_again", url=self._url)

    def _refusal(self) -> Unauthenticated:
        return Unauthenticated(f'Keystone uri="{self._url}"', CredentialKind.TOKEN)


def _roles(token: Token) -> frozenset[Role]:
    """Those that mean something here, in its project; in no project none. Their names have no case (oslo.policy)."""
    if token.project is None:
        return frozenset()
    names = (role.name.lower() for role in token.roles)
    return frozenset(_ROLES[name] for name in names if name in _ROLES)


def _unavailable() -> Unserved:
    """Says nothing of where Keystone is and what it answered: whoever reads it has not logged in."""
    message = "Keystone gave no answer to who sends this request. Try again in a while; the log of control says why."
    return Unserved(503, "identity_unavailable", message, {"Retry-After": f"{REST_SECONDS:.0f}"})
