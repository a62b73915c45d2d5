"""Writes the next migration: what the declared tables have and the newest migration has not.

    python -m fairlead.store.migrations.write 0002 keep_the_colour

writes versions/0002_keep_the_colour.py and changes no database. Read it before it is committed: Alembic sees
neither what a renamed column was called, nor what to put into a new one that must not be empty.
"""

import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.operations.ops import MigrateOperation, ModifyTableOps, UpgradeOps
from alembic.runtime.migration import MigrationContext

from fairlead.store import migrate
from fairlead.store.columns import SEQUENCE, TEXT, TIME
from fairlead.store.schema import SCHEMA
from fairlead.store.sqlite import Sqlite

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext

_NAMES = {id(TEXT): "TEXT", id(TIME): "TIME", id(SEQUENCE): "SEQUENCE"}
_PAGE = '''"""{title}"""

import sqlalchemy as sa
from alembic import op

from fairlead.store.columns import SEQUENCE, TEXT, TIME

revision = {revision!r}
down_revision = {before!r}


def upgrade() -> None:
{calls}
{functions}'''


def main(revision: str, title: str) -> Path:
    """The file that was written."""
    dialect = Sqlite(sa.make_url("sqlite://"), SCHEMA)
    migrate.upgrade(dialect)
    with dialect.engine.begin() as connection:
        context = MigrationContext.configure(connection)
        before = context.get_current_revision()
        operations = produce_migrations(context, SCHEMA).upgrade_ops
    dialect.close()
    parts = _by_table(operations.ops if operations else [])
    page = _PAGE.format(
        title=title.replace("_", " ").capitalize() + ".",
        revision=revision,
        before=before,
        calls="".join(f"    _{name}()\n" for name in parts) or "    pass\n",
        functions="".join(f"\n\ndef _{name}() -> None:\n{body}\n" for name, body in parts.items()),
    )
    path = migrate.FOLDER / "versions" / f"{revision}_{title}.py"
    path.write_text(page)
    for step in (["check", "--fix-only", "--quiet"], ["format", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *step, str(path)], check=False)
    return path


def _by_table(operations: list[MigrateOperation]) -> dict[str, str]:
    grouped = groupby(operations, key=_table)
    return {name: _rendered(list(group)) for name, group in grouped}


def _table(operation: MigrateOperation) -> str:
    return str(getattr(operation, "table_name", "others"))


def _rendered(operations: list[MigrateOperation]) -> str:
    flat = [part for one in operations for part in (one.ops if isinstance(one, ModifyTableOps) else [one])]
    text = render_python_code(UpgradeOps(flat), render_item=_render)
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def _render(kind: str, item: object, _context: "AutogenContext") -> str | Literal[False]:
    return _NAMES.get(id(item), False) if kind == "type" else False


if __name__ == "__main__":
    print(main(*sys.argv[1:3]))  # noqa: T201
