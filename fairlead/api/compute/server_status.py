"""A server's status in Nova's four words: status, vm_state, task_state, power_state.

Sources: nova.api.openstack.common (_STATE_MAP), nova.compute.{vm_states,task_states,power_state}.
"""

from dataclasses import dataclass
from typing import assert_never

from fairlead.control.servers import WrongState
from fairlead.model.errors import Conflict
from fairlead.model.server import Power, Server, ServerStatus

_POWER_STATES = {"running": 1, "paused": 3, "stopped": 4, "saved": 4, "crashed": 6}


@dataclass(frozen=True, slots=True)
class Shown:
    """`task_state` None: nothing is under way."""

    status: str
    vm_state: str
    task_state: str | None
    power_state: int


def shown_status(server: Server) -> Shown:
    """The server's status as Nova has it."""
    return Shown(*_words(server), _power_state(server))


def statuses_behind(word: str) -> tuple[ServerStatus, ...]:
    """The statuses that a server may have which is shown with that status; one that goes is shown as it was."""
    own = (status for status in ServerStatus if status.value == word)
    return (*own, *_BEHIND.get(word, ()), ServerStatus.DELETING)


def in_novas_words(refused: WrongState) -> Conflict:
    """As nova.api.openstack.common.raise_http_conflict_for_instance_invalid_state has them."""
    server = refused.server
    if server.host_id is None:
        return refused
    shown = shown_status(server)
    state = f"task_state {shown.task_state}" if shown.task_state else f"vm_state {shown.vm_state}"
    return Conflict(refused.code, f"Cannot '{refused.action}' instance {server.id} while it is in {state}")


def _words(server: Server) -> tuple[str, str, str | None]:
    match server.status:
        case ServerStatus.BUILD:
            return "BUILD", "building", "spawning" if server.host_id else "scheduling"
        case ServerStatus.ACTIVE:
            return _words_of_active(server)
        case ServerStatus.PAUSED | ServerStatus.SUSPENDED:
            return _words_of_halted(server)
        case ServerStatus.REBUILD:
            was = "stopped" if server.power is Power.STOPPED else "active"
            return "REBUILD", was, "rebuilding"
        case ServerStatus.SHUTOFF:
            return "SHUTOFF", "stopped", _going_on(server, "powering-on")
        case ServerStatus.RESIZE:
            return "RESIZE", _before_resize(server), _resizing(server)
        case ServerStatus.VERIFY_RESIZE:
            return "VERIFY_RESIZE", "resized", None
        case ServerStatus.REVERT_RESIZE:
            return "REVERT_RESIZE", "resized", "resize_reverting"
        case ServerStatus.ERROR:
            return "ERROR", "error", None
        case ServerStatus.DELETING:
            return (*_before_deletion(server), "deleting")
        case never:
            assert_never(never)


_BEHIND = {"REBOOT": (ServerStatus.ACTIVE,), "HARD_REBOOT": (ServerStatus.ACTIVE,)}
"""Words that are none of our own statuses."""
_LEAVING = {
    Power.RUNNING: None,
    Power.PAUSED: "pausing",
    Power.SUSPENDED: "suspending",
    Power.STOPPED: "powering-off",
}


def _words_of_active(server: Server) -> tuple[str, str, str | None]:
    if not server.is_rebooting:
        return "ACTIVE", "active", _LEAVING[server.power]
    if server.hard_reboot:
        return "HARD_REBOOT", "active", "rebooting_hard"
    return "REBOOT", "active", "rebooting"


def _words_of_halted(server: Server) -> tuple[str, str, str | None]:
    if server.status is ServerStatus.PAUSED:
        return "PAUSED", "paused", _going_on(server, "unpausing")
    return "SUSPENDED", "suspended", _going_on(server, "resuming")


def _going_on(server: Server, word: str) -> str | None:
    """What one that is not up is about: to run again, in that word unless it is made to."""
    if server.power is not Power.RUNNING:
        return None
    return "rebooting_hard" if server.hard_reboot else word


def _before_resize(server: Server) -> str:
    was_up = server.resize is None or server.resize.power is Power.RUNNING
    return "active" if was_up else "stopped"


def _resizing(server: Server) -> str:
    """Until its guest is down it has the old size, and then the new one."""
    return "resize_migrating" if server.guest_state == "running" else "resize_finish"


def _before_deletion(server: Server) -> tuple[str, str]:
    """Nova shows a server that is being deleted as it was before."""
    if server.fault is not None:
        return "ERROR", "error"
    return _BY_GUEST.get(server.guest_state, ("SHUTOFF", "stopped"))


_BY_GUEST = {
    "running": ("ACTIVE", "active"),
    "paused": ("PAUSED", "paused"),
    "saved": ("SUSPENDED", "suspended"),
}


def _power_state(server: Server) -> int:
    """0 is NOSTATE: no guest, or none that was seen yet."""
    return _POWER_STATES.get(server.guest_state, 0)
