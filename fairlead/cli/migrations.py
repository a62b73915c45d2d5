"""`fairlead migration ...`: what was asked of servers' sizes, and what came of it."""

import click

from fairlead.cli.completing import completes
from fairlead.cli.invocation import Invocation, pass_invocation
from fairlead.cli.lookup import find_id, listed, names
from fairlead.cli.output import show_list
from fairlead.client.session import Json

_SERVERS = "/compute/v2.1/servers"
_COLUMNS = {
    "At": "created_at",
    "Kind": "migration_type",
    "Status": "status",
    "Server": "server",
    "From": "source_compute",
    "To": "dest_compute",
}


@click.group()
def migration() -> None:
    """What was asked of servers' sizes, and what came of it."""


@migration.command("list")
@click.option("--server", shell_complete=completes("server"), help="Of that server alone.")
@pass_invocation
def list_migrations(invocation: Invocation, server: str | None) -> None:
    """List resizes, the newest first; those of servers that are gone, too."""
    session = invocation.session
    params = {"instance_uuid": find_id(session, _SERVERS, "server", server)} if server else None
    known = names(session, _SERVERS)
    found = listed(session, "/compute/v2.1/os-migrations", params)
    show_list(invocation, [_row(each, known) for each in found], _COLUMNS)


def _row(migration: Json, known: dict[str, str]) -> Json:
    server_id = str(migration["instance_uuid"])
    return {**migration, "server": known.get(server_id, server_id)}
