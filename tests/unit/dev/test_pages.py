"""The pages of reference say what the program has: every command, and every setting with its default."""

import tomllib
from collections import defaultdict
from pathlib import Path

import click
import pytest

from dev import driver_page
from dev.command_page import page
from fairlead.main.entry import program

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
SETTINGS = (REFERENCE / "settings.md").read_text()
PROCESSES = ("up", "control", "agent")


def settings() -> dict[str, list[tuple[str, click.Option]]]:
    """By name: the processes that have it, each with its option."""
    found: defaultdict[str, list[tuple[str, click.Option]]] = defaultdict(list)
    for process in PROCESSES:
        command = program.get_command(click.Context(program), process)
        assert command is not None
        for option in command.params:
            if isinstance(option, click.Option) and option.envvar and option.name:
                found[option.name].append((process, option))
    return found


def rows() -> dict[str, list[str]]:
    """The first table's cells, by the key of the setting."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in SETTINGS.splitlines()]
    return {row[2].strip("`"): row for row in cells if len(row) == 6 and row[2].startswith("`")}


def test_the_page_of_commands_is_what_the_commands_say() -> None:
    written = (REFERENCE / "cli.md").read_text()

    assert written == page(), "run: python -m dev.command_page > docs/reference/cli.md"


def test_the_page_of_drivers_is_the_table_that_the_code_goes_by() -> None:
    written = (REFERENCE / "drivers.md").read_text()

    assert written == driver_page.page(), "run: python -m dev.driver_page > docs/reference/drivers.md"


def test_the_page_has_every_setting_and_no_other() -> None:
    assert set(rows()) == set(settings())


@pytest.mark.parametrize("name", list(settings()))
def test_a_setting_is_as_its_row_says(name: str) -> None:
    has = settings()[name]
    option = has[0][1]

    flag, environment, _, default, processes, meaning = rows()[name]

    assert (flag, environment) == (f"`{option.opts[0]}`", f"`{option.envvar}`")
    assert processes == ", ".join(process for process, _ in has)
    assert meaning
    if option.default is not None:
        assert default == f"`{option.default}`"


def test_the_example_has_known_keys_alone() -> None:
    example = SETTINGS.split("```toml\n")[1].split("```")[0]

    assert set(tomllib.loads(example)) <= set(settings())
