"""The record of migrations: what was asked of servers' sizes, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fairlead.access.caller import Caller
from fairlead.control.boundary import Tx
from fairlead.model.host import Host
from fairlead.model.ids import MigrationId
from fairlead.model.lifecycle import MIGRATION, after
from fairlead.model.migration import Migration, MigrationKind, MigrationStatus
from fairlead.model.server import Flavor, Server, ServerStatus


@dataclass(frozen=True, slots=True)
class MigrationView:
    """A migration as people see it: one that is not over has failed while its server has."""

    migration: Migration
    status: MigrationStatus


def begin(tx: Tx, caller: Caller, server: Server, host: Host, flavor: Flavor) -> Migration:
    """A resize of the server from its flavor to that one, on its host."""
    migration = Migration(
        id=MigrationId(tx.new_id()),
        kind=MigrationKind.RESIZE,
        status=MigrationStatus.MIGRATING,
        server_id=server.id,
        project_id=caller.project_id,
        user_id=caller.user_id,
        source=host.name,
        destination=host.name,
        old_flavor_id=server.flavor.id,
        new_flavor_id=flavor.id,
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.migrations.add(migration)
    return migration


def note(tx: Tx, migration_id: MigrationId, event: str) -> None:
    """The migration of a locked server goes on: see lifecycle.MIGRATION."""
    migration = tx.migrations.lock(migration_id)
    status = after(MIGRATION, migration.status, event)
    if status is not migration.status:
        tx.migrations.put(replace(migration, status=status, updated_at=tx.now))


def note_lost(tx: Tx, server: Server) -> None:
    """The locked server goes, or has lost its host: its resize, if it has one, ends as it stands."""
    if server.resize is not None:
        note(tx, server.resize.migration_id, "lost")


def find(tx: Tx, **where: object) -> Sequence[MigrationView]:
    """Migrations whose columns equal the values, the newest first."""
    rows = tx.migrations.find(**where)[::-1]
    failed = {
        server.resize.migration_id
        for server in (tx.servers.find(status=ServerStatus.ERROR) if rows else ())
        if server.resize is not None
    }
    return [_view(row, has_failed=row.id in failed) for row in rows]


def _view(row: Migration, *, has_failed: bool) -> MigrationView:
    return MigrationView(row, MigrationStatus.ERROR if has_failed else row.status)
