"""Handlers of what only a server's host can tell."""

from typing import Annotated

from msgspec import Meta, Struct

from fairlead.api.asking import ask
from fairlead.api.call import Call
from fairlead.api.native.queries import Query
from fairlead.api.native.records import says
from fairlead.api.native.signature import Refused
from fairlead.model.ids import ServerId
from fairlead.model.question import QuestionKind

_MOST_LINES = 1_000_000
_UNHEARD = Refused("no_answer", "wrong_state")


class DomainShown(Struct, frozen=True):
    """A guest as libvirt on its host has it."""

    domain: Annotated[str, says("Domain XML.")]


class ConsoleShown(Struct, frozen=True):
    """A guest's console log."""

    output: str


class ConsoleQuery(Query, frozen=True):
    """How much of the log."""

    lines: Annotated[
        Annotated[int, Meta(ge=1, le=_MOST_LINES)] | None, says("The last lines alone, so many of them.")
    ] = None


async def show_domain(call: Call, server_id: str) -> Annotated[DomainShown, _UNHEARD]:
    """A server's guest as libvirt on its host has it. The host is asked, and has 20 seconds to answer."""
    return DomainShown(await ask(call, ServerId(server_id), QuestionKind.DOMAIN))


async def show_console(call: Call, server_id: str, query: ConsoleQuery) -> Annotated[ConsoleShown, _UNHEARD]:
    """A server's console log. The host is asked, and has 20 seconds to answer."""
    return ConsoleShown(await ask(call, ServerId(server_id), QuestionKind.CONSOLE, query.lines))
