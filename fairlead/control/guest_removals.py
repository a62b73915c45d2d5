"""Guests that are no server's: hosts keep them as they are, until their operator has them removed.

Such guests are there where a database is fresh or was restored from a copy, or where a host was forgotten and has
enrolled again. They are known by the holds of their hosts alone.
"""

from collections.abc import Collection
from dataclasses import replace

from fairlead.control.boundary import Tx
from fairlead.control.events import tell_host
from fairlead.control.generations import advance
from fairlead.model.errors import Conflict, NotFound
from fairlead.model.host import Host
from fairlead.model.ids import HostId, ServerId


def remove_guest(tx: Tx, host_id: HostId, server_id: ServerId) -> None:
    """The guest shall go from the host, with its disk. Raises NotFound for a host or guest that is not there,
    Conflict `in_use` for a guest whose server is on the host: to be deleted as a server is.
    """
    host = tx.hosts.lock(host_id)
    server = tx.servers.get(server_id)
    if server is not None and server.host_id == host.id:
        raise Conflict(
            "in_use",
            f"Guest {server_id} is that of server {server.name}. Delete the server instead: `fairlead server delete "
            f"{server.name}`.",
            field="guest",
        )
    if server_id in host.removals:
        return
    if server_id not in {hold.subject for hold in host.holds if hold.is_unnamed_guest}:
        raise NotFound("guest", server_id)
    host = advance(tx, replace(host, removals=(*host.removals, server_id)))
    message = (
        f"Guest {server_id}, which is no server's, is to be removed from host {host.name} with its disk."
    )
    tell_host(tx, host, "guest_removal_asked", message)


def without_gone(tx: Tx, host: Host, guests: Collection[ServerId]) -> Host:
    """The host with those removals alone that are still to be done, of the guests that it reports."""
    servers = {server.id for server in tx.servers.find(host_id=host.id)} if host.removals else set()
    left = tuple(guest for guest in host.removals if guest in guests and guest not in servers)
    return replace(host, removals=left)
