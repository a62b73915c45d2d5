"""Questions to a host that are not state: the console log of a guest, its domain as libvirt has it, what it used."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from fairlead.model.ids import HostId, ServerId


class QuestionKind(Enum):
    """What is asked about a guest."""

    CONSOLE = "console"
    DOMAIN = "domain"
    DIAGNOSTICS = "diagnostics"
    """Answered by a DiagnosticsAnswer, as JSON."""


@dataclass(frozen=True, slots=True)
class Question:
    """Asked by control, answered once by the host's agent. `lines` None: the whole console log.

    `answer` None while it is open.
    """

    id: str
    host_id: HostId
    server_id: ServerId
    asked_at: datetime
    kind: QuestionKind = QuestionKind.CONSOLE
    lines: int | None = None
    answer: str | None = None
