"""Every command that a hint, an error or a page names is there, with the options that it names."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from fairlead.main.entry import program

PROJECT = Path(__file__).parents[3]
_COMMAND = re.compile(r"""[`"']fairlead (?P<words>[a-z][^`"'\n]*)[`"']""")
_SEVERAL = re.compile(r"\||\.\.\.")


def _named() -> Iterator[str]:
    pages = [PROJECT / "README.md", PROJECT / "CHANGELOG.md", *(PROJECT / "docs").rglob("*.md")]
    for path in [*pages, *(PROJECT / "fairlead").rglob("*.py")]:
        for found in _COMMAND.finditer(path.read_text()):
            if not _SEVERAL.search(found["words"]):
                yield found["words"]


NAMED = sorted(set(_named()))


def test_there_are_such_hints():
    assert len(NAMED) > 15


@pytest.mark.parametrize("words", NAMED)
def test_a_named_command_is_there(words):
    command, context = program, click.Context(program)
    rest = words.split()
    while rest and isinstance(command, click.Group):
        word = rest.pop(0)
        if "{" in word:
            return  # an f-string chooses it
        found = command.get_command(context, word)
        assert found is not None, f"fairlead {words}: there is no command {word!r}"
        command = found
    known = {option for parameter in command.get_params(context) for option in parameter.opts}
    known |= {option for parameter in command.get_params(context) for option in parameter.secondary_opts}
    named = {word.rstrip(",.:;") for word in rest if word.startswith("--")}
    assert named <= known | {"--help"}, f"fairlead {words}"
