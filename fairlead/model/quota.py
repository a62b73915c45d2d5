"""Limits of what a project, or a user, may have."""

from dataclasses import dataclass
from enum import Enum

from fairlead.model.ids import ProjectId

UNLIMITED = -1
"""Nova's and Neutron's word for no limit."""


class Resource(Enum):
    """What can be limited; the values are Nova's and Neutron's names."""

    INSTANCES = "instances"
    CORES = "cores"
    RAM = "ram"
    KEY_PAIRS = "key_pairs"
    METADATA_ITEMS = "metadata_items"
    SERVER_GROUPS = "server_groups"
    SERVER_GROUP_MEMBERS = "server_group_members"
    NETWORK = "network"
    SUBNET = "subnet"
    PORT = "port"
    RBAC_POLICY = "rbac_policy"


@dataclass(frozen=True, slots=True)
class Quota:
    """A project's limit of one resource. There is a row where there is a limit, and only then."""

    project_id: ProjectId
    resource: Resource
    limit: int
