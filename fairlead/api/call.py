"""One request, parsed as far as all dialects agree, and what its handler may use."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import parse_qsl

from starlette.requests import Request

from fairlead.access.caller import Caller
from fairlead.access.rules import Rules, with_implied
from fairlead.access.table import DEFAULTS
from fairlead.api.attempt import Attempt
from fairlead.api.login.boundary import Issuer, Login
from fairlead.api.refusals import Refusals
from fairlead.api.routes import BODY_LIMIT
from fairlead.api.runner import Runner
from fairlead.api.waiters import Waiters
from fairlead.control.boundary import ImageFiles, PortProfileProvider, Tx
from fairlead.control.engine import Engine
from fairlead.control.port_profiles import KeptProfiles
from fairlead.model.errors import InvalidValue, TooLarge
from fairlead.model.identity import CredentialKind, Role
from fairlead.model.ids import ProjectId

Result = TypeVar("Result")

OPERATOR_PROJECT = ProjectId("0fa1e1ead00000000000000000000001")
"""The default project: without logins everyone is its operator. 32 hex digits, as Keystone's ids are."""
OPERATOR_USER = "0fa1e1ead00000000000000000000002"
OPERATOR_PROJECT_NAME = OPERATOR_USER_NAME = "operator"
_EVERY_ROLE = with_implied({Role.ADMIN})

_MOST_PARAMETERS = 1000
_AUTHORITY = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")


Guard = Callable[[Tx], None]


@dataclass(frozen=True, slots=True)
class Parts:
    """What main gives the faces."""

    engine: Engine
    runner: Runner
    waiters: Waiters
    image_files: ImageFiles
    login: Login
    issuer: Issuer | None
    """Who gives tokens; None where Keystone does."""
    rules: Rules = field(default_factory=lambda: DEFAULTS)
    port_profiles: PortProfileProvider = field(default_factory=KeptProfiles)
    is_for_loopback: bool = True
    """Whether nobody has to log in, so that no name but loopback's may lead here."""
    refusals: Refusals = field(default_factory=Refusals)
    """What of refusals is not recorded yet; main takes it from time to time."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler gets. `query` keeps order and repetition; `body` is b"" for a Live handler, which reads
    `request` itself. `guard` raises NotFound or NotAllowed unless the caller may do what the route does: whatever a
    handler does, it does behind it in the same transaction, and on the caller's behalf: what it changes goes into the
    audit trail with it, as `attempt` says.
    """

    parts: Parts
    caller: Caller
    request: Request
    query: tuple[tuple[str, str], ...]
    guard: Guard
    attempt: Attempt
    body: bytes = b""

    def run(self, work: Callable[[Tx], Result]) -> Result:
        """The result of a control function in its transaction; for plain handlers. A GET looks, at one moment."""
        return self._on_engine(self._guarded(work))

    async def in_worker(self, work: Callable[[Tx], Result]) -> Result:
        """The same for Live handlers."""
        return await self.parts.runner.run(lambda: self._on_engine(self._guarded(work)))

    def _on_engine(self, work: Callable[[Tx], Result]) -> Result:
        engine = self.parts.engine
        return (engine.look if self.attempt.is_look else engine.run)(work)

    def goes_by(self, action: str) -> None:
        """Its body has said which of several things is to be done: it goes by this rule, and is recorded so."""
        self.attempt.action = action

    def header(self, name: str) -> str | None:
        """A request header, or None."""
        return self.request.headers.get(name)

    def first(self, name: str) -> str | None:
        """The first query parameter of that name, or None."""
        return next((value for key, value in self.query if key == name), None)

    def url(self, path: str) -> str:
        """An absolute URL below this server, as the client reached it."""
        authority = self.header("host") or ""
        if not _AUTHORITY.fullmatch(authority):
            host, port = self.request.scope.get("server") or ("127.0.0.1", None)
            authority = f"{host}:{port}" if port else host
        return f"{self.request.scope['scheme']}://{authority}{path}"

    def _guarded(self, work: Callable[[Tx], Result]) -> Callable[[Tx], Result]:
        attempt = self.attempt
        deed = attempt.deed() if attempt.is_kept and not attempt.is_look else None

        def guarded(tx: Tx) -> Result:
            self.guard(tx)
            tx.on_behalf_of = deed
            return work(tx)

        return guarded


def operator(request_id: str, credential: CredentialKind = CredentialKind.NONE) -> Caller:
    """Who asks while there are no logins."""
    return Caller(
        OPERATOR_PROJECT,
        OPERATOR_USER,
        _EVERY_ROLE,
        request_id,
        OPERATOR_PROJECT_NAME,
        OPERATOR_USER_NAME,
        credential,
    )


def nobody_yet(request_id: str) -> Caller:
    """Who asks what is open to everybody, and agents, who have credentials of their own."""
    return Caller(ProjectId(""), "", frozenset(), request_id)


def parse_query(raw: bytes) -> tuple[tuple[str, str], ...]:
    """The parameters in their order, a parameter without a value as ""; raises InvalidValue."""
    if not raw:
        return ()
    try:
        pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        raise InvalidValue("query", len(raw), f"at most {_MOST_PARAMETERS} parameters") from None
    if any("\0" in key or "\0" in value for key, value in pairs):
        raise InvalidValue("query", "\\0", "text without NUL characters")
    return tuple(pairs)


async def read_body(request: Request, limit: int = BODY_LIMIT) -> bytes:
    """The whole body; raises TooLarge as soon as it is over `limit` bytes."""
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > limit:
        raise TooLarge(f"The request body is over the limit of {limit} bytes.")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"The request body is over the limit of {limit} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)
