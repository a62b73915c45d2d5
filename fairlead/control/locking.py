"""Nova's lock of a server: its owner's guard against his own hand. An operator goes past it.

Source: nova.compute.api.check_instance_lock; from 2.73 with a reason.
"""

from dataclasses import replace

from fairlead.access.caller import Caller
from fairlead.control.boundary import Tx
from fairlead.control.events import tell_server
from fairlead.control.servers import locked
from fairlead.control.subjects import of_server, refused
from fairlead.model.errors import Conflict
from fairlead.model.ids import ServerId

_PAST_LOCK = "os_compute_api:os-lock-server:unlock:unlock_override"


def lock(tx: Tx, caller: Caller, server_id: ServerId, reason: str | None) -> None:
    """The server is locked, by its owner or by an operator. Raises NotFound."""
    server, _ = locked(tx, server_id)
    by_owner = caller.project_id == server.project_id
    changed = replace(
        server,
        locked=True,
        locked_by_owner=by_owner,
        locked_reason=reason,
        updated_at=tx.now,
    )
    tx.servers.put(changed)
    tell_server(tx, server, "server_locked", f"Server {server.name} is locked.", request_id=caller.request_id)


def unlock(tx: Tx, caller: Caller, server_id: ServerId) -> None:
    """The server is free again. Raises NotFound, NotAllowed for the owner of one that an operator locked."""
    server, _ = locked(tx, server_id)
    if server.locked and not server.locked_by_owner and not caller.may(_PAST_LOCK, of_server(server)):
        raise refused(_PAST_LOCK)
    tx.servers.put(replace(server, locked=False, locked_reason=None, updated_at=tx.now))
    tell_server(
        tx, server, "server_unlocked", f"Server {server.name} is unlocked.", request_id=caller.request_id
    )


def check(tx: Tx, caller: Caller, server_id: ServerId) -> None:
    """Raises NotFound, and Conflict `locked` unless the caller may change it now."""
    server = tx.servers.fetch(server_id)
    if server.locked and not caller.may(_PAST_LOCK, of_server(server)):
        raise Conflict("locked", f"Instance {server_id} is locked")
