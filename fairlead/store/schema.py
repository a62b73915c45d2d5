"""The whole schema: importing this module declares every table."""

from fairlead.store.noun import METADATA
from fairlead.store.tables import compute, fabrics, holding, identity, inventory, networking, trail

NOUNS = (
    identity.PROJECTS,
    identity.USERS,
    identity.ASSIGNMENTS,
    identity.CREDENTIALS,
    identity.TOKENS,
    identity.QUOTAS,
    networking.QOS_POLICIES,
    networking.PORT_PROFILES,
    networking.NETWORKS,
    networking.SUBNETS,
    networking.PORTS,
    networking.HELD_ADDRESSES,
    networking.RBAC_POLICIES,
    inventory.HOSTS,
    inventory.DEVICES,
    inventory.POLICIES,
    inventory.ALIASES,
    compute.FLAVORS,
    compute.IMAGES,
    compute.IMAGE_MEMBERS,
    compute.SERVERS,
    compute.QUESTIONS,
    compute.KEYPAIRS,
    compute.MIGRATIONS,
    compute.SERVER_GROUPS,
    compute.AGGREGATES,
    compute.EVENTS,
    fabrics.FABRICS,
    fabrics.PARTITION_MEMBERS,
    holding.ALLOCATIONS,
    holding.BINDINGS,
    trail.AUDIT_RECORDS,
    trail.AUDITED_RESOURCES,
)

SCHEMA = METADATA
