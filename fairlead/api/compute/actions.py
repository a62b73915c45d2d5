"""POST /servers/{id}/action: one key that names the action, its value the arguments."""

from msgspec import Struct
from starlette.responses import Response

from fairlead.api import bodies
from fairlead.api.answers import document, empty
from fairlead.api.asking import ask
from fairlead.api.call import Call, read_body
from fairlead.api.compute.microversions import asked_version
from fairlead.control import servers as control
from fairlead.control.boundary import Tx
from fairlead.model.errors import InvalidValue
from fairlead.model.ids import ServerId
from fairlead.model.question import QuestionKind

_REBOOT_KINDS = ("SOFT", "HARD")
_ACTIONS = ("os-start", "os-stop", "reboot", "os-getConsoleOutput")


class RebootForm(Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of reboot."""

    type: str


class ConsoleForm(Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of os-getConsoleOutput. `length` None or -1: all of it."""

    length: int | None = None


async def act(call: Call, server_id: str) -> Response:
    """Nova's actions, as far as Fairlead has them; 202, but for the console's text."""
    asked_version(call.request)
    found = bodies.parse(await read_body(call.request))
    if not isinstance(found, dict) or len(found) != 1:
        raise InvalidValue("body", found, f"an object with one action of {', '.join(_ACTIONS)}")
    [(action, arguments)] = found.items()
    if action == "os-getConsoleOutput":
        form = bodies.shape(ConsoleForm, arguments or {})
        return document({"output": await ask(call, ServerId(server_id), QuestionKind.CONSOLE, _lines(form))})
    await call.in_worker(lambda tx: _done(tx, call, ServerId(server_id), action, arguments))
    return empty(202)


def _done(tx: Tx, call: Call, server_id: ServerId, action: str, arguments: object) -> None:
    request_id = call.caller.request_id
    match action:
        case "os-start":
            control.start(tx, server_id, request_id)
        case "os-stop":
            control.stop(tx, server_id, request_id)
        case "reboot":
            is_hard = _reboot_kind(arguments) == "HARD"
            control.reboot(tx, server_id, is_hard=is_hard, request_id=request_id)
        case _:
            tx.servers.fetch(server_id)
            raise InvalidValue("action", action, f"one that there is: {', '.join(_ACTIONS)}")


def _reboot_kind(arguments: object) -> str:
    kind = bodies.shape(RebootForm, arguments).type.upper()
    if kind not in _REBOOT_KINDS:
        raise InvalidValue("reboot.type", kind, f"one of {', '.join(_REBOOT_KINDS)}")
    return kind


def _lines(form: ConsoleForm) -> int | None:
    """None: all of the log."""
    length = form.length
    if length is None or length == -1:
        return None
    if not 0 <= length < 2**31:
        raise InvalidValue("os-getConsoleOutput.length", length, "a number of lines, or -1 for all")
    return length
