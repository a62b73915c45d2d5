"""Tokens of a real Keystone: it is asked what a token stands for, and its answer is believed for a minute at most.

Source: https://docs.openstack.org/api-ref/identity/v3/#validate-and-show-information-for-token. While Keystone does not
answer nobody gets in whose token was not seen within that minute.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import msgspec
from starlette.requests import Request

from fairlead.access.caller import Caller
from fairlead.access.rules import with_implied
from fairlead.api.login.boundary import LONGEST_TOKEN, TOKEN_HEADER, unauthenticated
from fairlead.api.problems import Unserved
from fairlead.model.identity import Role
from fairlead.model.ids import ProjectId

BELIEVED_SECONDS = 60.0
_ANSWER_SECONDS = 10.0
_REMEMBERED = 10_000
_ROLES = {role.value: role for role in Role}
_OK, _CREATED, _UNAUTHORIZED, _NOT_FOUND = 200, 201, 401, 404


class _Named(msgspec.Struct):
    id: str = ""
    name: str = ""


class _Token(msgspec.Struct):
    expires_at: datetime
    user: _Named
    project: _Named | None = None
    roles: list[_Named] = []


class _Body(msgspec.Struct):
    token: _Token


@dataclass(frozen=True, slots=True)
class Service:
    """How Fairlead itself logs in there, to be allowed to ask about tokens: a user with the role service or admin."""

    url: str
    """Such as http://keystone:5000/v3."""
    user: str
    password: str
    project: str
    domain: str = "Default"


@dataclass(frozen=True, slots=True)
class _Known:
    token: _Token
    until: float


class Keystone:
    """Login by Keystone's tokens. Thread-bound: all its work is done on the event loop that serves."""

    def __init__(
        self,
        service: Service,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._service = service
        self._clock = clock
        self._http = httpx.AsyncClient(timeout=_ANSWER_SECONDS, trust_env=False, transport=transport)
        self._own: str | None = None
        self._logging_in = asyncio.Lock()
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._refusal = unauthenticated(f'Keystone uri="{service.url}"')

    async def caller(self, request: Request, request_id: str) -> Caller:
        """Who sends the request. Raises Unserved 503 while Keystone gives no answer."""
        text = request.headers.get(TOKEN_HEADER, "")
        if not 0 < len(text) <= LONGEST_TOKEN or not text.isascii() or not text.isprintable():
            raise self._refusal
        token = await self._token(text)
        if token is None or token.expires_at <= datetime.now(UTC):
            raise self._refusal
        roles = frozenset(_ROLES[role.name] for role in token.roles if role.name in _ROLES)
        project = token.project or _Named()
        return Caller(
            ProjectId(project.id),
            token.user.id,
            with_implied(roles) if token.project else frozenset(),
            request_id,
            project.name,
            token.user.name,
        )

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    async def _token(self, text: str) -> _Token | None:
        key = hashlib.sha256(text.encode()).digest()
        known = self._known.get(key)
        if known is not None and self._clock() < known.until:
            return known.token
        self._known.pop(key, None)
        token = await self._asked(text)
        if token is not None:
            self._known[key] = _Known(token, self._clock() + BELIEVED_SECONDS)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return token

    async def _asked(self, text: str) -> _Token | None:
        """What Keystone says of it; with a fresh token of our own where ours has ended."""
        for is_last in (False, True):
            own = await self._own_token()
            headers = {"x-auth-token": own, "x-subject-token": text}
            answer = await self._sent("GET", f"{self._service.url}/auth/tokens?nocatalog", headers=headers)
            if answer.status_code == _OK:
                return _read(answer)
            if answer.status_code == _NOT_FOUND:
                return None
            if answer.status_code != _UNAUTHORIZED or is_last:
                raise _unavailable(f"Keystone answered {answer.status_code} when it was asked about a token.")
            if self._own == own:
                self._own = None
        raise AssertionError

    async def _own_token(self) -> str:
        async with self._logging_in:
            if self._own is None:
                self._own = await self._log_in()
            return self._own

    async def _log_in(self) -> str:
        domain = {"name": self._service.domain}
        user = {"name": self._service.user, "password": self._service.password, "domain": domain}
        auth = {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": self._service.project, "domain": domain}},
        }
        answer = await self._sent("POST", f"{self._service.url}/auth/tokens", json={"auth": auth})
        if answer.status_code != _CREATED:
            raise _unavailable(f"Keystone refused Fairlead's own login with {answer.status_code}.")
        return str(answer.headers.get("x-subject-token", ""))

    async def _sent(self, method: str, url: str, **more: object) -> httpx.Response:
        try:
            return await self._http.request(method, url, **more)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            raise _unavailable(f"Keystone at {self._service.url} does not answer: {error}.") from error


def _read(answer: httpx.Response) -> _Token:
    try:
        return msgspec.json.decode(answer.content, type=_Body).token
    except msgspec.MsgspecError as error:
        raise _unavailable(f"Keystone's answer about a token cannot be read: {error}.") from error


def _unavailable(message: str) -> Unserved:
    return Unserved(503, "identity_unavailable", message, {"Retry-After": "10"})
