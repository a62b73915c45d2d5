"""Locks ports together with what their settings follow from: their networks, QoS policies and port profiles.

Whoever binds a port, or changes how a bound one is set, comes here first. A network, QoS policy or port profile
that is being changed is waited for, and one that wants to change waits: so either the binding is made from the newest
rows, or the change finds the binding and rewires it. Order: networks, QoS policies, port profiles, ports, each by id;
hosts come after.
"""

from collections.abc import Collection

from fairlead.control.boundary import Tx
from fairlead.model.errors import Conflict
from fairlead.model.ids import PortId, PortProfileId, QosPolicyId
from fairlead.model.port import Port


def lock_ports(
    tx: Tx,
    port_ids: Collection[PortId],
    wanted_policy: QosPolicyId | None = None,
    wanted_profile: PortProfileId | None = None,
) -> tuple[Port, ...]:
    """Those of the ports that are there, by id, newest and held; `wanted_policy` and `wanted_profile` are what they
    shall have. Raises Conflict `stale` where one changed meanwhile.
    """
    seen = sorted(tx.ports.find(id=tuple(port_ids)) if port_ids else (), key=lambda port: port.id)
    networks = tuple(map(tx.networks.share, sorted({port.network_id for port in seen})))
    inherited = {network.qos_policy_id for network in networks if network is not None}
    policies = {port.qos_policy_id for port in seen} | inherited | {wanted_policy}
    held = {policy for policy in sorted(filter(None, policies)) if tx.qos_policies.share(policy)}
    defaults = {network.port_profile_id for network in networks if network is not None}
    profiles = {port.port_profile_id for port in seen} | defaults | {wanted_profile}
    shared = {profile for profile in sorted(filter(None, profiles)) if tx.port_profiles.share(profile)}
    ports = tuple(port for port in (tx.ports.hold(port.id) for port in seen) if port is not None)
    if len(ports) < len(seen):
        raise Conflict("stale", "A port went while its network was being locked.")
    if any(port.qos_policy_id not in {None, *held} for port in ports):
        raise Conflict("stale", "The QoS policy of a port changed while the old one was being locked.")
    if any(port.port_profile_id not in {None, *shared} for port in ports):
        raise Conflict("stale", "The port profile of a port changed while the old one was being locked.")
    return ports
