"""Fixtures of the conversations: a site on each database that this machine can run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.site import Site, open_site


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A site of its own for the test."""
    with open_site(database_url, tmp_path) as opened:
        yield opened
