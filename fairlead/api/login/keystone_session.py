"""Fairlead's own session with a Keystone, in which it asks what tokens stand for.

Source: https://docs.openstack.org/api-ref/identity/v3/, "Password authentication with scoped authorization" and
"Validate and show information for token".
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

import httpx
import msgspec

ANSWER_SECONDS = 10.0
"""So long a question may take in all, with logging in and a second try."""
REST_SECONDS = 10.0
"""So long nobody logs in again after Keystone refused Fairlead's own login: it locks users out who try too often."""
_CONNECTIONS = 32
_OK, _CREATED = 200, 201
_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _HEADERS_TOO_LARGE = 400, 401, 403, 404, 431
_NO_TOKEN = (_NOT_FOUND, _BAD_REQUEST, _HEADERS_TOO_LARGE)
"""Keystone itself answers 404; the server or proxy before it one of the others to a header that it will not pass on."""


class Named(msgspec.Struct, frozen=True):
    """Something by its id and name."""

    id: str = ""
    name: str = ""


class Token(msgspec.Struct, frozen=True):
    """What a token stands for. Without a project it is of a domain, of the system or of nothing."""

    expires_at: Annotated[datetime, msgspec.Meta(tz=True)]
    user: Named
    project: Named | None = None
    roles: tuple[Named, ...] = ()
    application_credential: Named | None = None


class _Body(msgspec.Struct):
    token: Token


@dataclass(frozen=True, slots=True)
class Service:
    """How Fairlead itself logs in there, to be allowed to ask about tokens: a user with the role service or admin."""

    url: str
    """Such as http://keystone:5000/v3."""
    user: str
    password: str = field(repr=False)
    project: str
    domain: str = "Default"
    """Of the user and of the project, by name."""
    trust: ssl.SSLContext | None = field(default=None, repr=False, compare=False)
    """Whose certificates are believed; None for a URL without TLS."""


class NoAnswer(Exception):
    """Keystone gave no answer that can be used. Its words are for the operator alone: they say where and as whom it is
    asked.
    """


class Session:
    """Questions to a Keystone, as its service user, on one event loop."""

    def __init__(
        self, service: Service, clock: Callable[[], float], transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._service = service
        self._clock = clock
        self._http = httpx.AsyncClient(
            timeout=ANSWER_SECONDS,
            limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS),
            trust_env=False,
            # Without a setting of whose, TLS believes those whom httpx does; it is never left out.
            verify=service.trust or service.url.startswith("https:"),
            transport=transport,
        )
        self._own: str | None = None
        self._logging_in = asyncio.Lock()
        self._refusal = ""
        self._rests_until = 0.0

    async def validate(self, text: str) -> Token | None:
        """What a token stands for; None where it stands for nothing. Raises NoAnswer, within ANSWER_SECONDS."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._validated(text)
        except TimeoutError:
            raise NoAnswer(
                f"Keystone at {self._service.url} did not answer within {ANSWER_SECONDS:.0f} seconds."
            ) from None

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    async def _validated(self, text: str) -> Token | None:
        for _ in range(2):
            own = await self._own_token()
            headers = {"x-auth-token": own, "x-subject-token": text}
            answer = await self._sent("GET", "/auth/tokens?nocatalog", headers=headers)
            if answer.status_code == _FORBIDDEN and self._own == own:
                # Our user may be given the role: what Keystone remembers of this token would not say so.
                self._own = None
            if answer.status_code != _UNAUTHORIZED:
                return _token(answer)
            # It is our own token that has ended: a subject that has is not found.
            if self._own == own:
                self._own = None
        raise NoAnswer("Keystone answers 401 to the token that it has just given Fairlead.")

    async def _own_token(self) -> str:
        """One at a time logs in, for all who wait."""
        async with self._logging_in:
            if self._own is None:
                if self._clock() < self._rests_until:
                    raise NoAnswer(self._refusal)
                self._own = await self._log_in()
            return self._own

    async def _log_in(self) -> str:
        service = self._service
        domain = {"name": service.domain}
        user = {"name": service.user, "password": service.password, "domain": domain}
        auth = {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": service.project, "domain": domain}},
        }
        answer = await self._sent("POST", "/auth/tokens", json={"auth": auth})
        token = str(answer.headers.get("x-subject-token", ""))
        if answer.status_code == _CREATED and token:
            return token
        self._rests_until = self._clock() + REST_SECONDS
        self._refusal = (
            f"Keystone at {service.url} answered {answer.status_code} when Fairlead logged in as {service.user} in the "
            f"project {service.project} of the domain {service.domain}. Are keystone_user, keystone_password, "
            "keystone_project and keystone_domain right, and has the user a role there?"
        )
        raise NoAnswer(self._refusal)

    async def _sent(self, method: str, path: str, **more: object) -> httpx.Response:
        """The answer. There is a second try: a connection that was idle may be closed by Keystone as it is used."""
        try:
            try:
                return await self._http.request(method, self._service.url + path, **more)  # type: ignore[arg-type]
            except (httpx.NetworkError, httpx.RemoteProtocolError):
                return await self._http.request(method, self._service.url + path, **more)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            what = str(error) or type(error).__name__
            raise NoAnswer(f"Keystone at {self._service.url} does not answer: {what}.") from error


def _token(answer: httpx.Response) -> Token | None:
    """What Keystone says of it."""
    if answer.status_code in _NO_TOKEN:
        return None
    if answer.status_code != _OK:
        raise NoAnswer(
            f"Keystone answered {answer.status_code} when it was asked about a token. Has Fairlead's user the role "
            "service or admin, which may ask?"
        )
    try:
        return msgspec.json.decode(answer.content, type=_Body).token
    except msgspec.MsgspecError as error:
        raise NoAnswer(f"Keystone's answer about a token cannot be read: {error}.") from error
