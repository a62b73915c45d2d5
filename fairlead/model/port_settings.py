"""What holds for a port: its own attributes, its QoS policy and its port profile, made one. The only place that
decides which of them wins.

- What a port leaves at its default says nothing, and the profile decides: trust, spoof check, VLAN priority, and
  whether the link follows the PF's.
- What the port says otherwise, and the profile too, must be the same; else the profile is refused for the port.
- `admin_state_up` false, of the port or its network, takes the link down whatever else is said (Neutron's rule).
- Rates hold together: of two caps the lower, of two promises the higher. So no profile gives more than a QoS policy.
- The profile's MTU is at most the network's.
"""

from dataclasses import dataclass, replace

from fairlead.model.errors import InvalidValue
from fairlead.model.infiniband import DEFAULT_PARTITION, Membership, PartitionKey
from fairlead.model.network import Network
from fairlead.model.pci import LinkLayer
from fairlead.model.port import Port
from fairlead.model.port_profile import (
    EthernetSettings,
    InfinibandSettings,
    PortProfile,
    PortProfileKind,
    QbgSettings,
    QbhSettings,
    VlanRange,
)
from fairlead.model.qos import QosPolicy, egress_limit_kbps, egress_minimum_kbps
from fairlead.model.vf import LinkState, VlanProtocol

_KBPS = 1000
_FIELD = "port_profile_id"
_NOTHING = EthernetSettings()


@dataclass(frozen=True, slots=True)
class PortSettings:
    """`kind` is that of the port's profile, ETHERNET without one. `allowed_vlans` None: no trunk. `min_kbps` 0:
    nothing is promised; `max_kbps` None: no cap. `partition` None: it is no port of InfiniBand.
    """

    kind: PortProfileKind
    vlan_priority: int
    vlan_protocol: VlanProtocol
    allowed_vlans: tuple[VlanRange, ...] | None
    trusted: bool
    spoof_check: bool
    link_state: LinkState
    mtu: int
    min_kbps: int
    max_kbps: int | None
    beyond_ethernet: QbhSettings | QbgSettings | InfinibandSettings | None = None
    """What a profile of another kind says, as it is."""
    partition: PartitionKey | None = None


def settings_in_force(
    port: Port, network: Network, qos: QosPolicy | None, profile: PortProfile | None
) -> PortSettings:
    """What holds for the port on that network; `qos` and `profile` are those in force, its own or its network's.
    Raises InvalidValue, naming profile and port, where they contradict.
    """
    own = PortSettings(
        kind=PortProfileKind.ETHERNET,
        vlan_priority=port.vlan_priority,
        vlan_protocol=VlanProtocol.DOT1Q,
        allowed_vlans=None,
        trusted=port.trusted,
        spoof_check=port.port_security_enabled,
        link_state=_own_link_state(port, network),
        mtu=network.mtu,
        min_kbps=egress_minimum_kbps(qos) or 0,
        max_kbps=egress_limit_kbps(qos),
        partition=_own_partition(network),
    )
    if profile is None:
        return own
    check_network(profile, network)
    if isinstance(profile.settings, InfinibandSettings):
        key = PartitionKey(profile.settings.partition_key, profile.settings.membership)
        return replace(own, kind=profile.kind, partition=key, beyond_ethernet=profile.settings)
    if not isinstance(profile.settings, EthernetSettings):
        return replace(own, kind=profile.kind, beyond_ethernet=profile.settings)
    _check_agreed(port, profile, profile.settings)
    return _made_one(port, own, profile.settings, profile)


def check_network(profile: PortProfile, network: Network) -> None:
    """Raises InvalidValue where no port of that network could ever have the profile."""
    said = profile.settings
    name = f"network {network.name or network.id}"
    if network.link_layer is LinkLayer.INFINIBAND:
        _check_infiniband(profile, name)
        return
    if isinstance(said, InfinibandSettings):
        raise _refusal(profile, name, "which is one of Ethernet: it has no partitions")
    if not isinstance(said, EthernetSettings):
        return
    is_flat = network.vlan is None
    if said.vlan_priority and is_flat:
        raise _refusal(
            profile, name, f"which is flat: frames without a tag have no priority {said.vlan_priority}"
        )
    if said.vlan_protocol is VlanProtocol.DOT1AD and is_flat:
        raise _refusal(profile, name, "which is flat: there is no tag that could be one of 802.1ad")
    if said.allowed_vlans is not None and not is_flat:
        raise _refusal(profile, name, f"which is VLAN {network.vlan} alone: a trunk is on a flat network")
    if said.mtu is not None and said.mtu > network.mtu:
        raise _refusal(profile, name, f"whose MTU is {network.mtu}: the profile says {said.mtu}")


