"""Ansible's openstack.cloud behind each login: what a play makes is there, and a second run has nothing to change."""

import pytest

from tests.clients.fleets import LOGINS
from tests.clients.programs import ANSIBLE, play_twice

pytestmark = pytest.mark.skipif(
    not ANSIBLE.exists(), reason="`make test` builds .venv-ansible; it is not there"
)


@pytest.mark.parametrize("login", LOGINS)
def test_a_play_that_is_run_again_changes_nothing(fleets, tmp_path, login):
    play_twice(fleets.behind(login).fleet, tmp_path)
