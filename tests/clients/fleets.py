"""`fairlead up` as a person starts it, in a process of its own, behind one of the logins; and the clouds.yaml that the
standard clients read, written as the pages of documentation say.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.people import HASHED, PASSWORD

LOGINS = ("none", "http_basic", "builtin")
PEOPLE = {"anna": "member", "rita": "reader"}
"""Users of the project EAST beside the operator, where there are users, and what each is there."""
EAST = "east"
OPERATOR, WITH_TOKEN = "fairlead", "token"
"""Clouds of clouds.yaml that are there under every login: the operator, and the operator with a token."""

_ROOT = Path(__file__).parents[2]
_LOGINS_PAGE = _ROOT / "docs/howto/logins.md"
_STOP_SECONDS = 60
_HOSTS = "3"


@dataclass(frozen=True, slots=True)
class Fleet:
    """Control and three simulated hosts, running."""

    login: str
    url: str
    clouds: Path
    """A clouds.yaml with OPERATOR, WITH_TOKEN, and the people where the login has any."""
    operator: httpx.Client
    login_of_commands: Mapping[str, str]
    """The environment in which the commands of `fairlead` are the operator's."""

    def leftovers(self) -> dict[str, list[str]]:
        """What of the clients' making is there, by kind: names."""
        kinds = {
            "/compute/v2.1/servers": "servers",
            "/network/v2.0/ports": "ports",
            "/network/v2.0/networks": "networks",
            "/network/v2.0/qos/policies": "policies",
            "/network/v2.0/port-profiles": "port_profiles",
            "/image/v2/images": "images",
        }
        found = {
            kind: self.operator.get(path).raise_for_status().json()[kind] for path, kind in kinds.items()
        }
        return {kind: [str(row["name"]) for row in rows] for kind, rows in found.items() if rows}

    def violations(self) -> list[Any]:
        """What the audit says is wrong."""
        found: list[Any] = self.operator.get("/v1/audit").raise_for_status().json()["violations"]
        return found

    def fairlead(self, words: Sequence[str], who: str = OPERATOR) -> subprocess.CompletedProcess[str]:
        """A command of Fairlead's own, as the operator or one of PEOPLE."""
        own = {"FAIRLEAD_USER": who, "FAIRLEAD_PASSWORD": PASSWORD, "FAIRLEAD_PROJECT": EAST}
        return _fairlead(self.url, words, **(self.login_of_commands if who == OPERATOR else own))


def surroundings(**more: str) -> dict[str, str]:
    """The environment of a client: this one's without its proxies and clouds, and `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {name: value for name, value in kept.items() if not name.startswith(("OS_", "FAIRLEAD_"))} | more


@contextmanager
def running(login: str, directory: Path) -> Iterator[Fleet]:
    """A fleet behind that login, with its state below the directory; it ends with the block."""
    people = directory / "people"
    lines = [f"boss:{HASHED}", *(f"{name}:{HASHED}:{EAST}:{role}" for name, role in PEOPLE.items())]
    people.write_text("\n".join(lines) + "\n")
    how = ["--login", login, *(["--password-file", str(people)] if login == "http_basic" else [])]
    with ExitStack() as closing:
        url = closing.enter_context(up(how, directory))
        clouds, operator, env = _MAKERS[login](url, directory)
        closing.enter_context(operator)
        path = directory / "clouds.yaml"
        # JSON's documents are YAML's.
        path.write_text(
            clouds + "".join(f"  {name}: {json.dumps(entry)}\n" for name, entry in _others(login, url))
        )
        yield Fleet(login, url, path, operator, env)


@contextmanager
def up(how: list[str], directory: Path, **env: str) -> Iterator[str]:
    """The URL of a running `fairlead up --sim`, with its state below the directory; it ends with the block."""
    where = ["--listen", "127.0.0.1:0", "--state", str(directory / "state")]
    process = subprocess.Popen(
        [sys.executable, "-m", "fairlead", "up", "--sim", _HOSTS, *where, *how],
        stdout=subprocess.PIPE,
        env=surroundings(**env),
        text=True,
    )
    assert process.stdout is not None
    try:
        ready = re.match(r"ready (http\S+)", process.stdout.readline())
        assert ready, "fairlead up did not say that it is ready"
        yield ready[1]
    finally:
        process.terminate()
        process.wait(timeout=_STOP_SECONDS)
        process.stdout.close()


_Made = tuple[str, httpx.Client, Mapping[str, str]]
"""The operator's cloud as text, a client of theirs, and the environment of their commands."""


