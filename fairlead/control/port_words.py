"""Ports as people know them, for refusals: by name, and by the server that has them."""

from collections.abc import Sequence

from fairlead.control.boundary import Tx
from fairlead.model.ids import ProjectId
from fairlead.model.port import Port

_NAMED = 5


def in_words(tx: Tx, ports: Sequence[Port], project_id: ProjectId | None) -> str:
    """Such as "port p1, port 5d1c... of server web"; the first few, the rest counted. Ids stand in for no names, and
    for ports of other projects than that one: whose network it is sees them, but not what servers they are of.
    """
    shown = ports[:_NAMED]
    ids = tuple({port.server_id for port in shown if port.server_id and port.project_id == project_id})
    servers = {server.id: server.name or server.id for server in (tx.servers.find(id=ids) if ids else ())}
    words = [
        f"port {(port.project_id == project_id and port.name) or port.id}"
        + (f" of server {servers.get(port.server_id, port.server_id)}" if port.server_id else "")
        for port in shown
    ]
    return ", ".join(words) + (f" and {len(ports) - _NAMED} more" if len(ports) > _NAMED else "")
