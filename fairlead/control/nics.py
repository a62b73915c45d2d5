"""From the NICs that a boot asks for to ports: given ones are taken, networks get new ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from fairlead.access.caller import Caller
from fairlead.access.rules import Target
from fairlead.control import ports, qos, sharing
from fairlead.control.addresses import WantedAddress
from fairlead.control.boundary import Tx
from fairlead.control.bridging import free_uplinks
from fairlead.control.macs import generated_mac, give_mac_back
from fairlead.control.port_words import in_words
from fairlead.control.qos import NewQosPolicy
from fairlead.control.requests import holding, nic_of, profile_in_force
from fairlead.control.subjects import of_port, refused, sees_network, sees_policy, sees_profile
from fairlead.drivers.base import BoundPort
from fairlead.drivers.registry import choose
from fairlead.model.binding import Binding, BindingRole, VifType
from fairlead.model.errors import Conflict, InvalidValue, NotFound
from fairlead.model.ids import NetworkId, PortId, PortProfileId, QosPolicyId, QosRuleId, ServerId
from fairlead.model.network import Network
from fairlead.model.port import Port, VnicType
from fairlead.model.qos import (
    Direction,
    QosPolicy,
    QosRule,
    QosRuleKind,
    egress_limit_kbps,
    egress_minimum_kbps,
)
from fairlead.model.request import Nic

MOST_NICS = 32
DEVICE_OWNER = "compute:nova"
"""Neutron's device_owner of a server's port: compute, and the availability zone."""
MADE_FOR_NIC = "fairlead:made-for-nic"
"""Tag of a QoS policy that was made for one NIC's rates: it goes when the NIC's port goes."""
_KBPS = 1000
_TAKES_PORT = "update_port"
"""The rule by which a caller gives a port to a server: it is bound then."""


class NicChoice(Enum):
    """Nova's words in place of a list: the one network there is, or no NIC at all."""

    AUTO = "auto"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class BootNic:
    """A NIC as asked for: a port that is there, or a network and what its new port shall be. Rates in Mbit/s
    seen from the guest's sending side; None: as the network has it.
    """

    network_id: NetworkId | None = None
    port_id: PortId | None = None
    fixed_ip: str | None = None
    tag: str | None = None
    vnic_type: VnicType = VnicType.NORMAL
    alias: str | None = None
    max_mbps: int | None = None
    min_mbps: int | None = None
    trusted: bool = False
    vlan_priority: int = 0
    qos_policy_id: QosPolicyId | None = None
    port_profile_id: PortProfileId | None = None


BootNics = tuple[BootNic, ...] | NicChoice


def listed(tx: Tx, caller: Caller, nics: BootNics) -> tuple[BootNic, ...]:
    """The NICs one by one. AUTO is a NIC on the only network that the project may use; raises Conflict
    `ambiguous` where there are several, and InvalidValue where there is none, or for a malformed list.
    """
    if isinstance(nics, tuple):
        check(nics)
        return nics
    if nics is NicChoice.NONE:
        return ()
    usable = _usable(tx, caller)
    if len(usable) > 1:
        raise Conflict("ambiguous", "Multiple possible networks found, use a Network ID to be more specific.")
    if not usable:
        raise InvalidValue("networks", nics.value, "possible: there is no network. Create one, or say none")
    return (BootNic(network_id=usable[0].id),)


def take(tx: Tx, caller: Caller, server_id: ServerId, nics: Sequence[BootNic]) -> tuple[Port, ...]:
    """The server's ports, in NIC order. Given ports are the server's from now on. Raises InvalidValue for what
    is not there, Conflict `in_use` for a port that somebody has, `no_addresses`, `ip_in_use`.
    """
    for port_id in sorted(nic.port_id for nic in nics if nic.port_id):
        tx.ports.hold(port_id)
    return tuple(
        _taken(tx, caller, server_id, nic) if nic.port_id else _made(tx, caller, server_id, nic)
        for nic in nics
    )


