"""A report is applied part by part: a part that is refused costs the server or device that it is about, not its host.

A part is what the report says of one server with its ports, or of one device that nobody holds. Nothing is looked for
while all goes well: the report is applied at once. Where something of it is refused it is undone, and applied again
with each part on its own, to learn which; and then once more without those, so that no server is left half of what the
report says of it. All of that is one transaction.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from fairlead.control.agent_words import MESSAGE_LIMIT, SUBJECT_LIMIT, said
from fairlead.control.boundary import Tx
from fairlead.control.faults import blame
from fairlead.model.device import Device
from fairlead.model.errors import Failure, Refusal
from fairlead.model.host import Hold, Host
from fairlead.model.ids import DeviceId, ServerId
from fairlead.model.server import Server, ServerStatus
from fairlead.placement.snapshot import label

REFUSED = "report_refused"
"""The code of the fault of a server of which what its host reports could not be applied."""
_HINT = (
    "What is known of it is as it was before; all else that its host reported was applied. It is tried again with each "
    "report: is there anything in the database that contradicts?"
)

_log = structlog.get_logger("fairlead.control")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a part is about: a server, or a device that nobody holds. `who`: in words."""

    who: str = field(compare=False)
    server_id: ServerId | None = None
    device_id: DeviceId | None = None


def about_server(server: Server) -> Subject:
    """What is said of the server, its ports, and the devices that it has."""
    return Subject(f"server {server.name}", server_id=server.id)


def about_device(device: Device) -> Subject:
    """What is said of a device that no server has."""
    return Subject(said(f"device {label(device)}", SUBJECT_LIMIT), device_id=device.id)


@dataclass(frozen=True, slots=True)
class RefusedPart:
    """What was being applied, in words, and what was answered."""

    what: str
    refusal: Refusal

    def __str__(self) -> str:
        answer = f"{self.what} was refused ({self.refusal.code}): {self.refusal.message.removesuffix('.')}"
        return said(answer, MESSAGE_LIMIT)


LeftOut = Mapping[Subject, RefusedPart]
"""Of whom nothing is applied, and why."""


class Parts:
    """One try of a report. `left_out` is what earlier ones found refused, `refused` what this one does."""

    def __init__(self, tx: Tx, left_out: LeftOut, *, is_wary: bool) -> None:
        self._tx = tx
        self.is_wary = is_wary
        self.left_out = left_out
        self.refused: dict[Subject, RefusedPart] = {}

    def leaves_out(self, subject: Subject) -> bool:
        """Whether nothing of it is applied."""
        return subject in self.left_out or subject in self.refused

    def apply(self, subject: Subject, what: str, work: Callable[[], Result]) -> Result | None:
        """What `work` gives; None where the part is left out, or is refused just now. What is refused in a first try,
        or is to be tried again, is raised.
        """
        if self.leaves_out(subject):
            return None
        if not self.is_wary:
            return work()
        try:
            with self._tx.savepoint():
                return work()
        except Refusal as refusal:
            if _is_to_be_tried_again(self._tx, refusal):
                raise
            self.refused[subject] = RefusedPart(what, refusal)
            return None


def apply_in_parts(tx: Tx, work: Callable[[Parts], Result]) -> tuple[Result, LeftOut]:
    """What `work` gives of all parts that are not refused, and those that are. Raises what is refused outside of any
    part; what is no refusal is a fault of ours, and raised as well.
    """
    parts = Parts(tx, {}, is_wary=False)
    while True:
        try:
            with tx.savepoint():
                result = work(parts)
                if parts.refused:
                    raise _Anew
                return result, parts.left_out
        except _Anew:
            parts = Parts(tx, {**parts.left_out, **parts.refused}, is_wary=True)
        except Refusal as refusal:
            if parts.is_wary or _is_to_be_tried_again(tx, refusal):
                raise
            parts = Parts(tx, {}, is_wary=True)


def holds_of_refused(left_out: LeftOut) -> tuple[Hold, ...]:
    """What the host's operator sees of them, while it is so."""
    return tuple(
        Hold(subject.who, "applying what its host reports of it", str(part))
        for subject, part in left_out.items()
    )


def note_refused(tx: Tx, host: Host, left_out: LeftOut) -> None:
    """The servers that were left out say so, and the log. One that was on its way is in ERROR: nobody knows how far it
    came. One whose row takes not even that has its host's hold alone.
    """
    for subject, part in left_out.items():
        _log.warning(
            "report_part_refused",
            host_id=host.id,
            server_id=subject.server_id,
            device_id=subject.device_id,
            doing=part.what,
            code=part.refusal.code,
            reason=part.refusal.message,
        )
        server = tx.servers.get(subject.server_id) if subject.server_id else None
        if server is None:
            continue
        try:
            with tx.savepoint():
                blame(tx, server, _failure(server, part))
        except Refusal as refusal:
            if _is_to_be_tried_again(tx, refusal):
                raise
            _log.warning(
                "fault_refused",
                host_id=host.id,
                server_id=server.id,
                code=refusal.code,
                reason=refusal.message,
            )


def is_over(server: Server) -> bool:
    """Whether what its host reports of it was refused, and is applied now. One in ERROR says why until it is none."""
    said = server.fault is not None and server.fault.code == REFUSED
    return said and server.status is not ServerStatus.ERROR


def _is_to_be_tried_again(tx: Tx, refusal: Refusal) -> bool:
    return refusal.code == "stale" and not tx.is_last_try


class _Anew(Exception):
    """Undoes a try of which parts were refused."""


def _failure(server: Server, part: RefusedPart) -> Failure:
    return Failure(REFUSED, "Applying", f"what its host reports of server {server.name}", str(part), _HINT)
