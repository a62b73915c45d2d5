"""What a server needs of a host, from its rows: the one way there for booting, placing, claiming, explaining."""

from collections.abc import Sequence
from dataclasses import replace

from fairlead.control.boundary import Tx
from fairlead.control.host_rules import Whereabouts, rules_for, whereabouts_of
from fairlead.control.macs import with_macs_taken
from fairlead.drivers.registry import speaks_to
from fairlead.model.ids import PortId, PortProfileId, QosPolicyId
from fairlead.model.network import Network
from fairlead.model.port import Port
from fairlead.model.port_profile import PortProfile
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
    return with_macs_taken(tx, server_request(flavor, nics_of(tx, ports), aliases, host), ports)


def ports_of(tx: Tx, port_ids: Sequence[PortId]) -> tuple[Port, ...]:
    """The ports, in that order; those that are gone are left out."""
    found = {port.id: port for port in (tx.ports.find(id=tuple(port_ids)) if port_ids else ())}
    return tuple(found[port_id] for port_id in port_ids if port_id in found)


def nics_of(tx: Tx, ports: Sequence[Port]) -> tuple[Nic, ...]:
    """Each port with its network, and the QoS policy and port profile that hold for it, in their order."""
    if not ports:
        return ()
    networks = {network.id: network for network in tx.networks.find(id=tuple({p.network_id for p in ports}))}
    pairs = [(port, networks[port.network_id]) for port in ports]
    policy_ids = tuple({policy_in_force(*pair) for pair in pairs} - {None})
    policies = {policy.id: policy for policy in (tx.qos_policies.find(id=policy_ids) if policy_ids else ())}
    profile_ids = tuple({profile_in_force(*pair) for pair in pairs} - {None})
    profiles = {found.id: found for found in (tx.port_profiles.find(id=profile_ids) if profile_ids else ())}

    def nic(port: Port, network: Network) -> Nic:
        policy_id, profile_id = policy_in_force(port, network), profile_in_force(port, network)
        policy = policies[policy_id] if policy_id else None
        return Nic(
            port, network, policy, holding(port, network, profiles[profile_id] if profile_id else None)
        )

    return tuple(nic(*pair) for pair in pairs)


def nic_of(tx: Tx, port: Port, network: Network) -> Nic:
    """The same of one port, which need not be there yet, on that network; raises NotFound."""
    policy_id, profile_id = policy_in_force(port, network), profile_in_force(port, network)
    policy = tx.qos_policies.fetch(policy_id) if policy_id else None
    profile = tx.port_profiles.fetch(profile_id) if profile_id else None
    return Nic(port, network, policy, holding(port, network, profile))


def policy_in_force(port: Port, network: Network) -> QosPolicyId | None:
    """The QoS policy that holds for the port: its own, else its network's."""
    return port.qos_policy_id or network.qos_policy_id


def holding(port: Port, network: Network, profile: PortProfile | None) -> PortProfile | None:
    """The port's own profile, or its network's where that speaks to such ports; None: it has none."""
    is_own = port.port_profile_id is not None
    if profile is None or is_own or speaks_to(profile, port.vnic_type, network.link_layer):
        return profile
    return None


def profile_in_force(port: Port, network: Network) -> PortProfileId | None:
    """The port profile that holds for the port, where it speaks to such ports: its own, else its network's."""
    return port.port_profile_id or network.port_profile_id
