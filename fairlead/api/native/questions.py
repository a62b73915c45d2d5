"""Handlers of what only a server's host can tell."""

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.asking import ask
from fairlead.api.call import Call
from fairlead.model.errors import InvalidValue
from fairlead.model.ids import ServerId
from fairlead.model.question import QuestionKind

_MOST_LINES = 1_000_000
_WIDEST = 7


async def show_domain(call: Call, server_id: str) -> Response:
    """GET /servers/{server}/domain: its guest's domain XML as libvirt on its host has it."""
    return document({"domain": await ask(call, ServerId(server_id), QuestionKind.DOMAIN)})


async def show_console(call: Call, server_id: str) -> Response:
    """GET /servers/{server}/console?lines=N: the console log, or its last lines."""
    return document({"output": await ask(call, ServerId(server_id), QuestionKind.CONSOLE, _lines(call))})


def _lines(call: Call) -> int | None:
    given = call.first("lines")
    if given is None:
        return None
    if not (given.isascii() and given.isdigit() and len(given) <= _WIDEST and 0 < int(given) <= _MOST_LINES):
        raise InvalidValue("lines", given, f"a number of lines from 1 to {_MOST_LINES}")
    return int(given)
