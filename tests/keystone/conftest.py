"""One Keystone with one fleet for the tests of a process, started when a test first asks for it."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from tests.keystone.fleet import Site, running
from tests.keystone.server import VENV


@dataclass
class Sites:
    """The site of this process."""

    directories: pytest.TempPathFactory
    opened: list[tuple[Site, ExitStack]] = field(default_factory=list)

    def site(self) -> Site:
        """The running one."""
        if not self.opened:
            with ExitStack() as closing:
                site = closing.enter_context(running(self.directories.mktemp("site")))
                self.opened.append((site, closing.pop_all()))
        return self.opened[0][0]

    def end(self) -> None:
        """End it: the next test gets another one."""
        while self.opened:
            self.opened.pop()[1].close()


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    """Where sites are had from."""
    if not VENV.exists():
        pytest.skip("`make test-keystone` builds .venv-keystone; it is not there")
    found = Sites(tmp_path_factory)
    yield found
    found.end()
