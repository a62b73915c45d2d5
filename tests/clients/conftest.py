"""Fleets for the clients to speak with, one behind each login, started when a test first asks for it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from tests.clients.fleets import Fleet, running
from tests.clients.openstack_client import VENV, OpenStack, client

OpenFleet = Callable[[str], "Opened"]


@dataclass
class Opened:
    """A fleet with the client that speaks with it."""

    fleet: Fleet
    openstack: OpenStack
    closing: ExitStack


@dataclass
class Fleets:
    """The fleets of this process, by login."""

    directories: pytest.TempPathFactory
    opened: dict[str, Opened] = field(default_factory=dict)

    def behind(self, login: str) -> Opened:
        """The running fleet behind that login."""
        if login not in self.opened:
            closing = ExitStack()
            fleet = closing.enter_context(running(login, self.directories.mktemp(login)))
            openstack = closing.enter_context(client(fleet.clouds))
            self.opened[login] = Opened(fleet, openstack, closing)
        return self.opened[login]

    def end(self, login: str) -> None:
        """End that fleet: the next test gets another one."""
        self.opened.pop(login).closing.close()


@pytest.fixture(scope="session")
def fleets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleets]:
    """Where fleets are had from."""
    if not VENV.exists():
        pytest.skip("`make test` builds .venv-openstack; it is not there")
    found = Fleets(tmp_path_factory)
    yield found
    for login in list(found.opened):
        found.end(login)
