"""The migrations make the declared schema, once, whoever comes first."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from fairlead.model.errors import Fault, InvalidValue
from fairlead.store.engine import open_database
from fairlead.store.schema import SCHEMA
from tests.contract import store_rows as make


def test_the_migrations_make_the_declared_schema(database_url: str) -> None:
    open_database(database_url).close()
    engine = sa.create_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, SCHEMA)
    engine.dispose()
    assert differences == [], "python -m fairlead.store.migrations.write writes the migration that is missing"


def test_foreign_keys_and_conditions_are_made_as_declared(tmp_path: Path) -> None:
    """Alembic compares no names, actions and conditions on SQLite, so their text is compared here."""
    url = f"sqlite:///{tmp_path / 'migrated.sqlite'}"
    open_database(url).close()
    migrated, declared = sa.create_engine(url), sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    SCHEMA.create_all(declared)
    assert _statements(migrated) == _statements(declared)


def _statements(engine: sa.Engine) -> dict[str, list[str]]:
    """The lines that made each table and index, whatever their order."""
    query = sa.text("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '%alembic%'")
    with engine.connect() as connection:
        made = {name: (sql or "").splitlines() for name, sql in connection.execute(query)}
    engine.dispose()
    return {name: sorted(line.strip().rstrip(",") for line in lines) for name, lines in made.items()}


def test_a_database_is_opened_again_with_what_it_has(database_url: str) -> None:
    first = open_database(database_url)
    with first.transaction() as tx:
        tx.hosts.add(make.host())
    first.close()
    again = open_database(database_url)
    with again.transaction() as tx:
        assert len(tx.hosts.find()) == 1
    again.close()


def test_many_may_open_an_empty_database_at_once(database_url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        for database in threads.map(lambda _: open_database(database_url), range(4)):
            with database.transaction() as tx:
                assert tx.hosts.find() == ()
            database.close()


def test_who_opens_an_empty_sqlite_file_waits_for_who_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "empty.sqlite"
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as threads:
        opened = threads.submit(open_database, f"sqlite:///{path}")
        with pytest.raises(TimeoutError):
            opened.result(timeout=1)
        writer.execute("CREATE TABLE somebody_s (a)")
        writer.execute("COMMIT")
        opened.result(timeout=30).close()
    writer.close()


def test_who_cannot_open_a_sqlite_file_in_time_is_told_so(tmp_path: Path) -> None:
    """Somebody reads one of another journal, such as a copy that was restored: it can be read, and not changed."""
    reader = sqlite3.connect(tmp_path / "read.sqlite", isolation_level=None)
    reader.execute("CREATE TABLE somebody_s (a)")
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM somebody_s").fetchall()
    begun = monotonic()
    with pytest.raises(Fault, match="database is locked"):
        open_database(f"sqlite:///{tmp_path / 'read.sqlite'}?timeout=0.2")
    assert monotonic() - begun < 5
    reader.close()


def test_a_database_of_a_newer_version_is_left_alone(database_url: str) -> None:
    open_database(database_url).close()
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(Fault) as fault:
        open_database(database_url)
    assert fault.value.failure.code == "schema_unknown"


@pytest.mark.parametrize("url", ["", "fairlead.db", "mysql://u:secret@h/d"])
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        open_database(url)
    assert "secret" not in str(refused.value)
