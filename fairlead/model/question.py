"""Questions to a host that are not state: the console log of a guest, its domain as libvirt has it, what it used, and
which vNICs are there.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from fairlead.model.ids import HostId, ServerId


class QuestionKind(Enum):
    """What is asked: about a guest, or, VNICS, about the host."""

    CONSOLE = "console"
    DOMAIN = "domain"
    DIAGNOSTICS = "diagnostics"
    """Answered by a DiagnosticsAnswer, as JSON."""
    VNICS = "vnics"
    """Answered by a VnicsAnswer, as JSON."""


@dataclass(frozen=True, slots=True)
class Question:
    """Asked by control, answered once by the host's agent. `server_id` None: it is about the host. `lines` None: the
    whole console log.

    `answer` None while it is open.
    """

    id: str
    host_id: HostId
    server_id: ServerId | None
    asked_at: datetime
    kind: QuestionKind = QuestionKind.CONSOLE
    lines: int | None = None
    answer: str | None = None
