"""Ports as people know them, for refusals: by name, and by the server that has them."""

from collections.abc import Sequence

from fairlead.control.boundary import Tx
from fairlead.model.port import Port

_NAMED = 5


def in_words(tx: Tx, ports: Sequence[Port]) -> str:
    """Such as "port p1, port 5d1c... of server web"; the first few, the rest counted. Ids stand in for no names."""
    shown = ports[:_NAMED]
    ids = tuple({port.server_id for port in shown if port.server_id})
    servers = {server.id: server.name or server.id for server in (tx.servers.find(id=ids) if ids else ())}
    words = [
        f"port {port.name or port.id}"
        + (f" of server {servers.get(port.server_id, port.server_id)}" if port.server_id else "")
        for port in shown
    ]
    return ", ".join(words) + (f" and {len(ports) - _NAMED} more" if len(ports) > _NAMED else "")
