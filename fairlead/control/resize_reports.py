"""What a report says of servers that become another size, or go back: when their guests have it."""

from dataclasses import replace

from fairlead.control import migrations
from fairlead.control.boundary import Tx
from fairlead.control.events import tell_server
from fairlead.hoststate.observed import ObservedGuest
from fairlead.model.lifecycle import SERVER, after
from fairlead.model.server import Resize, Server


def is_disk_settled(server: Server, guest: ObservedGuest) -> bool:
    """Whether a guest that is down has its disk as it is to be: that of its serial, and the one of before a resize is
    kept, or is its disk again. One that runs has: its host sees to that before it starts it.
    """
    if guest.disk_serial != server.disk_serial:
        return False
    if server.resize is None or not server.has_disk:
        return True
    return (server.resize.migration_id in guest.kept_disks) is not server.resize.is_reverting


def resized(tx: Tx, server: Server, resize: Resize, event: str) -> Server:
    """The server, whose guest has come up (event running) or is down (stopped) as it is to be: it waits for its owner's
    word, or is what it was.
    """
    if resize.is_reverting:
        return _reverted(tx, server, resize, event)
    status = after(SERVER, server.status, "resized")
    if status is server.status:
        return server
    migrations.note(tx, resize.migration_id, "resized")
    since = resize.finished_at or tx.now
    waiting = replace(
        server,
        status=status,
        resize=replace(resize, finished_at=since),
        fault=None,
        fault_at=None,
        updated_at=tx.now,
    )
    message = (
        f"Server {server.name} is of flavor {server.flavor.name} now. It waits to be confirmed or reverted."
    )
    tell_server(tx, waiting, "server_resized", message)
    return waiting


def _reverted(tx: Tx, server: Server, resize: Resize, event: str) -> Server:
    migrations.note(tx, resize.migration_id, "reverted")
    back = replace(
        server,
        status=after(SERVER, server.status, event),
        resize=None,
        fault=None,
        fault_at=None,
        updated_at=tx.now,
    )
    message = f"Server {server.name} is of flavor {server.flavor.name} again."
    tell_server(tx, back, "server_resize_reverted", message)
    return back