def give_back(tx: Tx, server_id: ServerId) -> None:
    """The server's ports are nobody's: those made for it go, with the QoS policies that only they had."""
    give_back_ports(tx, tx.ports.find(server_id=server_id))


def give_back_ports(tx: Tx, ports: Sequence[Port]) -> None:
    """As `give_back`, of these ports."""
    changed = unbind(tx, tx.bindings.find(port_id=tuple(port.id for port in ports)))
    for port in (changed.get(port.id, port) for port in ports):
        if not port.owned_by_server:
            tx.ports.put(replace(port, server_id=None, device_owner="", updated_at=tx.now))
            continue
        tx.ports.remove(port.id)
        policy = tx.qos_policies.get(port.qos_policy_id) if port.qos_policy_id else None
        if policy and MADE_FOR_NIC in policy.tags and not _is_used(tx, policy):
            tx.qos_policies.remove(policy.id)


def unbind(tx: Tx, bindings: Sequence[Binding]) -> dict[PortId, Port]:
    """The bindings are gone, and uplinks that they alone needed are free. The ports that are changed by that: who had
    the MAC of a PF has one of its own again.
    """
    for binding in bindings:
        tx.bindings.remove((binding.port_id, binding.host_id))
    for host_id in sorted({b.host_id for b in bindings if b.vif_type is VifType.BRIDGE}):
        free_uplinks(tx, host_id)
    return {
        binding.port_id: give_mac_back(tx, binding.port_id)
        for binding in bindings
        if binding.vif_type is VifType.HOSTDEV_PHYSICAL and binding.role is BindingRole.ACTIVE
    }


def drafts(tx: Tx, caller: Caller, nics: Sequence[BootNic]) -> tuple[Nic, ...]:
    """What the NICs would be, with nothing made or taken: to explain a boot before it is one. Raises as take,
    but for addresses.
    """
    return tuple(_draft(tx, caller, nic, number) for number, nic in enumerate(nics, 1))


def check_bindable(nics: Sequence[Nic]) -> None:
    """Raises Conflict `cannot_bind` for a port that its mechanism could bind nowhere, and InvalidValue for one that its
    port profile contradicts.
    """
    for nic in nics:
        driver = choose(nic.port.vnic_type, nic.network.link_layer, nic.settings.kind)
        driver.settings(BoundPort(nic.port, nic.network, nic.qos, profile=nic.profile))


def check(nics: tuple[BootNic, ...]) -> None:
    """Raises InvalidValue for a malformed list."""
    if len(nics) > MOST_NICS:
        raise InvalidValue("networks", len(nics), f"at most {MOST_NICS} NICs")
    given = [nic.port_id for nic in nics if nic.port_id]
    if len(given) != len(set(given)):
        raise InvalidValue("networks", given, "a list that names each port once")
    for nic in nics:
        if (nic.port_id is None) == (nic.network_id is None):
            raise InvalidValue("networks", nic.port_id or "nothing", "either a port or a network")
        if nic.port_id and nic != BootNic(port_id=nic.port_id, tag=nic.tag):
            raise InvalidValue("networks", nic.port_id, "a port alone: what it is like is said at the port")
        if nic.qos_policy_id and (nic.max_mbps or nic.min_mbps):
            raise InvalidValue("networks", nic.qos_policy_id, "possible together with max_mbps or min_mbps")
        if nic.min_mbps and nic.max_mbps and nic.min_mbps > nic.max_mbps:
            raise InvalidValue("min_mbps", nic.min_mbps, f"at most max_mbps, which is {nic.max_mbps}")


def _taken(tx: Tx, caller: Caller, server_id: ServerId, nic: BootNic) -> Port:
    port = _free_port(tx, caller, nic)
    return tx.ports.put(
        replace(port, server_id=server_id, device_owner=DEVICE_OWNER, updated_at=tx.now, wanted_host="")
    )


