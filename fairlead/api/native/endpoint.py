"""An endpoint of /v1: a route whose handler says what it takes and answers (signature.py), and is given that, read and
checked, and returns a value.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from inspect import iscoroutinefunction
from typing import cast

from starlette.responses import Response

from fairlead.api.answers import document, empty
from fairlead.api.call import Call
from fairlead.api.native import queries
from fairlead.api.native.signature import Handler, Signature, signature_of
from fairlead.api.routes import BODY_LIMIT, Live, Route
from fairlead.wire import codec

_NAMED = re.compile(r"\{([a-z_]+)\}")


class Who(Enum):
    """Who asks, and so what a request has to show: a login; the credential of the host that the path names first; or
    nothing yet but the one-time token in its body.
    """

    PERSON = "person"
    AGENT = "agent"
    NEWCOMER = "newcomer"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A line of the screen. In `path` stand the names of what the handler gets as text. `id` is what generated clients
    call it, and stays. `status` is that of a good answer that is not empty. The summary is the first sentence of the
    handler's docstring.
    """

    method: str
    path: str
    handler: Handler
    action: str
    id: str
    who: Who = Who.PERSON
    status: int = 200

    @property
    def names(self) -> tuple[str, ...]:
        """The names in its path."""
        return tuple(_NAMED.findall(self.path))

    @property
    def says(self) -> Signature:
        """What it takes and answers."""
        return signature_of(self.handler)

    @property
    def is_live(self) -> bool:
        """Whether its handler waits for something."""
        return iscoroutinefunction(self.handler)

    def route(self) -> Route | Live:
        """The same for the table of routes. Raises TypeError where the handler does not take what the path names."""
        says = self.says
        if len(says.named) != len(self.names):
            raise TypeError(f"{self.id} does not take what {self.path} names.")
        path, is_for_agents = _NAMED.sub("{}", self.path), self.who is not Who.PERSON
        if self.is_live:
            return Live(self.method, path, self._live(says), self.action, is_for_agents=is_for_agents)
        limit = says.body.limit if says.body else BODY_LIMIT
        served = self._plain(says)
        return Route(self.method, path, served, self.action, body_limit=limit, is_for_agents=is_for_agents)

    def _plain(self, says: Signature) -> Callable[..., Response]:
        def served(call: Call, *named: str) -> Response:
            return self._told(self.handler(call, *named, *self._given(says, call)))

        return served

    def _live(self, says: Signature) -> Callable[..., Awaitable[Response]]:
        handler = cast("Callable[..., Awaitable[object]]", self.handler)  # it is a coroutine function

        async def served(call: Call, *named: str) -> Response:
            return self._told(await handler(call, *named, *self._given(says, call)))

        return served

    def _given(self, says: Signature, call: Call) -> list[object]:
        """What the handler takes beside texts. An agent may be newer than its control: what that does not know in the
        query of one says nothing.
        """
        query = queries.read(says.query or queries.Query, call.query, is_strict=self.who is Who.PERSON)
        given: list[object] = [query] if says.query else []
        return [*given, says.body.read(call.body)] if says.body else given

    def _told(self, answer: object) -> Response:
        if isinstance(answer, Response):
            return answer
        if answer is None:
            return empty()
        if self.who is Who.PERSON:
            return document(answer, self.status)
        return Response(codec.encode(answer), self.status, media_type="application/json")
