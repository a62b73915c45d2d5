"""Brings a database to the newest schema, one process at a time, all or nothing."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from fairlead.model.errors import Failure, Fault
from fairlead.store.dialect import Dialect
from fairlead.store.session import unreachable

FOLDER = Path(__file__).parent / "migrations"


def upgrade(dialect: Dialect) -> None:
    """Apply the migrations that the database lacks, under a lock. Raises Fault when it cannot be reached, or has
    one that this version does not know.
    """
    try:
        with dialect.engine.begin() as connection:
            connection.exec_driver_sql(dialect.migration_lock())
            _upgrade(connection)
    except sa.exc.SQLAlchemyError as error:
        raise unreachable(error) from error


def _upgrade(connection: sa.Connection) -> None:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER))
    script = ScriptDirectory.from_config(config)
    has = MigrationContext.configure(connection).get_current_revision()
    if has == script.get_current_head():
        return
    if has is not None and has not in {revision.revision for revision in script.walk_revisions()}:
        raise Fault(
            Failure(
                code="schema_unknown",
                doing="opening",
                subject="the database",
                answer=f"its schema is {has}, which this version does not know",
                hint="A newer Fairlead has used it: run that one, or another database.",
            )
        )
    command.upgrade(config, "head")
