"""What happened, in the past tense: one place that makes events, so that all read alike."""

from fairlead.control.agent_words import storable
from fairlead.control.boundary import Tx, server_wake
from fairlead.model.errors import Failure
from fairlead.model.host import Host
from fairlead.model.ids import HostId
from fairlead.model.server import Event, Server


def tell_server(
    tx: Tx, server: Server, kind: str, message: str, *, request_id: str = "", is_failure: bool = False
) -> None:
    """Something happened to the server; whoever waits for it is woken."""
    tx.record(
        Event(
            id=0,
            at=tx.now,
            kind=kind,
            subject=server.id,
            message=storable(message),
            host_id=server.host_id,
            server_id=server.id,
            request_id=request_id,
            is_failure=is_failure,
        )
    )
    tx.wakes.add(server_wake(server.id))


def tell_port(
    tx: Tx, server: Server, port_id: str, kind: str, message: str, *, is_failure: bool = False
) -> None:
    """Something happened to a port of the server."""
    said = storable(message)
    tx.record(Event(0, tx.now, kind, port_id, said, server.host_id, server.id, is_failure=is_failure))
    tx.wakes.add(server_wake(server.id))


def tell_failure(tx: Tx, server: Server, kind: str, failure: Failure) -> None:
    """Something that the server needs did not work."""
    tell_server(tx, server, kind, str(failure), is_failure=True)


def tell_host(tx: Tx, host: Host, kind: str, message: str, *, request_id: str = "") -> None:
    """Something happened to the host."""
    tx.record(Event(0, tx.now, kind, host.id, storable(message), host.id, request_id=request_id))


def tell_device(tx: Tx, host_id: HostId, device_id: str, kind: str, message: str) -> None:
    """Something happened to a device of the host."""
    tx.record(Event(0, tx.now, kind, device_id, storable(message), host_id))
