"""Tells hosts that what they were told of some ports has changed.

Whoever changes a network or a QoS policy has locked it and only then looked for its ports. Locks are then taken in
this order: the ports that servers have, which whoever claims devices for them locks too (`port_locks`), by id; then
the hosts by id.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from fairlead.control.boundary import Tx
from fairlead.control.generations import advance
from fairlead.control.vsi_instances import check_instance
from fairlead.model.binding import Binding, BindingRole, Wiring
from fairlead.model.errors import Conflict
from fairlead.model.ids import HostId, PortId
from fairlead.model.lifecycle import WIRING, after
from fairlead.model.port import Port


def rewire(tx: Tx, ports: Iterable[Port], details: Mapping[PortId, dict[str, str]]) -> None:
    """The ports' settings change: their bindings are PENDING until the host reports the new generation. `details`: the
    VIF details of their bindings from now on. The hosts of bindings that wait are locked as well, and told nothing.
    """
    bindings = _locked_bindings(tx, ports)
    generations = _next_generations(tx, bindings)
    for binding in bindings:
        wiring = after(WIRING, binding.wiring, "changed")
        changed = replace(binding, wiring=wiring, generation=generations[binding.host_id], failure=None)
        changed = changed.with_details(details[binding.port_id])
        check_instance(tx, changed)
        tx.bindings.put(changed)


def retell(tx: Tx, ports: Iterable[Port]) -> None:
    """Something about the ports changes that their guests learn at the next boot, such as an address: the
    hosts get a new generation, the wiring stands.
    """
    _next_generations(tx, _locked_bindings(tx, ports))


def bound_among(tx: Tx, ports: Iterable[Port]) -> list[Binding]:
    """The bindings of those ports that a host has been told of, and not to end. One that waits on another host is made
    from the newest rows when it is activated.
    """
    wanted = tuple(port.id for port in ports if port.server_id)
    found = tx.bindings.find(port_id=wanted, role=BindingRole.ACTIVE) if wanted else ()
    return [binding for binding in found if binding.wiring is not Wiring.UNWIRING]


def _locked_bindings(tx: Tx, ports: Iterable[Port]) -> list[Binding]:
    in_order = sorted(ports, key=lambda port: port.id)
    for port in in_order:
        if port.server_id:
            tx.ports.hold(port.id)
    return bound_among(tx, in_order)


def _next_generations(tx: Tx, bindings: list[Binding]) -> dict[HostId, int]:
    generations: dict[HostId, int] = {}
    told, waiting = {binding.host_id for binding in bindings}, _waiting(tx, bindings)
    for host_id in sorted(told | waiting):
        host = tx.hosts.hold(host_id)
        if host is None:
            raise Conflict("stale", "A host went while its bindings were being looked for.")
        if host_id in told:
            generations[host_id] = advance(tx, host).generation
    for binding in bindings:
        if tx.bindings.get((binding.port_id, binding.host_id)) != binding:
            raise Conflict("stale", "A binding changed while its host was being locked.")
    return generations


def _waiting(tx: Tx, bindings: list[Binding]) -> set[HostId]:
    """Where else those ports, which are held, have a binding."""
    ports = tuple(binding.port_id for binding in bindings)
    found = tx.bindings.find(port_id=ports, role=BindingRole.INACTIVE) if ports else ()
    return {binding.host_id for binding in found}
