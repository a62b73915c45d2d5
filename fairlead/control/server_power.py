"""Servers that are to halt where they are, in memory or on disk, and to go on."""

from dataclasses import replace

from fairlead.control.boundary import Tx
from fairlead.control.servers import acted_on, told
from fairlead.model.errors import Conflict
from fairlead.model.ids import ServerId
from fairlead.model.server import Power, Server, ServerStatus


def pause(tx: Tx, server_id: ServerId, request_id: str = "") -> Server:
    """The guest is halted and keeps memory and devices. Raises NotFound, WrongState."""
    server, host = acted_on(tx, server_id, "pause", ServerStatus.ACTIVE)
    paused = replace(server, power=Power.PAUSED, hard_reboot=False)
    return told(tx, paused, host, "server_pause_asked", "Server {} is to pause.", request_id)


def unpause(tx: Tx, server_id: ServerId, request_id: str = "") -> Server:
    """The guest goes on where it was halted. Raises NotFound, WrongState."""
    server, host = acted_on(tx, server_id, "unpause", ServerStatus.PAUSED)
    running = replace(server, power=Power.RUNNING, hard_reboot=False)
    return told(tx, running, host, "server_unpause_asked", "Server {} is to go on.", request_id)


def suspend(tx: Tx, server_id: ServerId, request_id: str = "") -> Server:
    """The guest's memory is written to disk, and it gives up its NICs that are passed through, which stay its server's.
    A guest that does not let go of one runs on with all of them. Raises NotFound, WrongState, and Conflict
    `wrong_state` for one with devices that are no NICs.
    """
    server, host = acted_on(tx, server_id, "suspend", ServerStatus.ACTIVE)
    whole = [row.request_id for row in tx.allocations.find(server_id=server_id) if row.port_id is None]
    if whole:
        raise Conflict(
            "wrong_state",
            f"Cannot 'suspend' instance {server_id}: it has devices that are no NICs ({', '.join(sorted(whole))}), "
            "whose state cannot be saved. Pause or stop it instead.",
        )
    asleep = replace(server, power=Power.SUSPENDED, hard_reboot=False, fault=None, fault_at=None)
    return told(tx, asleep, host, "server_suspend_asked", "Server {} is to be suspended.", request_id)


def resume(tx: Tx, server_id: ServerId, request_id: str = "") -> Server:
    """The guest goes on from what was saved, and gets its NICs back. Raises NotFound, WrongState."""
    server, host = acted_on(tx, server_id, "resume", ServerStatus.SUSPENDED)
    running = replace(server, power=Power.RUNNING, hard_reboot=False)
    return told(tx, running, host, "server_resume_asked", "Server {} is to be resumed.", request_id)
