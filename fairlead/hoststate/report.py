"""What the agent tells control: what was seen after it acted, and what it could not do."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.hoststate.observed import ObservedState
from fairlead.model.errors import Failure
from fairlead.model.host import Hold
from fairlead.model.ids import DeviceId, HostId, PortId, ServerId


@dataclass(frozen=True, slots=True)
class SubjectFailure:
    """A failed chain: which server, port or device it was for, and why. `leaves_traces`: the device may still
    carry something of its last owner. `spares_server`: its guest runs on as it is, and the failure is the port's.
    """

    failure: Failure
    server_id: ServerId | None = None
    port_id: PortId | None = None
    device_id: DeviceId | None = None
    leaves_traces: bool = False
    spares_server: bool = False


@dataclass(frozen=True, slots=True)
class HostEvent:
    """Something the agent saw or did, in the past tense: `drift_repaired`, `guest_started`, `vf_scrubbed`...

    It goes with one report; the agent drops it when that report is acknowledged. `message` says what, and not
    of whom: control, which knows the names, puts them before it.
    """

    at: datetime
    kind: str
    subject: str
    message: str
    server_id: ServerId | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """`generation`: the newest desired state that was acted on before `observed` was read. `serial`: one more than
    that of the newest report which control had applied before this one was made; control applies it only while
    that is so. Hence none is applied after one that was made later, whichever life of the agent made them, and an
    agent needs to remember no serial: control tells.

    `wired` are the ports whose VF or tap was read back as wanted in this pass.
    """

    host_id: HostId
    generation: int
    serial: int
    agent_version: str
    observed: ObservedState
    wired: tuple[PortId, ...] = ()
    holds: tuple[Hold, ...] = ()
    failures: tuple[SubjectFailure, ...] = ()
    events: tuple[HostEvent, ...] = ()
