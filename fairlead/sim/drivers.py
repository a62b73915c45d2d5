"""What kernel drivers of simulated NICs make of a VF, and what they can be told of one."""

from fairlead.model.infiniband import DEFAULT_PARTITION, Membership, PartitionKey
from fairlead.model.pci import LinkLayer
from fairlead.model.vf import BASELINE, INFINIBAND_BASELINE, VfSettings
from fairlead.sim.hardware import Nic

FABRIC = tuple(PartitionKey(key, Membership.FULL) for key in (DEFAULT_PARTITION, *range(1, 15)))
"""The partitions of a simulated fabric, which every port of it is in."""

_GUIDS = frozenset({"port_guid", "node_guid"})
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
