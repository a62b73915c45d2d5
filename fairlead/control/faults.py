"""A server that cannot be what it should: it says why, once for each reason, and is in ERROR unless it runs on."""

from dataclasses import replace

from fairlead.control.boundary import Tx
from fairlead.control.events import tell_failure
from fairlead.model.errors import Failure
from fairlead.model.lifecycle import SERVER, after, allows
from fairlead.model.server import Server


def fail(tx: Tx, server: Server, failure: Failure, kind: str) -> Server:
    """The locked server with the failure as its fault, told as an event of that kind where it is a new one. One
    that is being deleted stays so: its fault says what is in the way.
    """
    status = server.status
    if allows(SERVER, status, "failed"):
        status = after(SERVER, status, "failed")
    if (status, failure) == (server.status, server.fault):
        return server
    saved = tx.servers.put(replace(server, status=status, fault=failure, fault_at=tx.now, updated_at=tx.now))
    if failure != server.fault:
        tell_failure(tx, saved, kind, failure)
    return saved


def trouble(tx: Tx, server: Server, failure: Failure, kind: str) -> Server:
    """As `fail`, for what the server runs on without, or with: it stays what it is."""
    if failure == server.fault:
        return server
    saved = tx.servers.put(replace(server, fault=failure, fault_at=tx.now, updated_at=tx.now))
    tell_failure(tx, saved, kind, failure)
    return saved


def blame(tx: Tx, server: Server, failure: Failure) -> None:
    """A failure that is not its guest's: a server that was on its way is in ERROR, for nobody knows how far it comes,
    and any other stays what it is. One that an operator called failed stays that.
    """
    if server.is_called_failed:
        return
    if server.is_at_rest:
        trouble(tx, server, failure, "server_troubled")
    else:
        fail(tx, server, failure, "server_failed")
