"""What kernel drivers of simulated NICs make of a VF, and what they can be told of one."""

import errno

from fairlead.model.infiniband import DEFAULT_PARTITION, Membership, PartitionKey
from fairlead.model.pci import LinkLayer
from fairlead.model.vf import BASELINE, INFINIBAND_BASELINE, LinkState, VfSettings, VlanProtocol
from fairlead.sim.hardware import Nic

FABRIC = tuple(PartitionKey(key, Membership.FULL) for key in (DEFAULT_PARTITION, *range(1, 15)))
"""The partitions of a simulated fabric, which every port of it is in."""

_GUIDS = frozenset({"port_guid", "node_guid"})
_TAG = frozenset({"vlan", "vlan_priority", "vlan_protocol"})
_RATES = frozenset({"min_rate_mbps", "max_rate_mbps"})
_KNOW_802_1Q_ALONE = _PROMISE_NO_RATE = frozenset({"igb", "ixgbe", "i40e"})
_TELL_NO_LINK_STATE = frozenset({"igb"})
_OF_ETHERNET = frozenset(VfSettings.__slots__) - _GUIDS - {"partition_key"}


def as_made(nic: Nic) -> VfSettings:
    """A new VF: mlx4's is in the default partition, and its link is nobody's to tell."""
    if nic.link_layer is not LinkLayer.INFINIBAND:
        return BASELINE
    return VfSettings(partition_key=FABRIC[0]) if nic.has_files else INFINIBAND_BASELINE


def fields_of(nic: Nic) -> frozenset[str]:
    """What its driver can be told of a VF."""
    if nic.link_layer is LinkLayer.INFINIBAND:
        return _GUIDS | {"partition_key" if nic.has_files else "link_state"}
    return _OF_ETHERNET if nic.takes_associations else _OF_ETHERNET - {"association"}


def refusal_of(nic: Nic, settings: VfSettings, name: str, *, link_up: bool) -> int | None:
    """Errno of what its driver says to one field of an Ethernet VF, None for yes. Sources: drivers/net/ethernet/intel:
    igb_main.c (igb_ndo_set_vf_vlan, igb_ndo_set_vf_bw), ixgbe_sriov.c, i40e_virtchnl_pf.c.
    """
    driver, is_tagged_twice = nic.kernel_driver, settings.vlan_protocol is VlanProtocol.DOT1AD
    if name in _TAG and is_tagged_twice and driver in _KNOW_802_1Q_ALONE:
        return errno.EPROTONOSUPPORT
    if name == "link_state" and settings.link_state is not LinkState.AUTO and driver in _TELL_NO_LINK_STATE:
        return errno.EOPNOTSUPP
    if name == "mac" and settings.mac is None and nic.refuses_no_mac:
        return errno.EINVAL
    if name not in _RATES:
        return None
    rate = settings.max_rate_mbps if name == "max_rate_mbps" else settings.min_rate_mbps
    is_refused = name == "min_rate_mbps" and driver in _PROMISE_NO_RATE
    return errno.EINVAL if rate and (is_refused or not link_up or rate > nic.speed_mbps) else None
