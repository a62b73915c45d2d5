"""POST /servers/{id}/action: one key that names the action, its value the arguments. The table says all of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Generic, Literal, Protocol

from msgspec import Meta, Struct, field
from starlette.responses import Response

from fairlead.api import bodies
from fairlead.api.answers import document, empty
from fairlead.api.asking import ask
from fairlead.api.bodies import Form
from fairlead.api.call import Call, read_body
from fairlead.api.compute.microversions import Microversion, asked_version
from fairlead.api.compute.rebuild import Rebuild
from fairlead.api.compute.server_status import in_novas_words
from fairlead.control import locking, migrating, resizing, server_power
from fairlead.control import servers as control
from fairlead.control.boundary import Tx
from fairlead.control.servers import WrongState
from fairlead.control.subjects import SERVER, require
from fairlead.model.errors import InvalidValue
from fairlead.model.ids import FlavorId, ServerId
from fairlead.model.question import QuestionKind

_REBOOT_KINDS = ("SOFT", "HARD")


class NoArguments(Struct, frozen=True, forbid_unknown_fields=True):
    """Of an action that takes none: null, or whatever else old clients send there."""


class RebootForm(Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of reboot."""

    type: str


class ConsoleForm(Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of os-getConsoleOutput. `length` None or -1: all of it."""

    length: int | None = None


class LockForm(Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of lock, from 2.73."""

    locked_reason: Annotated[str, Meta(min_length=1, max_length=255)] | None = None


class ResizeForm(Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of resize. How a disk is divided is its guest's affair."""

    flavor_ref: Annotated[str, Meta(min_length=1, max_length=255)] = field(name="flavorRef")
    disk_config: Literal["AUTO", "MANUAL"] = field(default="MANUAL", name="OS-DCF:diskConfig")


class MigrateForm(Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of migrate. `host` None: any."""

    host: Annotated[str, Meta(min_length=1, max_length=255)] | None = None


class StateForm(Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of os-resetState."""

    state: Literal["active", "error"]


Work = Callable[[Tx, Call, ServerId], object]


class Action(Protocol):
    """One action."""

    @property
    def rule(self) -> str:
        """The rule that it goes by."""
        ...

    @property
    def changes(self) -> bool:
        """Whether it is refused to the owner of a server that is locked."""
        ...

    def prepared(self, arguments: object) -> Work:
        """What it does in a transaction, with these arguments. Raises InvalidField."""
        ...

    def answer(self, call: Call, done: object) -> Response:
        """What is said of what was done."""
        ...


@dataclass(frozen=True, slots=True)
class Of(Generic[Form]):
    """An Action by the form of its arguments. `takes_anything`: they are not looked at, as in Nova."""

    rule: str
    form: type[Form]
    work: Callable[[Tx, Call, ServerId, Form], object]
    changes: bool = True
    takes_anything: bool = False

    def prepared(self, arguments: object) -> Work:
        """What it does in a transaction, with these arguments. Raises InvalidField."""
        form = bodies.shape(self.form, {} if self.takes_anything or arguments is None else arguments)
        return lambda tx, call, server_id: self.work(tx, call, server_id, form)

    def answer(self, call: Call, done: object) -> Response:
        """202: it was taken."""
        return empty(202)


def _start(tx: Tx, call: Call, server_id: ServerId, _: Struct) -> None:
    control.start(tx, server_id, call.caller.request_id)


def _stop(tx: Tx, call: Call, server_id: ServerId, _: Struct) -> None:
    control.stop(tx, server_id, call.caller.request_id)


def _reboot(tx: Tx, call: Call, server_id: ServerId, form: RebootForm) -> None:
    kind = form.type.upper()
    if kind not in _REBOOT_KINDS:
        raise InvalidValue("reboot.type", kind, f"one of {', '.join(_REBOOT_KINDS)}")
    control.reboot(tx, server_id, is_hard=kind == "HARD", request_id=call.caller.request_id)


def _pause(tx: Tx, call: Call, server_id: ServerId, _: Struct) -> None:
    server_power.pause(tx, server_id, call.caller.request_id)


def _unpause(tx: Tx, call: Call, server_id: ServerId, _: Struct) -> None:
    server_power.unpause(tx, server_id, call.caller.request_id)


def _suspend(tx: Tx, call: Call, server_id: ServerId, _: Struct) -> None:
    server_power.suspend(tx, server_id, call.caller.request_id)


def _resume(tx: Tx, call: Call, server_id: ServerId, _: Struct) -> None:
    server_power.resume(tx, server_id, call.caller.request_id)


def _lock(tx: Tx, call: Call, server_id: ServerId, form: LockForm) -> None:
    if form.locked_reason is not None and asked_version(call.request) < _REASONED:
        raise InvalidValue("lock", form.locked_reason, "possible before microversion 2.73")
    locking.lock(tx, call.caller, server_id, form.locked_reason)


def _unlock(tx: Tx, call: Call, server_id: ServerId, _: Struct) -> None:
    locking.unlock(tx, call.caller, server_id)


def _resize(tx: Tx, call: Call, server_id: ServerId, form: ResizeForm) -> None:
    resizing.resize(tx, call.caller, server_id, FlavorId(form.flavor_ref))


def _confirm(tx: Tx, call: Call, server_id: ServerId, _: Struct) -> None:
    resizing.confirm(tx, server_id, call.caller.request_id)


def _revert(tx: Tx, call: Call, server_id: ServerId, _: Struct) -> None:
    resizing.revert(tx, server_id, call.caller.request_id)


def _migrate(tx: Tx, call: Call, server_id: ServerId, form: MigrateForm) -> None:
    if form.host is not None and asked_version(call.request) < _MIGRATES_TO:
        raise InvalidValue("migrate.host", form.host, "possible before microversion 2.56")
    migrating.migrate(tx, server_id, form.host)


def _reset_state(tx: Tx, call: Call, server_id: ServerId, form: StateForm) -> None:
    control.reset_state(tx, server_id, is_error=form.state == "error", request_id=call.caller.request_id)


_REASONED: Microversion = (2, 73)
_MIGRATES_TO: Microversion = (2, 56)
_CONSOLE = "os-getConsoleOutput"
_RULES = "os_compute_api"
_CONSOLE_RULE = f"{_RULES}:os-console-output"
ACTIONS: Mapping[str, Action] = {
    "os-start": Of(f"{_RULES}:servers:start", NoArguments, _start, takes_anything=True),
    "os-stop": Of(f"{_RULES}:servers:stop", NoArguments, _stop, takes_anything=True),
    "reboot": Of(f"{_RULES}:servers:reboot", RebootForm, _reboot),
    "rebuild": Rebuild(f"{_RULES}:servers:rebuild"),
    "pause": Of(f"{_RULES}:os-pause-server:pause", NoArguments, _pause, takes_anything=True),
    "unpause": Of(f"{_RULES}:os-pause-server:unpause", NoArguments, _unpause, takes_anything=True),
    "resize": Of(f"{_RULES}:servers:resize", ResizeForm, _resize),
    "confirmResize": Of(f"{_RULES}:servers:confirm_resize", NoArguments, _confirm, takes_anything=True),
    "revertResize": Of(f"{_RULES}:servers:revert_resize", NoArguments, _revert, takes_anything=True),
    "migrate": Of(f"{_RULES}:os-migrate-server:migrate", MigrateForm, _migrate),
    "suspend": Of(f"{_RULES}:os-suspend-server:suspend", NoArguments, _suspend, takes_anything=True),
    "resume": Of(f"{_RULES}:os-suspend-server:resume", NoArguments, _resume, takes_anything=True),
    "lock": Of(f"{_RULES}:os-lock-server:lock", LockForm, _lock, changes=False),
    "unlock": Of(f"{_RULES}:os-lock-server:unlock", NoArguments, _unlock, changes=False, takes_anything=True),
    "os-resetState": Of(f"{_RULES}:os-admin-actions:reset_state", StateForm, _reset_state),
}


async def act(call: Call, server_id: str) -> Response:
    """Nova's actions, as far as Fairlead has them."""
    asked_version(call.request)
    found = bodies.parse(await read_body(call.request))
    if not isinstance(found, dict) or len(found) != 1:
        raise InvalidValue("body", found, f"an object with one action of {', '.join(ACTIONS)}")
    [(name, arguments)] = found.items()
    if name == _CONSOLE:
        return await _console(call, ServerId(server_id), arguments)
    action = ACTIONS.get(name)
    if action is None:
        await call.in_worker(lambda tx: tx.servers.fetch(server_id))
        raise InvalidValue("action", name, f"one that there is: {', '.join((*ACTIONS, _CONSOLE))}")
    call.goes_by(action.rule)
    work = action.prepared(arguments)

    def allowed(tx: Tx) -> object:
        require(tx, call.caller, action.rule, SERVER, server_id)
        if action.changes:
            locking.check(tx, call.caller, ServerId(server_id))
        try:
            return work(tx, call, ServerId(server_id))
        except WrongState as refused:
            raise in_novas_words(refused) from None

    return action.answer(call, await call.in_worker(allowed))


async def _console(call: Call, server_id: ServerId, arguments: object) -> Response:
    call.goes_by(_CONSOLE_RULE)
    await call.in_worker(lambda tx: require(tx, call.caller, _CONSOLE_RULE, SERVER, server_id))
    form = bodies.shape(ConsoleForm, arguments or {})
    return document({"output": await ask(call, server_id, QuestionKind.CONSOLE, _lines(form))})


def _lines(form: ConsoleForm) -> int | None:
    """None: all of the log."""
    length = form.length
    if length is None or length == -1:
        return None
    if not 0 <= length < 2**31:
        raise InvalidValue("os-getConsoleOutput.length", length, "a number of lines, or -1 for all")
    return length
