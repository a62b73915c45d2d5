"""Questions to a host that are not state: the console log of a guest."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.model.ids import HostId, ServerId


@dataclass(frozen=True, slots=True)
class Question:
    """Asked by control, answered once by the host's agent. `lines` None: the whole console log.

    `answer` None while it is open.
    """

    id: str
    host_id: HostId
    server_id: ServerId
    asked_at: datetime
    lines: int | None = None
    answer: str | None = None