def _free_port(tx: Tx, caller: Caller, nic: BootNic) -> Port:
    port = tx.ports.get(nic.port_id or "")
    if port is None or not caller.may(_TAKES_PORT, of_port(port, tx.networks.fetch(port.network_id))):
        raise InvalidValue("port", nic.port_id, "the id of a port that is there")
    if port.server_id or port.device_id_text:
        who = (
            f": it is {in_words(tx, (port,), caller.project_id)}"
            if port.server_id
            else f" by device {port.device_id_text}"
        )
        message = (
            f"Port {port.name or port.id} is still in use{who}. Detach it there first, or take another port."
        )
        raise Conflict("in_use", message, field="port")
    return port


def _made(tx: Tx, caller: Caller, server_id: ServerId, nic: BootNic) -> Port:
    network = _network(tx, caller, nic)
    _check_allowed(tx, caller, nic, network)
    wanted = (WantedAddress(ip_address=nic.fixed_ip),) if nic.fixed_ip else None
    policy_id = (
        _policy_for_rates(tx, caller, server_id, nic, network) if _has_rates(nic) else nic.qos_policy_id
    )
    new = ports.NewPort(
        project_id=caller.project_id,
        network_id=network.id,
        fixed_ips=wanted,
        vnic_type=nic.vnic_type,
        server_id=server_id,
        owned_by_server=True,
        device_owner=DEVICE_OWNER,
        alias=nic.alias,
        qos_policy_id=policy_id,
        trusted=nic.trusted,
        vlan_priority=nic.vlan_priority,
        port_profile_id=nic.port_profile_id,
    )
    try:
        return ports.create(tx, new).port
    except NotFound as missing:
        raise InvalidValue(missing.kind, missing.key, f"a {missing.kind} that is there") from missing


def _network(tx: Tx, caller: Caller, nic: BootNic) -> Network:
    network = tx.networks.get(nic.network_id or "")
    if network is None or not sees_network(tx, caller, network):
        raise InvalidValue("network", nic.network_id, "the id of a network that is there")
    return network


def _check_allowed(tx: Tx, caller: Caller, nic: BootNic, network: Network) -> None:
    """Raises NotAllowed for what the caller may not give a port, and InvalidValue for a QoS policy or
    port profile not to be seen.
    """
    target = Target(caller.project_id, network_project_id=network.project_id)
    given = {
        "trusted": nic.trusted,
        "binding:profile": nic.vlan_priority,
        "fixed_ips:ip_address": nic.fixed_ip,
        # Nobody checks what a whole device sends.
        "port_security_enabled": nic.vnic_type is VnicType.DIRECT_PHYSICAL,
    }
    for attribute, value in given.items():
        action = f"create_port:{attribute}"
        if value and not caller.may(action, target):
            raise refused(action)
    policy = tx.qos_policies.get(nic.qos_policy_id) if nic.qos_policy_id else None
    if nic.qos_policy_id and (policy is None or not sees_policy(tx, caller, policy)):
        raise InvalidValue("qos_policy", nic.qos_policy_id, "a qos policy that is there")
    _check_profile(tx, caller, nic)


def _check_profile(tx: Tx, caller: Caller, nic: BootNic) -> None:
    profile = tx.port_profiles.get(nic.port_profile_id) if nic.port_profile_id else None
    if nic.port_profile_id and (profile is None or not sees_profile(tx, caller, profile)):
        raise InvalidValue("port_profile", nic.port_profile_id, "a port profile that is there")


def _usable(tx: Tx, caller: Caller) -> list[Network]:
    """Those that a NIC without a wish may be on: an operator sees all networks, and means those of the project."""
    found = tx.networks.find()
    shared_with = sharing.targets_of_networks(tx, [network.id for network in found])
    return [
        network
        for network in found
        if network.project_id == caller.project_id
        or sharing.is_shared_with(shared_with.get(network.id, ()), caller.project_id)
    ]


def _has_rates(nic: BootNic) -> bool:
    return nic.max_mbps is not None or nic.min_mbps is not None