def http(url: str, **more: Any) -> httpx.Client:
    """A client of that URL."""
    return httpx.Client(base_url=url, timeout=30, trust_env=False, **more)


def _none(url: str, directory: Path) -> _Made:
    """The page's own example, which gets no token; and what `fairlead clouds` writes, which does."""
    example = _example("auth_type: none", {"http://127.0.0.1:9696": url})
    return example + _named(_clouds(url, []), WITH_TOKEN), http(url), {}


def _http_basic(url: str, directory: Path) -> _Made:
    """The page's own example, with this fleet's names."""
    named = {
        "https://control:9696": url,
        "username: anna": "username: boss",
        "password: ...": f"password: {PASSWORD}",
    }
    env = {"FAIRLEAD_USER": "boss", "FAIRLEAD_PASSWORD": PASSWORD}
    return _example("auth_type: http_basic", named), http(url, auth=("boss", PASSWORD)), env


def _example(word: str, named: Mapping[str, str]) -> str:
    """The clouds.yaml with that word on the page about logins, with other names."""
    blocks = re.findall(r"(?m)^    clouds:\n(?:^ {4}.*\n)+", _LOGINS_PAGE.read_text())
    [example] = [block for block in blocks if word in block]
    for old, new in named.items():
        assert old in example
        example = example.replace(old, new)
    return "".join(f"{line.removeprefix('    ')}\n" for line in example.splitlines())


def _builtin(url: str, directory: Path) -> _Made:
    """The first admin's, and the people made by the commands that the page names."""
    admin = directory / "state/admin-credentials"
    found = dict(re.findall(r'(?m)^(\w+) = "(.*)"$', admin.read_text()))
    env = {"FAIRLEAD_CREDENTIALS": str(admin)}
    _said(_fairlead(url, ["project", "create", EAST], **env))
    for name, role in PEOPLE.items():
        words = ["user", "create", name, "--project", EAST, "--role", role, "--password", PASSWORD]
        _said(_fairlead(url, words, **env))
    who = {"name": found["user"], "password": found["password"], "domain": {"id": "default"}}
    auth = {"identity": {"methods": ["password"], "password": {"user": who}}}
    answer = httpx.post(f"{url}/identity/v3/auth/tokens", json={"auth": auth}, trust_env=False)
    token = answer.raise_for_status().headers["x-subject-token"]
    words = ["--user", found["user"], "--project", found["project"]]
    text = _clouds(url, words, found["password"])
    return text + _named(text, WITH_TOKEN), http(url, headers={"x-auth-token": token}), env


_MAKERS = {"none": _none, "http_basic": _http_basic, "builtin": _builtin}


def _others(login: str, url: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The clouds beside the operator's: with a token, and the people."""
    found = [(WITH_TOKEN, _by_password(url, "boss", "operator"))] if login == "http_basic" else []
    if login != "none":
        found += [(name, _by_password(url, name, EAST)) for name in PEOPLE]
    return found


def _by_password(url: str, name: str, project: str) -> dict[str, Any]:
    domains = {"user_domain_id": "default", "project_domain_id": "default"}
    who = {"username": name, "password": PASSWORD, "project_name": project}
    auth = {"auth_url": f"{url}/identity/v3", **who, **domains}
    return {"auth_type": "password", "identity_api_version": 3, "auth": auth}


def _named(text: str, name: str) -> str:
    """The one cloud of that clouds.yaml once more, under that name."""
    return text.removeprefix("clouds:\n").replace(f"  {OPERATOR}:\n", f"  {name}:\n", 1)


def _clouds(url: str, words: list[str], password: str = "") -> str:
    return _said(_fairlead(url, ["clouds", "--output", "-", *words], f"{password}\n"))


def _said(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout


def _fairlead(
    url: str, words: Sequence[str], typed: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fairlead", "--url", url, *words],
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        env=surroundings(**env),
        timeout=_STOP_SECONDS,
    )
