"""Steps on copies of guests' disks: what a resize keeps, and what reverting it gives back."""

from typing import assert_never

from fairlead.agent.hands import Hands
from fairlead.hoststate.report import HostEvent
from fairlead.hoststate.steps import DropDisk, KeepDisk, RestoreDisk
from fairlead.model.ids import ServerId

DiskStep = KeepDisk | RestoreDisk | DropDisk


def act(step: DiskStep, hands: Hands) -> HostEvent | None:
    """Do it; the event that people want to know of, if any. Raises Fault when the host says no."""
    server_id = step.server_id
    match step:
        case KeepDisk():
            _set_down(server_id, hands)
            hands.disks.keep(server_id, step.disk_serial, step.name)
            return hands.event("disk_kept", server_id, "its disk is kept as it is.", server_id)
        case RestoreDisk():
            _set_down(server_id, hands)
            hands.disks.restore(server_id, step.disk_serial, step.name)
            return hands.event("disk_restored", server_id, "its disk is as it was kept.", server_id)
        case DropDisk():
            hands.disks.drop(server_id, step.name)
            return None
        case _:
            assert_never(step)


def _set_down(server_id: ServerId, hands: Hands) -> None:
    """Another hand may have started it since it was seen down, and it would write to a disk that is being copied or
    is not its disk any more.
    """
    hands.hypervisor.stop(server_id, is_graceful=False)