def _policy_for_rates(
    tx: Tx, caller: Caller, server_id: ServerId, nic: BootNic, network: Network
) -> QosPolicyId:
    rates = _rates(tx, nic, network)
    name = f"rates of a NIC of server {server_id}"
    policy = qos.create(tx, NewQosPolicy(caller.project_id, name, tags=(MADE_FOR_NIC,)))
    for rule in _rules(rates, tx.new_id(), tx.new_id()):
        qos.add_rule(tx, policy.id, rule)
    return policy.id


def _rates(tx: Tx, nic: BootNic, network: Network) -> dict[QosRuleKind, int | None]:
    """In kbit/s: what the NIC asks for; where it does not, what its network's QoS policy says, whose cap it keeps to,
    for whoever may boot a server may not lift it. Raises InvalidValue.
    """
    policy = tx.qos_policies.fetch(network.qos_policy_id) if network.qos_policy_id else None
    cap, promised = egress_limit_kbps(policy), egress_minimum_kbps(policy)
    for name, mbps in (("max_mbps", nic.max_mbps), ("min_mbps", nic.min_mbps)):
        if policy is not None and cap is not None and mbps is not None and mbps * _KBPS > cap:
            whose = f"QoS policy {policy.name or policy.id} of network {network.name or network.id}"
            raise InvalidValue(name, mbps, f"at most {cap / _KBPS:g}, by {whose}")
    most = cap if nic.max_mbps is None else nic.max_mbps * _KBPS
    least = promised if nic.min_mbps is None else nic.min_mbps * _KBPS
    if least is not None and most is not None:
        least = min(least, most)
    return {QosRuleKind.BANDWIDTH_LIMIT: most, QosRuleKind.MINIMUM_BANDWIDTH: least}


def _rules(rates: Mapping[QosRuleKind, int | None], *ids: str) -> list[QosRule]:
    return [
        QosRule(QosRuleId(rule_id), kind, Direction.EGRESS, kbps)
        for (kind, kbps), rule_id in zip(rates.items(), ids, strict=True)
        if kbps is not None
    ]


def _is_used(tx: Tx, policy: QosPolicy) -> bool:
    return bool(tx.ports.find(qos_policy_id=policy.id) or tx.networks.find(qos_policy_id=policy.id))


def _draft(tx: Tx, caller: Caller, nic: BootNic, number: int) -> Nic:
    if nic.port_id:
        port = _free_port(tx, caller, nic)
        network = tx.networks.fetch(port.network_id)
        return nic_of(tx, port, network)
    network = _network(tx, caller, nic)
    _check_profile(tx, caller, nic)
    port = Port(
        id=PortId(f"nic-{number}"),
        project_id=caller.project_id,
        network_id=network.id,
        name=f"nic-{number}",
        mac=generated_mac(tx),
        vnic_type=nic.vnic_type,
        created_at=tx.now,
        updated_at=tx.now,
        alias=nic.alias,
        trusted=nic.trusted,
        vlan_priority=nic.vlan_priority,
        port_security_enabled=network.port_security_enabled and nic.vnic_type is not VnicType.DIRECT_PHYSICAL,
        port_profile_id=nic.port_profile_id,
    )
    profile_id = profile_in_force(port, network)
    profile = tx.port_profiles.fetch(profile_id) if profile_id else None
    ports.check_kind(network, port, profile)
    return Nic(port, network, _draft_policy(tx, caller, nic, network), holding(port, network, profile))


def _draft_policy(tx: Tx, caller: Caller, nic: BootNic, network: Network) -> QosPolicy | None:
    if _has_rates(nic):
        rules = tuple(_rules(_rates(tx, nic, network), "limit", "minimum"))
        return QosPolicy(QosPolicyId("draft"), caller.project_id, "draft", tx.now, tx.now, rules=rules)
    wanted = nic.qos_policy_id or network.qos_policy_id
    policy = tx.qos_policies.get(wanted) if wanted else None
    if wanted and policy is None:
        raise InvalidValue("qos_policy", wanted, "the id of a QoS policy that is there")
    return policy
