"""Migrations: what was asked of a server's size or place, and what came of it. The words are Nova's."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from fairlead.model.ids import FlavorId, MigrationId, ProjectId, ServerId


class MigrationKind(Enum):
    """What was asked for."""

    RESIZE = "resize"


class MigrationStatus(Enum):
    """See lifecycle.MIGRATION. FINISHED waits for its owner's word; ERROR is one that ended otherwise."""

    MIGRATING = "migrating"
    FINISHED = "finished"
    CONFIRMED = "confirmed"
    REVERTING = "reverting"
    REVERTED = "reverted"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Migration:
    """One request, kept after its server has gone. `user_id` and `project_id` are those of who asked; `source` and
    `destination` the names of hosts.
    """

    id: MigrationId
    kind: MigrationKind
    status: MigrationStatus
    server_id: ServerId
    project_id: ProjectId
    user_id: str
    source: str
    destination: str
    old_flavor_id: FlavorId
    new_flavor_id: FlavorId
    created_at: datetime
    updated_at: datetime
    revision: int = 0
