"""What NICs people ask for: such as their network can have, and now and then such as none can."""

from dataclasses import replace
from random import Random

from fairlead.control.nics import BootNic
from fairlead.model.port import VnicType
from tests.simulation.furniture import (
    AT_A_SWITCH,
    FABRIC_ALIAS,
    NETWORKS,
    NIC_ALIAS,
    VF_ALIAS,
    Furniture,
    Segment,
)

_NETWORKS = ["blue"] * 4 + ["red"] * 4 + ["plain", "bare"] * 2 + ["members"] * 2 + ["everybody"]
_VNIC_TYPES = [VnicType.DIRECT] * 4 + [VnicType.MACVTAP] * 3 + [VnicType.NORMAL] * 3
_ON_VFS = (VnicType.DIRECT, VnicType.MACVTAP)


def possible_nic(furniture: Furniture, random: Random) -> BootNic:
    """One that some NIC can make true, if it is free, and nobody has changed the defaults."""
    name = random.choice(_NETWORKS)
    segment = NETWORKS[name]
    kinds = [VnicType.DIRECT] if segment.is_fabric else [*_VNIC_TYPES, VnicType.DIRECT_PHYSICAL]
    return _on(furniture, random, name, random.choice(kinds))


def whole_nic(furniture: Furniture, random: Random) -> BootNic:
    """A PF for its guest alone."""
    name = random.choice([name for name, segment in NETWORKS.items() if not segment.is_fabric])
    return _on(furniture, random, name, VnicType.DIRECT_PHYSICAL)


def profiles_for(segment: Segment, vnic_type: VnicType) -> list[str]:
    """Names of those that such ports can have; the rarer a mechanism comes by, the more often."""
    if segment.is_fabric:
        return ["silent", "partition"]
    is_flat = segment.vlan is None
    match vnic_type:
        case VnicType.NORMAL:
            return ["silent", "capped"]
        case VnicType.DIRECT_PHYSICAL:
            return ["silent", "trunk"] if is_flat else ["silent"]
        case VnicType.DIRECT | VnicType.MACVTAP:
            found = ["silent", "capped", *["station"] * 3]
            found += ["finance"] * 5 if segment.physical_network == AT_A_SWITCH else []
            found += [] if is_flat else ["marked", "double"]
            return [*found, *["trunk"] * 3] if is_flat and vnic_type is VnicType.DIRECT else found


def impossible_nic(furniture: Furniture, random: Random) -> BootNic:
    """One that is refused whatever the site is like."""
    networks, profiles = furniture.networks, furniture.profiles
    on_fabric = BootNic(networks[random.choice(["members", "everybody"])], vnic_type=VnicType.DIRECT)
    elsewhere = networks[random.choice(["blue", "red", "plain", "bare"])]
    on_vf = BootNic(elsewhere, vnic_type=random.choice(_ON_VFS))
    normal, whole = BootNic(elsewhere), BootNic(elsewhere, vnic_type=VnicType.DIRECT_PHYSICAL)
    foreign = profiles[random.choice(["finance", "station"])]
    return random.choice(
        [
            replace(on_fabric, vnic_type=VnicType.MACVTAP),
            replace(on_fabric, vnic_type=VnicType.NORMAL),
            replace(on_fabric, vnic_type=VnicType.DIRECT_PHYSICAL),
            replace(on_fabric, port_profile_id=foreign),
            replace(on_fabric, trusted=True),
            replace(on_fabric, max_mbps=100),
            replace(on_vf, port_profile_id=profiles["partition"]),
            replace(on_vf, port_profile_id=profiles["impossible"]),
            replace(on_vf, alias=NIC_ALIAS),
            replace(on_vf, min_mbps=200, max_mbps=100),
            replace(on_vf, network_id=networks["bare"], vlan_priority=5),
            replace(on_vf, network_id=networks["red"], port_profile_id=profiles["finance"], trusted=True),
            replace(normal, port_profile_id=foreign),
            replace(normal, vlan_priority=5),
            replace(normal, trusted=True),
            replace(normal, min_mbps=100),
            replace(whole, vlan_priority=5),
            replace(whole, port_profile_id=foreign),
        ]
    )


def _on(furniture: Furniture, random: Random, name: str, vnic_type: VnicType) -> BootNic:
    segment = NETWORKS[name]
    profile = random.choice([None, *profiles_for(segment, vnic_type)])
    nic = BootNic(
        furniture.networks[name],
        vnic_type=vnic_type,
        port_profile_id=profile and furniture.profiles[profile],
    )
    return _with_wishes(nic, random, segment, profile)


def _with_wishes(nic: BootNic, random: Random, segment: Segment, profile: str | None) -> BootNic:
    """With what may stand beside its profile."""
    if segment.is_fabric:
        return replace(nic, alias=random.choice([None, None, FABRIC_ALIAS]))
    match nic.vnic_type:
        case VnicType.NORMAL:
            return replace(nic, max_mbps=random.choice([None, 1000]))
        case VnicType.DIRECT_PHYSICAL:
            return replace(nic, trusted=True)
        case VnicType.DIRECT | VnicType.MACVTAP:
            return _on_vf(nic, random, segment, profile)


def _on_vf(nic: BootNic, random: Random, segment: Segment, profile: str | None) -> BootNic:
    """Whatever a switch keeps of its ports is for its own profile to say; and one that is marked has its priority."""
    nic = replace(nic, alias=random.choice([None, None, None, VF_ALIAS]))
    if profile == "finance":
        return nic
    has_own_tag = segment.vlan is not None and profile != "marked"
    return replace(
        nic,
        max_mbps=random.choice([None, 1000]),
        min_mbps=random.choice([None, None, 100]),
        trusted=random.random() < 0.3,
        vlan_priority=random.choice([0, 0, 5]) if has_own_tag else 0,
    )
