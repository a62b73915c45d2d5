"""Servers that are to halt where they are, and to go on."""

from dataclasses import replace

from fairlead.control.boundary import Tx
from fairlead.control.servers import acted_on, told
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
