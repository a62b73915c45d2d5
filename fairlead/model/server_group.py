"""Server groups: servers that shall be on one host, or on different ones."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from fairlead.model.ids import ProjectId, ServerGroupId


class GroupPolicy(Enum):
    """Nova's. The soft ones are wishes: a server that cannot have them is placed all the same."""

    AFFINITY = "affinity"
    ANTI_AFFINITY = "anti-affinity"
    SOFT_AFFINITY = "soft-affinity"
    SOFT_ANTI_AFFINITY = "soft-anti-affinity"


@dataclass(frozen=True, slots=True)
class ServerGroup:
    """A group. Its members are the servers that name it. `max_per_host`: how many of them ANTI_AFFINITY lets be on one
    host. The row is the lock of where its members are.
    """

    id: ServerGroupId
    project_id: ProjectId
    user_id: str
    name: str
    policy: GroupPolicy
    created_at: datetime
    max_per_host: int = 1
