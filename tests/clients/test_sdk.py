"""openstacksdk as programs use it: the scripts of the folder beside, behind each login."""

import pytest

from tests.clients.fleets import LOGINS
from tests.clients.programs import SCRIPTS, run_script

KEPT_USERS = {"programs_own_login": ["builtin"]}
CASES = [(script, login) for script in SCRIPTS for login in KEPT_USERS.get(script.stem, LOGINS)]


@pytest.mark.parametrize(("script", "login"), CASES, ids=[f"{path.stem}-{login}" for path, login in CASES])
def test_the_script_ends_well_and_leaves_nothing_behind(fleets, tmp_path, script, login):
    opened = fleets.behind(login)
    try:
        run_script(script, opened.fleet, tmp_path)
    except BaseException:
        fleets.end(login)
        raise
