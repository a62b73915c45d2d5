"""Fabrics of InfiniBand, and who is in which partition of them."""

import sqlalchemy as sa

from fairlead.model.fabric import Fabric, PartitionMember
from fairlead.store.noun import declare

FABRICS = declare(Fabric, "fabrics", "fabric", key=("physical_network",))

# Not bound to a fabric: what a subnet manager was told is so, whoever goes on telling it.
PARTITION_MEMBERS = declare(
    PartitionMember,
    "partition_members",
    "partition member",
    sa.Index("ix_partition_members_guid", "guid"),
    key=("physical_network", "guid", "partition"),
)
