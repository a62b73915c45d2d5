"""Fixtures of the whole suite: a database URL of each dialect that this machine can run."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.postgres import Cluster, find_binaries, running_cluster

POSTGRES_BINARIES = find_binaries()
# What decides whether a change lands is the same for every run; people's own runs look for new examples. How long one
# takes is the machine's affair, and the benchmarks'.
hypothesis.settings.register_profile("landing", derandomize=True, deadline=None)
hypothesis.settings.register_profile("looking", deadline=None)
hypothesis.settings.load_profile("landing" if os.environ.get("CI") else "looking")

# What a shell starts with `&` ignores Ctrl-C, and so does all that it starts in turn; some of that is interrupted here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

DIALECTS = ["sqlite", "postgresql"] if POSTGRES_BINARIES else ["sqlite"]


def pytest_xdist_auto_num_workers() -> int | None:
    """What `-n auto` is: one more than CPUs, for real clients' and protocols' timers leave them idle."""
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None  # whoever sets it is asked by pytest-xdist itself
    return len(os.sched_getaffinity(0)) + 1


def pytest_report_header() -> str:
    if POSTGRES_BINARIES:
        return f"databases: SQLite, and PostgreSQL from {POSTGRES_BINARIES}"
    return "databases: SQLite alone; PostgreSQL's binaries are not here (apt-get install postgresql)"


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """One private PostgreSQL for the session; skips what needs it where its binaries are missing."""
    if POSTGRES_BINARIES is None:
        pytest.skip("PostgreSQL's binaries are not installed: apt-get install postgresql")
    with running_cluster(POSTGRES_BINARIES) as cluster:
        yield cluster


@pytest.fixture(params=DIALECTS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database that this test alone uses, once for each dialect."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'fairlead.sqlite'}"
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    with cluster.fresh_database() as url:
        yield url
