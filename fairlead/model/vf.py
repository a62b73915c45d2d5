"""What a VF can be told, what was read back, and where the two differ.

Sources: include/uapi/linux/if_link.h (IFLA_VF_*), ip-link(8) section "vf".
"""

import hashlib
from dataclasses import dataclass
from enum import Enum

from fairlead.model.association import Association
from fairlead.model.count import Count
from fairlead.model.ids import PfKey, vf_key
from fairlead.model.infiniband import Guid, PartitionKey
from fairlead.model.pci import LinkLayer, MacAddress


class LinkState(Enum):
    """IFLA_VF_LINK_STATE: follow the PF, or forced."""

    AUTO = "auto"
    ENABLE = "enable"
    DISABLE = "disable"


class VlanProtocol(Enum):
    """IFLA_VF_VLAN_INFO protocol: the outer tag's EtherType."""

    DOT1Q = "802.1Q"
    DOT1AD = "802.1ad"


@dataclass(frozen=True, slots=True)
class VfSettings:
    """Every field of a VF. As a wish: None means "nobody asked, leave the driver's baseline"; as a
    reading: None means "the driver does not report it". `mac` None is the cleared address (all zero).
    `vlan` None is no port VLAN; it is never written as a wish for VLAN 0 on a VF that has none.
    Rates in Mbit/s, 0 is unlimited. `association` None is none with a profile of the switch, which is what a driver
    without such operations reads as. `is_mac_told` False is a reading of a driver that takes a MAC and never tells it
    (in-tree enic).

    The three that follow the rates are an InfiniBand VF's, which has its link state besides and nothing else of these.
    A GUID that is None is the one that stands for none; `partition_key` None is no partition, or one that the subnet
    manager alone holds it to.
    """

    mac: MacAddress | None = None
    vlan: Count | None = None
    vlan_priority: Count = 0
    vlan_protocol: VlanProtocol = VlanProtocol.DOT1Q
    spoof_check: bool | None = None
    trust: bool | None = None
    link_state: LinkState | None = None
    min_rate_mbps: Count | None = None
    max_rate_mbps: Count | None = None
    port_guid: Guid | None = None
    node_guid: Guid | None = None
    partition_key: PartitionKey | None = None
    association: Association | None = None
    is_mac_told: bool = True


BASELINE = VfSettings(
    spoof_check=True, trust=False, link_state=LinkState.AUTO, min_rate_mbps=0, max_rate_mbps=0
)
"""A VF that nobody owns: no MAC, no VLAN, spoof check on, trust off, link follows the PF, no rates, no association."""
INFINIBAND_BASELINE = VfSettings(link_state=LinkState.DISABLE)
"""An InfiniBand VF that nobody owns: no GUID, no partition, link down."""

_NOBODYS = "02:fa:1d"

_ALWAYS = ("vlan", "vlan_priority", "vlan_protocol")
_LATER = ("port_guid", "node_guid", "partition_key", "association")
_OPTIONAL = ("spoof_check", "trust", "link_state", "min_rate_mbps", "max_rate_mbps")


def baseline_of(link_layer: LinkLayer) -> VfSettings:
    """What a VF is like that nobody owns."""
    return INFINIBAND_BASELINE if link_layer is LinkLayer.INFINIBAND else BASELINE


def nobodys_mac(pf: PfKey, index: int) -> MacAddress:
    """What stands for no MAC on a VF whose driver refuses the cleared address: a local one, always the same for
    the same VF, of a range that no port may have.
    """
    digest = hashlib.sha256(vf_key(pf, index).encode()).hexdigest()
    return MacAddress(f"{_NOBODYS}:{digest[:2]}:{digest[2:4]}:{digest[4:6]}")


def is_nobodys(mac: MacAddress) -> bool:
    """Whether it is of the range that stands for no MAC."""
    return mac.startswith(_NOBODYS)


def differences(wanted: VfSettings, seen: VfSettings) -> tuple[str, ...]:
    """Names of the fields in which `seen` is not yet as `wanted`, in the order the kernel applies them.

    A field nobody asked for (None) never differs. A field that the driver does not report differs only
    from a wish that goes beyond the baseline: what cannot be read back cannot be promised, and what is
    merely the safe default is not demanded of a driver that has no such notion. So an InfiniBand VF that nobody owns
    may have a link that cannot be taken down (mlx4_ib). Where no MAC is wished, one that is nobody's is as good.
    """
    found = [] if _has_mac(wanted, seen) else ["mac"]
    found += [name for name in _ALWAYS if getattr(wanted, name) != getattr(seen, name)]
    for name in _OPTIONAL:
        want, have = getattr(wanted, name), getattr(seen, name)
        is_safe = want == getattr(BASELINE, name) or wanted == INFINIBAND_BASELINE
        if want is None or want == have or (have is None and is_safe):
            continue
        found.append(name)
    found += [name for name in _LATER if getattr(wanted, name) != getattr(seen, name)]
    return tuple(found)


def _has_mac(wanted: VfSettings, seen: VfSettings) -> bool:
    """A MAC that is not told went to the switch with the association, in one message, so it is as that is. Without an
    association nothing speaks for a MAC that is wished.
    """
    if not seen.is_mac_told:
        is_confirmed = wanted.mac is None or wanted.association is not None
        return is_confirmed and wanted.association == seen.association
    is_cleared = wanted.mac is None and (seen.mac is None or is_nobodys(seen.mac))
    return is_cleared or wanted.mac == seen.mac
