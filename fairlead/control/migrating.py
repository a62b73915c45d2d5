"""A server that is asked to move to another host: refused, in words that say where it could go. None moves yet."""

from dataclasses import replace

from fairlead.control.boundary import Tx
from fairlead.control.explaining import fitting_elsewhere, in_few_words
from fairlead.control.servers import acted_on
from fairlead.model.errors import InvalidValue, NoValidHost
from fairlead.model.ids import ServerId
from fairlead.model.server import ServerStatus


def migrate(tx: Tx, server_id: ServerId, to: str | None) -> None:
    """Raises NoValidHost always: what a move needs besides a host (its disk there) is not served. Before that NotFound,
    WrongState, InvalidValue for a host that is not there or is the server's own.
    """
    server, host = acted_on(tx, server_id, "migrate", ServerStatus.ACTIVE, ServerStatus.SHUTOFF)
    if to is not None:
        _check_host(tx, to, host.name)
    others = fitting_elsewhere(tx, replace(server, wanted_host=None))
    fitting = f"It would fit on {in_few_words(others)}." if others else "No other host has room for it."
    stays = f"Server {server.name} stays on host {host.name}: servers do not move between hosts yet."
    raise NoValidHost(f"No valid host was found. {stays} {fitting}")


def _check_host(tx: Tx, to: str, own: str) -> None:
    if not tx.hosts.find(name=to):
        raise InvalidValue("host", to, "the name of a host that is there")
    if to == own:
        raise InvalidValue("host", to, "another host than the server is on")
