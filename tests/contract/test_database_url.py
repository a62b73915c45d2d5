"""The databases that the tests run on: of each dialect, empty, private, and gone afterwards."""

from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
import sqlalchemy as sa

from tests.postgres import Cluster, ClusterError, find_binaries, running_cluster


def tables(url: str) -> list[str]:
    engine = sa.create_engine(url)
    try:
        return sa.inspect(engine).get_table_names()
    finally:
        engine.dispose()


def create_table(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE line (id INTEGER PRIMARY KEY)"))
    engine.dispose()


# The second run would find what the first one left.
@pytest.mark.parametrize("run", [1, 2])
def test_each_test_has_an_empty_database(database_url: str, run: int) -> None:
    assert tables(database_url) == []
    create_table(database_url)
    assert tables(database_url) == ["line"]


def test_a_template_is_copied(postgres_cluster: Cluster) -> None:
    with postgres_cluster.fresh_database() as template:
        create_table(template)
        name = sa.make_url(template).database
        assert name
        with postgres_cluster.fresh_database(template=name) as copy:
            assert tables(copy) == ["line"]


def test_a_database_is_dropped_though_somebody_is_connected(postgres_cluster: Cluster) -> None:
    with postgres_cluster.fresh_database() as url:
        name = sa.make_url(url).database
        connection = psycopg.connect(
            host=str(postgres_cluster.socket_directory), user="fairlead", dbname=name
        )
    with connection, suppress(psycopg.OperationalError):
        connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(host=str(postgres_cluster.socket_directory), user="fairlead", dbname=name)


def test_the_cluster_stops_and_leaves_nothing_though_its_user_fails() -> None:
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's binaries are not installed")
    block = ExitStack()
    directory = block.enter_context(running_cluster(binaries)).socket_directory
    pid = (directory / "data" / "postmaster.pid").read_text().splitlines()[0]
    with pytest.raises(ZeroDivisionError), block:
        _ = 1 / 0
    assert not directory.exists()
    assert not Path("/proc", pid).exists()


def test_a_cluster_that_cannot_start_says_what_it_was_told() -> None:
    # Not in tmp_path: whoever runs PostgreSQL in root's stead cannot read it there.
    with TemporaryDirectory() as directory:
        initdb = Path(directory, "initdb")
        initdb.write_text("#!/bin/sh\necho no room for a cluster >&2\nexit 1\n")
        for path in (initdb, initdb.parent):
            path.chmod(0o755)
        with pytest.raises(ClusterError, match="no room for a cluster"), running_cluster(initdb.parent):
            pass
