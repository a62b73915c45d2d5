"""Servers that are to halt where they are, in memory or on disk, and to go on."""

from dataclasses import replace

from fairlead.control.boundary import Tx
from fairlead.control.servers import acted_on, told
from fairlead.model.binding import Wiring
from fairlead.model.errors import Conflict
from fairlead.model.host import Host
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
    `wrong_state` for one with devices that are no NICs, or with ports that it is still to give up.
    """
    server, host = acted_on(tx, server_id, "suspend", ServerStatus.ACTIVE)
    _check_no_port_leaves(tx, server, host)
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


def _check_no_port_leaves(tx: Tx, server: Server, host: Host) -> None:
    """What is saved of a guest names the NICs that it has: without one of them it could not go on."""
    unwiring = tx.bindings.find(host_id=host.id, wiring=Wiring.UNWIRING)
    leaving = sorted(binding.port_id for binding in unwiring if binding.port_id in server.ports)
    if leaving:
        raise Conflict(
            "wrong_state",
            f"Cannot 'suspend' instance {server.id}: its guest still gives up ports ({', '.join(leaving)}). "
            "Suspend it once it has, or reboot it hard before.",
        )
