"""What people have, behind `keystone`: the conversations, scripts and plays of tests/clients, and conversations of the
folder beside.
"""

from pathlib import Path

import pytest

from tests.clients.conversation import conversations
from tests.clients.judge import hold
from tests.clients.programs import SCRIPTS, play_twice, run_script

ELSEWHERE = {
    "people.txt": "users, projects and roles are Keystone's: nothing of them is asked of Fairlead",
    "own-login.txt": "as people.txt",
    "no-credentials.txt": "it shows how Fairlead's own identity API refuses them; Keystone has them",
    "tokens.txt": "it shows the catalog and roles of Fairlead's own identity API; catalog.txt shows Keystone's",
    "programs_own_login.py": "it expects a credential to be gone at once, not in a minute: see test_tokens.py",
}
"""Conversations and scripts that say nothing here, and why."""

OWN = conversations(Path(__file__).with_name("conversations"))
HELD = [each for each in conversations() if f"{each.name}.txt" not in ELSEWHERE]
RUN = [path for path in SCRIPTS if path.name not in ELSEWHERE]


@pytest.mark.parametrize("conversation", HELD + OWN, ids=lambda each: each.name)
def test_the_client_is_answered_as_the_conversation_says(sites, tmp_path, conversation):
    site = sites.site()
    try:
        hold(conversation, site.openstack, site.fleet, tmp_path)
    except BaseException:
        sites.end()
        raise


@pytest.mark.parametrize("script", RUN, ids=lambda path: path.stem)
def test_the_script_ends_well_and_leaves_nothing_behind(sites, tmp_path, script):
    try:
        run_script(script, sites.site().fleet, tmp_path)
    except BaseException:
        sites.end()
        raise


def test_a_play_that_is_run_again_changes_nothing(sites, tmp_path):
    play_twice(sites.site().fleet, tmp_path)


def test_what_is_left_out_is_there():
    there = {f"{each.name}.txt" for each in conversations()} | {path.name for path in SCRIPTS}
    assert set(ELSEWHERE) <= there
