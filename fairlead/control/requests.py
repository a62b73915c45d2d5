"""What a server needs of a host, from its rows: the one way there for booting, placing, claiming, explaining."""

from collections.abc import Sequence
from dataclasses import replace

from fairlead.control.boundary import Tx
from fairlead.control.host_rules import Whereabouts, rules_for, whereabouts_of
from fairlead.control.qos import in_force
from fairlead.model.ids import PortId
from fairlead.model.port import Port
from fairlead.model.request import Nic, ServerRequest, server_request
from fairlead.model.server import Flavor, Server


def request_of(tx: Tx, server: Server) -> ServerRequest:
    """What the server needs; raises InvalidValue for what cannot be honoured (any more)."""
    request = request_for(tx, server.flavor, ports_of(tx, server.ports), server.wanted_host)
    return ruled(tx, request, whereabouts_of(server))


def ruled(tx: Tx, request: ServerRequest, of: Whereabouts) -> ServerRequest:
    """The request with what says on which hosts it may be."""
    rules, leanings = rules_for(tx, of)
    return replace(request, rules=rules, leanings=leanings)


def request_for(tx: Tx, flavor: Flavor, ports: Sequence[Port], host: str | None) -> ServerRequest:
    """What a server of this flavor with these ports needs; raises InvalidValue for what cannot be honoured."""
    aliases = {alias.name: alias for alias in tx.aliases.find()}
    return server_request(flavor, nics_of(tx, ports), aliases, host)


def ports_of(tx: Tx, port_ids: Sequence[PortId]) -> tuple[Port, ...]:
    """The ports, in that order; those that are gone are left out."""
    found = {port.id: port for port in (tx.ports.find(id=tuple(port_ids)) if port_ids else ())}
    return tuple(found[port_id] for port_id in port_ids if port_id in found)


def nics_of(tx: Tx, ports: Sequence[Port]) -> tuple[Nic, ...]:
    """Each port with its network and the QoS policy that holds for it, in their order."""
    if not ports:
        return ()
    networks = {network.id: network for network in tx.networks.find(id=tuple({p.network_id for p in ports}))}
    in_use = {port.id: in_force(port, networks[port.network_id]) for port in ports}
    policy_ids = tuple({policy_id for policy_id in in_use.values() if policy_id})
    policies = {policy.id: policy for policy in (tx.qos_policies.find(id=policy_ids) if policy_ids else ())}

    def nic(port: Port) -> Nic:
        policy_id = in_use[port.id]
        return Nic(port, networks[port.network_id], policies[policy_id] if policy_id else None)

    return tuple(map(nic, ports))
