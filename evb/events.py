"""What a bridge saw and did, as values, and as lines of JSON for a person or a log file."""

import json
from dataclasses import dataclass
from enum import Enum

from evb.frames import Form
from evb.vdp import Message


class What(Enum):
    """The kinds of events."""

    ANNOUNCED = "announced"
    """A station's EVB TLV is new, or says something new."""
    REQUESTED = "requested"
    """An ECP request arrived; `is_empty` in its words where it carried nothing, as the first one does."""
    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    """A request of the bridge was sent as often as it may be."""
    LOST = "lost"
    """An ECP request arrived and the bridge was to behave as if it had not."""
    ASKED = "asked"
    ANSWERED = "answered"
    DEASSOCIATED = "deassociated"
    """The bridge ended an association by itself."""
    MALFORMED = "malformed"
    LEFT = "left"
    """A station said goodbye (LLDP's time to live 0). What it associated stays until somebody ends it."""
    LINK_DOWN = "link down"


@dataclass(frozen=True, slots=True)
class Event:
    """`at` is in seconds of the responder's clock. `form` None: no form is concerned. `message`: what VDP said."""

    at: float
    what: What
    form: Form | None = None
    message: Message | None = None
    sequence: int | None = None
    words: str = ""

    def line(self) -> str:
        """One object of JSON; what is absent is left out."""
        said: dict[str, object] = {"at": round(self.at, 4), "what": self.what.value}
        if self.form:
            said["form"] = self.form.value
        if self.sequence is not None:
            said["sequence"] = self.sequence
        if self.words:
            said["words"] = self.words
        if self.message:
            said |= _told(self.message)
        return json.dumps(said)


def _told(message: Message) -> dict[str, object]:
    vsi = message.vsi
    return {
        "mode": message.mode.value,
        "status": message.status,
        "manager": vsi.manager.hex(),
        "type_id": vsi.type_id,
        "type_version": vsi.type_version,
        "instance_id": str(vsi.instance_id),
        "entries": [[entry.mac.hex(":"), entry.vlan, entry.priority] for entry in vsi.entries],
    }
