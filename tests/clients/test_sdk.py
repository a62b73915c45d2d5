"""openstacksdk as programs use it: the scripts of the folder beside, behind each login."""

import subprocess
from pathlib import Path

import pytest

from tests.clients.fleets import LOGINS, surroundings
from tests.clients.openstack_client import PYTHON

SCRIPTS = sorted(Path(__file__).with_name("sdk").glob("*.py"))
KEPT_USERS = {"programs_own_login": ["builtin"]}
CASES = [(script, login) for script in SCRIPTS for login in KEPT_USERS.get(script.stem, LOGINS)]
PATIENCE_SECONDS = 180


@pytest.mark.parametrize(("script", "login"), CASES, ids=[f"{path.stem}-{login}" for path, login in CASES])
def test_the_script_ends_well_and_leaves_nothing_behind(fleets, tmp_path, script, login):
    opened = fleets.behind(login)
    env = surroundings(OS_CLIENT_CONFIG_FILE=str(opened.fleet.clouds), HOME=str(tmp_path))
    try:
        done = subprocess.run(
            [str(PYTHON), "-P", str(script)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=env,
            timeout=PATIENCE_SECONDS,
        )
        assert done.returncode == 0, done.stderr
        assert opened.fleet.leftovers() == {}
        assert opened.fleet.violations() == []
    except BaseException:
        fleets.end(login)
        raise
