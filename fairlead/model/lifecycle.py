"""Life cycles as tables. No status is assigned anywhere else: ask `after` for the next one."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from fairlead.model.binding import Binding, Wiring
from fairlead.model.device import DeviceStatus as D
from fairlead.model.errors import Conflict
from fairlead.model.migration import MigrationStatus as M
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
    (D.AVAILABLE, "doubted"): D.RELEASING,
    **{(status, "vanished"): D.MISSING for status in D},
    (D.MISSING, "returned"): D.RELEASING,
    (D.MISSING, "release"): D.MISSING,
    (D.MISSING, "returned_held"): D.CLAIMED,
}
"""A device that vanished comes back unscrubbed: RELEASING unless held, then CLAIMED. A server that is deleted
while its device is away gives it up all the same. Doubted is one that nobody holds and somebody may have used.
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
    (S.ACTIVE, "suspended"): S.SUSPENDED,
    (S.SUSPENDED, "running"): S.ACTIVE,
    (S.SUSPENDED, "stopped"): S.SHUTOFF,
    (S.SUSPENDED, "failed"): S.ERROR,
    (S.ERROR, "suspended"): S.SUSPENDED,
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
    (S.ACTIVE, "resize"): S.RESIZE,
    (S.SHUTOFF, "resize"): S.RESIZE,
    (S.RESIZE, "resized"): S.VERIFY_RESIZE,
    (S.VERIFY_RESIZE, "resized"): S.VERIFY_RESIZE,
    (S.ERROR, "resized"): S.VERIFY_RESIZE,
    (S.VERIFY_RESIZE, "confirm"): S.ACTIVE,
    (S.VERIFY_RESIZE, "revert"): S.REVERT_RESIZE,
    (S.ERROR, "revert"): S.REVERT_RESIZE,
    (S.REVERT_RESIZE, "running"): S.ACTIVE,
    (S.REVERT_RESIZE, "stopped"): S.SHUTOFF,
    **{(status, "failed"): S.ERROR for status in (S.RESIZE, S.VERIFY_RESIZE, S.REVERT_RESIZE)},
    **{(status, "delete"): S.DELETING for status in S},
}


MIGRATION: Table[M] = {
    (M.MIGRATING, "resized"): M.FINISHED,
    (M.FINISHED, "resized"): M.FINISHED,
    (M.FINISHED, "confirm"): M.CONFIRMED,
    (M.MIGRATING, "revert"): M.REVERTING,
    (M.FINISHED, "revert"): M.REVERTING,
    (M.REVERTING, "reverted"): M.REVERTED,
    (M.MIGRATING, "lost"): M.ERROR,
    (M.FINISHED, "lost"): M.CONFIRMED,
    (M.REVERTING, "lost"): M.ERROR,
}
"""A server that goes, or that loses its host, takes back nothing any more: what was finished stands."""


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
