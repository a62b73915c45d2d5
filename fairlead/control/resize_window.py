"""Resizes of which nobody has said what is to become: after a while they stand."""

from contextlib import suppress
from datetime import timedelta
from functools import partial

from fairlead.control import resizing
from fairlead.control.boundary import Tx
from fairlead.control.engine import Engine
from fairlead.model.errors import Conflict, NotFound
from fairlead.model.ids import ServerId
from fairlead.model.server import ServerStatus


def confirm_due(engine: Engine, window: timedelta) -> None:
    """Confirm every resize that has waited for its owner's word for that long. One that was reverted or deleted
    meanwhile is left alone.
    """
    for server_id in engine.look(partial(_due, window=window)):
        with suppress(Conflict, NotFound):
            engine.run(partial(resizing.confirm, server_id=server_id))


def _due(tx: Tx, window: timedelta) -> tuple[ServerId, ...]:
    return tuple(
        server.id
        for server in tx.servers.find(status=ServerStatus.VERIFY_RESIZE)
        if server.resize and server.resize.finished_at and tx.now - server.resize.finished_at >= window
    )
