"""The `openstack` client that people have, in the conversations of the folder beside, behind each login."""

import pytest

from tests.clients.conversation import SCRIPTS, conversations
from tests.clients.fleets import LOGINS
from tests.clients.judge import hold

CASES = [(conversation, login) for conversation in conversations() for login in conversation.logins]
LINES = (SCRIPTS / "commands").read_text().splitlines()
COMMANDS = [line.split() for line in LINES if not line.startswith("#")]
PLAIN = [[word for word in command if not word.startswith("-")] for command in COMMANDS]


@pytest.mark.parametrize(
    ("conversation", "login"), CASES, ids=[f"{case.name}-{login}" for case, login in CASES]
)
def test_the_client_is_answered_as_the_conversation_says(fleets, tmp_path, conversation, login):
    opened = fleets.behind(login)
    try:
        hold(conversation, opened.openstack, opened.fleet, tmp_path)
    except BaseException:
        fleets.end(login)
        raise


def is_of(words, command):
    """Whether the words are that command, with all the options of its line. Options of the client itself go before."""
    head = [word for word in command if not word.startswith("-")]
    starts = range(len(words) - len(head) + 1)
    return any(list(words[at : at + len(head)]) == head for at in starts) and set(command) <= set(words)


def given(login):
    """The client's commands in the conversations behind that login."""
    return [
        exchange.words
        for conversation in conversations()
        if login in conversation.logins
        for exchange in conversation.exchanges
        if exchange.program == "openstack"
    ]


@pytest.mark.parametrize("login", LOGINS)
def test_every_command_of_the_list_is_given_behind_every_login(login):
    found = given(login)
    assert [command for command in COMMANDS if not any(is_of(words, command) for words in found)] == []


@pytest.mark.parametrize("login", LOGINS)
def test_the_list_has_every_command_that_is_given(login):
    assert [words for words in given(login) if not any(is_of(words, command) for command in PLAIN)] == []
