"""Ansible's openstack.cloud behind each login: what a play makes is there, and a second run has nothing to change."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.clients.fleets import LOGINS, surroundings

VENV = Path(__file__).parents[2] / ".venv-ansible"
PLAYS = Path(__file__).with_name("plays")
PATIENCE_SECONDS = 300

pytestmark = pytest.mark.skipif(not VENV.exists(), reason="`make test` builds .venv-ansible; it is not there")


@pytest.fixture
def play(fleets, tmp_path, request):
    """Runs a play against the fleet; how many tasks were ok, and how many of these changed something."""
    (tmp_path / "disk.raw").write_bytes(bytes(range(256)) * 256)
    fleet = fleets.behind(request.param).fleet
    env = surroundings(
        OS_CLIENT_CONFIG_FILE=str(fleet.clouds),
        HOME=str(tmp_path),
        ANSIBLE_HOME=str(tmp_path / "ansible"),
        ANSIBLE_PYTHON_INTERPRETER=str(VENV / "bin/python"),
        ANSIBLE_LOCALHOST_WARNING="0",
        ANSIBLE_INVENTORY_UNPARSED_WARNING="0",
        ANSIBLE_PIPELINING="1",
        ANSIBLE_NOCOLOR="1",
    )

    def run(name):
        done = subprocess.run(
            [str(VENV / "bin/ansible-playbook"), "-e", f"disk={tmp_path / 'disk.raw'}", str(PLAYS / name)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=env,
            timeout=PATIENCE_SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        recap = re.search(r"ok=(\d+) +changed=(\d+)", done.stdout)
        return int(recap[1]), int(recap[2])

    return fleet, run


@pytest.mark.parametrize("play", LOGINS, indirect=True)
def test_a_play_that_is_run_again_changes_nothing(play):
    fleet, run = play

    ok, changed = run("there.yaml")
    assert changed > 0
    assert run("there.yaml") == (ok, 0)
    run("gone.yaml")

    assert fleet.leftovers() == {}
    assert fleet.violations() == []
