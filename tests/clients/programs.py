"""Programs of people, run against a fleet: scripts of openstacksdk, and plays of Ansible's openstack.cloud."""

import re
import subprocess
from pathlib import Path

from tests.clients.fleets import Fleet, surroundings
from tests.clients.judge import write_disk
from tests.clients.openstack_client import PYTHON

SCRIPTS = sorted(Path(__file__).with_name("sdk").glob("*.py"))
ANSIBLE = Path(__file__).parents[2] / ".venv-ansible"
_PLAYS = Path(__file__).with_name("plays")
_SCRIPT_SECONDS = 180
_PLAY_SECONDS = 300


def run_script(script: Path, fleet: Fleet, directory: Path) -> None:
    """Run it to its end, in that directory, and see that it left nothing behind."""
    done = subprocess.run(
        [str(PYTHON), "-P", str(script)],
        capture_output=True,
        text=True,
        check=False,
        cwd=directory,
        env=surroundings(OS_CLIENT_CONFIG_FILE=str(fleet.clouds), HOME=str(directory)),
        timeout=_SCRIPT_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert fleet.leftovers() == {}
    assert fleet.violations() == []


def play(name: str, fleet: Fleet, directory: Path) -> tuple[int, int]:
    """Run a play; how many tasks were ok, and how many of these changed something."""
    disk = write_disk(directory)
    done = subprocess.run(
        [str(ANSIBLE / "bin/ansible-playbook"), "-e", f"disk={disk}", str(_PLAYS / name)],
        capture_output=True,
        text=True,
        check=False,
        cwd=directory,
        env=surroundings(
            OS_CLIENT_CONFIG_FILE=str(fleet.clouds),
            HOME=str(directory),
            ANSIBLE_HOME=str(directory / "ansible"),
            ANSIBLE_PYTHON_INTERPRETER=str(ANSIBLE / "bin/python"),
            ANSIBLE_LOCALHOST_WARNING="0",
            ANSIBLE_INVENTORY_UNPARSED_WARNING="0",
            ANSIBLE_PIPELINING="1",
            ANSIBLE_NOCOLOR="1",
        ),
        timeout=_PLAY_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    recap = re.search(r"ok=(\d+) +changed=(\d+)", done.stdout)
    assert recap, done.stdout
    return int(recap[1]), int(recap[2])


def play_twice(fleet: Fleet, directory: Path) -> None:
    """Run the play that makes a server, see that a second run has nothing to change, and take it all away again."""
    ok, changed = play("there.yaml", fleet, directory)
    assert changed > 0
    assert play("there.yaml", fleet, directory) == (ok, 0)
    play("gone.yaml", fleet, directory)
    assert fleet.leftovers() == {}
    assert fleet.violations() == []
