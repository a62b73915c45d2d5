"""A fleet behind `keystone`, as the page docs/howto/logins.md says: its commands, given by the real client."""

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.clients.fleets import EAST, OPERATOR, PEOPLE, WITH_TOKEN, Fleet, http, up
from tests.clients.openstack_client import OpenStack, client
from tests.keystone.directory import Directory, scoped
from tests.keystone.server import ADMIN, ADMIN_PROJECT, REGION, Home, Served, keystone
from tests.people import PASSWORD

PAGE = Path(__file__).parents[2] / "docs/howto/logins.md"
SERVICE_PASSWORD = "the service's own"


@dataclass(frozen=True, slots=True)
class Site:
    """A Keystone, and a fleet that asks it."""

    home: Home
    served: Served
    directory: Directory
    fleet: Fleet
    openstack: OpenStack


def commands() -> list[list[str]]:
    """The words of each command on the page, in its order."""
    section = PAGE.read_text().split("\n## keystone")[1].split("\n## ")[0]
    return [shlex.split(line) for line in re.findall(r"(?m)^    (.*)$", section)]


@contextmanager
def running(directory: Path) -> Iterator[Site]:
    """What the page leads to; it ends with the block."""
    with ExitStack() as closing:
        home, served = closing.enter_context(keystone(_made(directory / "keystone")))
        clouds = directory / "clouds.yaml"
        clouds.write_text(_clouds(served.url))
        openstack = closing.enter_context(client(clouds))
        people = closing.enter_context(Directory.of(served.url))
        page = commands()
        start = next(words for words in page if "control" in words)
        before, after = page[: page.index(start)], page[page.index(start) + 1 :]
        _give(openstack, before, {"...": SERVICE_PASSWORD})
        url = closing.enter_context(_started(start, served.url, directory))
        _give(openstack, after, {"https://control:9696": url})
        for name, role in PEOPLE.items():
            people.user(name, {EAST: [role]})
        token = people.token(scoped(ADMIN, ADMIN_PROJECT))
        operator = closing.enter_context(http(url, headers={"x-auth-token": token}))
        fleet = Fleet("keystone", url, clouds, operator, {"FAIRLEAD_USER_TOKEN": token})
        yield Site(home, served, people, fleet, openstack)


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


def _started(words: list[str], url: str, directory: Path) -> AbstractContextManager[str]:
    """The page's `fairlead control`, as `up` with simulated hosts."""
    env = dict(word.split("=", 1) for word in words if word.startswith("FAIRLEAD_"))
    options = words[words.index("control") + 1 :]
    how = [word.replace("http://keystone:5000/v3", url) for word in options]
    assert how != options
    return up(how, directory, **{name: value.replace("...", SERVICE_PASSWORD) for name, value in env.items()})


def _give(openstack: OpenStack, lines: list[list[str]], named: dict[str, str]) -> None:
    """Give the commands, with this site's names in the place of the page's."""
    for line in lines:
        words = line
        for old, new in named.items():
            words = [word.replace(old, new) for word in words]
        assert words[0] == "openstack", line
        answer = openstack.run(OPERATOR, words[1:])
        assert answer.status == 0, answer.err


def _clouds(url: str) -> str:
    """A clouds.yaml as people of a Keystone have it. JSON's documents are YAML's."""
    people = {OPERATOR: (ADMIN, ADMIN_PROJECT), WITH_TOKEN: (ADMIN, ADMIN_PROJECT)}
    people |= {name: (name, EAST) for name in PEOPLE}
    domains = {"user_domain_name": "Default", "project_domain_name": "Default"}
    entries = {
        cloud: {
            "auth": {
                "auth_url": url,
                "username": name,
                "password": PASSWORD,
                "project_name": project,
                **domains,
            },
            "region_name": REGION,
            "identity_api_version": 3,
        }
        for cloud, (name, project) in people.items()
    }
    return json.dumps({"clouds": entries})