def _check_infiniband(profile: PortProfile, name: str) -> None:
    """An Ethernet profile that says nothing is how a port has none where its network has one."""
    if not isinstance(profile.settings, InfinibandSettings) and profile.settings != _NOTHING:
        why = f"which is one of InfiniBand: a port there has a partition, and nothing of {profile.kind.value}"
        raise _refusal(profile, name, why)


def _own_partition(network: Network) -> PartitionKey | None:
    """The network's segment in a VLAN's place (as networking-mlnx has it), else the fabric's default partition; every
    port of it is a full member.
    """
    if network.link_layer is not LinkLayer.INFINIBAND:
        return None
    return PartitionKey(network.vlan or DEFAULT_PARTITION, Membership.FULL)


def broken_claim(before: PortSettings, after: PortSettings) -> str:
    """What the device was not claimed for and would have to be; "" where the port of a guest that runs can become so in
    place. Whatever was claimed serves a port that asks for less.
    """
    if before.min_kbps < after.min_kbps:
        return f"a minimum bandwidth of {before.min_kbps} kbit/s cannot become {after.min_kbps} kbit/s"
    if after.trusted and not before.trusted:
        return "trust cannot go on"
    if before.kind is not after.kind:
        return f"a port profile of kind {before.kind.value} cannot become one of kind {after.kind.value}"
    return ""


def _own_link_state(port: Port, network: Network) -> LinkState:
    """Neutron's: down has precedence, and a link that does not follow the PF's is up."""
    if not (port.admin_state_up and network.admin_state_up):
        return LinkState.DISABLE
    return LinkState.AUTO if port.propagate_uplink_status else LinkState.ENABLE


def _check_agreed(port: Port, profile: PortProfile, said: EthernetSettings) -> None:
    """Only what differs from its default is said by the port."""
    name = f"port {port.name or port.id}"
    if port.vlan_priority and said.vlan_priority not in (None, port.vlan_priority):
        raise _refusal(
            profile, name, f"with VLAN priority {port.vlan_priority}: the profile says {said.vlan_priority}"
        )
    if port.vlan_priority and said.allowed_vlans is not None:
        raise _refusal(
            profile, name, f"with VLAN priority {port.vlan_priority}: the tags of a trunk are the guest's"
        )
    if port.trusted and said.trust is False:
        raise _refusal(profile, name, "which is trusted: the profile says trust false")
    if not port.port_security_enabled and said.spoof_check:
        raise _refusal(profile, name, "without port security: the profile says spoof_check true")
    link = said.link_state
    if not port.propagate_uplink_status and link is not None and link is not LinkState.ENABLE:
        raise _refusal(profile, name, f"whose link is always up: the profile says link_state {link.value}")


def _made_one(port: Port, own: PortSettings, said: EthernetSettings, profile: PortProfile) -> PortSettings:
    min_kbps = max(own.min_kbps, (said.min_rate_mbps or 0) * _KBPS)
    caps = [
        cap for cap in (own.max_kbps, said.max_rate_mbps and said.max_rate_mbps * _KBPS) if cap is not None
    ]
    max_kbps = min(caps, default=None)
    if max_kbps is not None and min_kbps > max_kbps:
        name = f"port {port.name or port.id}"
        raise _refusal(
            profile, name, f"with its QoS policy: {min_kbps} kbit/s promised, and {max_kbps} kbit/s at most"
        )
    link_state = own.link_state
    if own.link_state is not LinkState.DISABLE and said.link_state is not None:
        link_state = said.link_state
    return PortSettings(
        kind=own.kind,
        vlan_priority=own.vlan_priority or said.vlan_priority or 0,
        vlan_protocol=said.vlan_protocol or own.vlan_protocol,
        allowed_vlans=said.allowed_vlans,
        trusted=own.trusted or bool(said.trust),
        spoof_check=own.spoof_check and said.spoof_check is not False,
        link_state=link_state,
        mtu=own.mtu if said.mtu is None else said.mtu,
        min_kbps=min_kbps,
        max_kbps=max_kbps,
        partition=own.partition,
    )


def _refusal(profile: PortProfile, subject: str, why: str) -> InvalidValue:
    return InvalidValue(_FIELD, profile.name, f"possible for {subject}, {why}")
