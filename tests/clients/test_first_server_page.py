"""docs/howto/first-server-with-openstack.md as a newcomer follows it: its commands, and what they are said to show."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.fleets import surroundings
from tests.clients.openstack_client import VENV

PAGE = Path(__file__).parents[2] / "docs/howto/first-server-with-openstack.md"
PATIENCE_SECONDS = 180
MARK = "-- the next block --"

pytestmark = pytest.mark.skipif(
    not VENV.exists(), reason="`make test` builds .venv-openstack; it is not there"
)


def blocks():
    """The fenced blocks of the page in order: (what it is, its text)."""
    return re.findall(r"(?ms)^```(sh|text)\n(.*?)^```$", PAGE.read_text())


def shown(line, output):
    """Whether some line of the output has the parts of that line, which `...` divides, one after the other."""
    parts = [re.escape(part.strip()) for part in line.split("...")]
    return re.search(".*".join(parts), output) is not None


@pytest.fixture
def newcomer(tmp_path):
    """The environment of both terminals: the programs in PATH, and a port and a directory that nobody else has."""
    programs = os.pathsep.join([str(Path(sys.executable).parent), str(VENV / "bin"), os.environ["PATH"]])
    return surroundings(
        PATH=programs,
        HOME=str(tmp_path),
        FAIRLEAD_STATE=str(tmp_path / "state"),
        FAIRLEAD_LISTEN="127.0.0.1:0",
    )


@pytest.fixture
def second_terminal(tmp_path, newcomer):
    """The environment of the second terminal, while the first runs what the page begins with."""
    kind, first = blocks()[0]
    assert kind == "sh"
    process = subprocess.Popen(
        first.split(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=newcomer,
        cwd=tmp_path,
        text=True,
    )
    try:
        ready = re.match(r"ready (http\S+)", process.stdout.readline())
        assert ready, f"{first} did not say that it is ready"
        yield newcomer | {"FAIRLEAD_URL": ready[1]}
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_SECONDS)
        process.stdout.close()


def test_the_page_leads_to_a_server_and_back(tmp_path, second_terminal):
    rest = blocks()[1:]
    script = f"echo {MARK}\n".join(text for kind, text in rest if kind == "sh")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env=second_terminal,
        cwd=tmp_path,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr

    outputs = iter(done.stdout.split(MARK))
    said = ""
    for kind, text in rest:
        if kind == "sh":
            said = next(outputs)
            continue
        for line in text.splitlines():
            assert shown(line, said), f"{line}\nis not in\n{said}"
