"""Ports whose settings contradict each other, so that nobody can say how their hosts shall set them.

No request makes one: a hand in the database does. Its server is left out of its host's document, so the host neither
starts it nor takes anything from it: a guest that is there keeps all that it has, as one that the document does not
name. All others are told as ever. A port that is given up needs no settings, so detaching it, or deleting its server,
is a way out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fairlead.control.boundary import Tx
from fairlead.control.events import tell_port
from fairlead.control.faults import blame
from fairlead.control.telling import told_of
from fairlead.hoststate.settings import Settings
from fairlead.model.binding import Binding
from fairlead.model.device import Device
from fairlead.model.errors import Failure, Refusal
from fairlead.model.host import Host
from fairlead.model.ids import DeviceId, PortId, ServerId
from fairlead.model.lifecycle import WIRING, after, allows
from fairlead.model.port_settings import PortSettings
from fairlead.model.request import Nic
from fairlead.model.server import Server, ServerStatus

CONTRADICTS = "port_contradicts"
"""The code of the failure of such a port, and of its server's fault."""
_HINT = (
    "Until they agree the server stays on its host as it is, and is not started. Change the port, its network, port "
    "profile or QoS policy, or detach the port."
)


@dataclass(frozen=True, slots=True)
class Told:
    """What holds for ports, what their drivers make of it, and the ports of which neither can be said: why."""

    in_force: Mapping[PortId, PortSettings]
    wirings: Mapping[PortId, Settings]
    contradictions: Mapping[PortId, Refusal]


def told(bindings: Iterable[Binding], nics: Mapping[PortId, Nic], devices: Mapping[DeviceId, Device]) -> Told:
    """What a host is told of the ports that are bound there; `devices` are its own."""
    in_force: dict[PortId, PortSettings] = {}
    wirings: dict[PortId, Settings] = {}
    contradictions: dict[PortId, Refusal] = {}
    for binding in bindings:
        nic = nics[binding.port_id]
        try:
            asked, made = nic.settings, told_of(binding, nic, devices)
        except Refusal as refusal:
            contradictions[binding.port_id] = refusal
        else:
            in_force[binding.port_id], wirings[binding.port_id] = asked, made
    return Told(in_force, wirings, contradictions)


def note(
    tx: Tx,
    host: Host,
    servers: Iterable[Server],
    bindings: Iterable[Binding],
    contradictions: Mapping[PortId, Refusal],
) -> frozenset[ServerId]:
    """The servers of which their host is told nothing. They say so, and their ports have failed; of one to which that
    applies no more it is taken back, but for ERROR, which ends with what its host reports.
    """
    bound = {binding.port_id: binding for binding in bindings}
    left_out: set[ServerId] = set()
    for server in servers:
        found = [port_id for port_id in server.ports if port_id in contradictions]
        failures = [_failed(tx, host, server, bound[port_id], contradictions[port_id]) for port_id in found]
        if failures:
            left_out.add(server.id)
            blame(tx, server, failures[0])
        said = server.fault is not None and server.fault.code == CONTRADICTS
        if said and not found and server.status is not ServerStatus.ERROR:
            tx.servers.put(replace(server, fault=None, fault_at=None))
    return frozenset(left_out)


def _failed(tx: Tx, host: Host, server: Server, binding: Binding, refusal: Refusal) -> Failure:
    """By the document that is being made: what the host did by older ones does not wire it."""
    port_id = binding.port_id
    failure = Failure(CONTRADICTS, "Telling its host of", f"port {port_id}", refusal.message, _HINT)
    if binding.failure != failure and allows(WIRING, binding.wiring, "failed"):
        wiring = after(WIRING, binding.wiring, "failed")
        failed = replace(binding, wiring=wiring, failure=failure, generation=host.generation)
        tx.bindings.put(failed)
        tell_port(tx, server, port_id, "port_failed", str(failure), is_failure=True)
    return failure
