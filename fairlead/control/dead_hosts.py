"""A host whose machine is gone for good: forgotten on its operator's word, with all that was held on it.

Nobody can ask such a host whether its guests run. So it is refused while the host is heard of, and whoever says
that it is dead answers for two guests with one MAC address, should it come back.
"""

from dataclasses import replace

from fairlead.control import hosts
from fairlead.control.boundary import Tx
from fairlead.control.detachments import drop
from fairlead.control.events import tell_server
from fairlead.control.faults import fail
from fairlead.control.hosts import liveness
from fairlead.control.migrations import note_lost
from fairlead.control.nics import give_back, unbind
from fairlead.control.port_bindings import hold_hosts_of, withdraw_all
from fairlead.model.binding import Wiring
from fairlead.model.errors import Conflict, Failure
from fairlead.model.host import Host
from fairlead.model.ids import HostId
from fairlead.model.server import Server, ServerStatus


def forget(tx: Tx, host_id: HostId) -> None:
    """The host is gone with its devices, and nothing is held there any more. Servers that were to be deleted are;
    the others are in ERROR without a host, to be rebooted hard elsewhere or deleted. Raises NotFound, Conflict
    `wrong_state` while the host is heard of, be it that it does not report: its agent may still act.
    """
    hold_hosts_of(tx, tx.servers.find(host_id=host_id))
    host = tx.hosts.lock(host_id)
    state = liveness(host, tx.now)
    if state.is_heard:
        raise Conflict(
            "wrong_state",
            f"Host {host.name} is {state.value.replace('_', ' ')}: its agent was heard of at "
            f"{host.last_seen_at:%Y-%m-%d %H:%M:%S} UTC and may act on its guests. "
            "Only a host that has been silent for 30 seconds can be forgotten by force.",
            field="host",
        )
    for server in tx.servers.find(host_id=host_id):
        _lose(tx, host, tx.servers.lock(server.id))
    hosts.delete(tx, host_id)


def _lose(tx: Tx, host: Host, server: Server) -> None:
    withdraw_all(tx, server.ports)
    for allocation in tx.allocations.find(server_id=server.id):
        tx.allocations.remove(allocation.device_id)
    if server.status is ServerStatus.DELETING:
        give_back(tx, server.id)
        tell_server(tx, server, "server_deleted", f"Server {server.name} is gone, and so is its host.")
        tx.servers.remove(server.id)
        return
    note_lost(tx, server)
    bindings = tx.bindings.find(port_id=server.ports, host_id=host.id) if server.ports else ()
    leaving = tuple(binding.port_id for binding in bindings if binding.wiring is Wiring.UNWIRING)
    server = drop(tx, server, leaving) if leaving else server
    unbind(tx, [binding for binding in bindings if binding.port_id not in leaving])
    failure = Failure(
        "host_gone",
        "Keeping",
        f"server {server.name} on host {host.name}",
        "the host was declared dead and forgotten, with the server's disk",
        "Reboot the server hard, and it begins anew from its image on another host; or delete it.",
    )
    homeless = tx.servers.put(
        replace(server, host_id=None, cells=(), resize=None, guest_state="", generation=0)
    )
    fail(tx, homeless, failure, "server_failed")
