"""Life cycles as tables. No status is assigned anywhere else: ask `after` for the next one."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from fairlead.model.binding import Binding, Wiring
from fairlead.model.device import DeviceStatus as D
from fairlead.model.errors import Conflict
from fairlead.model.port import PortStatus
from fairlead.model.server import ServerStatus as S

Status = TypeVar("Status", bound=Enum)
Table = Mapping[tuple[Status, str], Status]

DEVICE: Table[D] = {
    (D.AVAILABLE, "claim"): D.CLAIMED,
    (D.CLAIMED, "wired"): D.ALLOCATED,
    (D.ALLOCATED, "wired"): D.ALLOCATED,
    (D.CLAIMED, "release"): D.RELEASING,
    (D.ALLOCATED, "release"): D.RELEASING,
    (D.FAULTY, "release"): D.FAULTY,
    (D.RELEASING, "release"): D.RELEASING,
    (D.RELEASING, "scrubbed"): D.AVAILABLE,
    (D.FAULTY, "scrubbed"): D.AVAILABLE,
    (D.RELEASING, "scrub_failed"): D.FAULTY,
    (D.AVAILABLE, "scrub_failed"): D.FAULTY,
    **{(status, "vanished"): D.MISSING for status in D},
    (D.MISSING, "returned"): D.RELEASING,
    (D.MISSING, "release"): D.MISSING,
    (D.MISSING, "returned_held"): D.CLAIMED,
}
"""A device that vanished comes back unscrubbed: RELEASING unless held, then CLAIMED. A server that is deleted
while its device is away gives it up all the same.
"""

WIRING: Table[Wiring] = {
    (Wiring.PENDING, "wired"): Wiring.WIRED,
    (Wiring.WIRED, "wired"): Wiring.WIRED,
    (Wiring.PENDING, "failed"): Wiring.FAILED,
    (Wiring.WIRED, "failed"): Wiring.FAILED,
    (Wiring.FAILED, "failed"): Wiring.FAILED,
    (Wiring.WIRED, "changed"): Wiring.PENDING,
    (Wiring.PENDING, "changed"): Wiring.PENDING,
    (Wiring.FAILED, "changed"): Wiring.PENDING,
    (Wiring.FAILED, "wired"): Wiring.WIRED,
    (Wiring.UNWIRING, "failed"): Wiring.UNWIRING,
    **{(wiring, "unwire"): Wiring.UNWIRING for wiring in Wiring},
}

SERVER: Table[S] = {
    (S.BUILD, "running"): S.ACTIVE,
    (S.BUILD, "stopped"): S.SHUTOFF,
    (S.ACTIVE, "stopped"): S.SHUTOFF,
    (S.SHUTOFF, "running"): S.ACTIVE,
    (S.ACTIVE, "paused"): S.PAUSED,
    (S.PAUSED, "running"): S.ACTIVE,
    (S.PAUSED, "stopped"): S.SHUTOFF,
    (S.BUILD, "failed"): S.ERROR,
    (S.ACTIVE, "failed"): S.ERROR,
    (S.SHUTOFF, "failed"): S.ERROR,
    (S.PAUSED, "failed"): S.ERROR,
    (S.ERROR, "failed"): S.ERROR,
    (S.ERROR, "running"): S.ACTIVE,
    (S.ERROR, "paused"): S.PAUSED,
    (S.ERROR, "stopped"): S.SHUTOFF,
    (S.ERROR, "place_again"): S.BUILD,
    (S.ACTIVE, "rebuild"): S.REBUILD,
    (S.SHUTOFF, "rebuild"): S.REBUILD,
    (S.ERROR, "rebuild"): S.REBUILD,
    (S.REBUILD, "running"): S.ACTIVE,
    (S.REBUILD, "stopped"): S.SHUTOFF,
    (S.REBUILD, "failed"): S.ERROR,
    **{(status, "delete"): S.DELETING for status in S},
}


def after(table: Table[Status], status: Status, event: str) -> Status:
    """The status that follows; raises Conflict `wrong_state` where the table has no such step."""
    try:
        return table[status, event]
    except KeyError:
        raise Conflict("wrong_state", f"'{event}' is not possible while {status.value}.") from None


def allows(table: Table[Status], status: Status, event: str) -> bool:
    """Whether the table has a step for the event."""
    return (status, event) in table


_UP = frozenset({"running", "paused"})
"""A paused guest keeps its devices, wired as they are."""


def port_status(binding: Binding | None, guest_state: str) -> PortStatus:
    """DOWN without an active binding; PENDING is BUILD; WIRED with a guest that is up ACTIVE; FAILED ERROR. One that is
    being unwired is DOWN, and ERROR while that does not succeed.
    """
    if binding is None:
        return PortStatus.DOWN
    match binding.wiring:
        case Wiring.UNWIRING:
            return PortStatus.ERROR if binding.failure else PortStatus.DOWN
        case Wiring.PENDING:
            return PortStatus.BUILD
        case Wiring.FAILED:
            return PortStatus.ERROR
        case Wiring.WIRED:
            return PortStatus.ACTIVE if guest_state in _UP else PortStatus.DOWN
