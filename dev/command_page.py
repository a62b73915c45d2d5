"""Writes the page of all commands: `python -m dev.command_page > docs/reference/cli.md`.

The page is what the commands say of themselves, so it is made and never edited; a test compares the two.
"""

from collections.abc import Iterator

import click

from fairlead.main.entry import program

_HEAD = """\
# Commands

`fairlead COMMAND --help` lists a command's options. Before the command stand `--url` (where control is, or
`FAIRLEAD_URL`), `--json` (JSON in place of tables) and `--config` (see [settings.md](settings.md)).

Made by `python -m dev.command_page`; do not edit.

| command | what it does |
| --- | --- |
"""
_LONGEST = 1000


def page() -> str:
    """The whole page, in Markdown."""
    return _HEAD + "".join(f"| `{usage}` | {says} |\n" for usage, says in _lines(program, "fairlead", None))


def _lines(command: click.Command, name: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    """Usage and first sentence of each command that does something, in the order of `--help`."""
    context = click.Context(command, info_name=name, parent=parent)
    if isinstance(command, click.Group):
        for word in command.list_commands(context):
            found = command.get_command(context, word)
            if found is not None:
                yield from _lines(found, word, context)
        return
    words = [piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]"]
    usage = " ".join([context.command_path, *words])
    yield usage.replace("|", "\\|"), command.get_short_help_str(_LONGEST)


if __name__ == "__main__":
    click.echo(page(), nl=False)
