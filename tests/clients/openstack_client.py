"""The real `openstack` client, started once for many commands."""

import json
import selectors
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.clients.fleets import surroundings

VENV = Path(__file__).parents[2] / ".venv-openstack"
PYTHON = VENV / "bin/python"
_SERVER = Path(__file__).with_name("openstack_server.py")
_PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """What a process of the client would have given."""

    status: int
    out: str
    err: str


class OpenStack:
    """Runs commands as the clouds of a clouds.yaml, one at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout
        self._ready = selectors.DefaultSelector()
        self._ready.register(self._stdout, selectors.EVENT_READ)

    def run(self, cloud: str, words: Sequence[str]) -> Answer:
        """`openstack --os-cloud CLOUD WORDS...`"""
        self._stdin.write(json.dumps(["--os-cloud", cloud, *words]) + "\n")
        self._stdin.flush()
        assert self._ready.select(_PATIENCE_SECONDS), f"the client is silent: {' '.join(words)}"
        return Answer(**json.loads(self._stdout.readline()))

    def close(self) -> None:
        """End it."""
        self._ready.close()


@contextmanager
def client(clouds: Path) -> Iterator[OpenStack]:
    """A client with that clouds.yaml and nothing of this machine's; it ends with the block."""
    process = subprocess.Popen(
        [str(PYTHON), "-P", str(_SERVER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=surroundings(OS_CLIENT_CONFIG_FILE=str(clouds), HOME=str(clouds.parent)),
        cwd=clouds.parent,
        text=True,
    )
    opened = OpenStack(process)
    try:
        yield opened
    finally:
        opened.close()
        process.kill()
        process.communicate()
