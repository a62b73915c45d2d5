"""`fairlead rules`: who may do what, as control starts with it; and lines for password files."""

from pathlib import Path

import click

from fairlead.access.override import overridden
from fairlead.access.table import DEFAULTS, rule_text


@click.command()
@click.argument("words", nargs=-1)
@click.option(
    "--policy-file", type=click.Path(dir_okay=False, exists=True), help="With these rules in place."
)
def rules(words: tuple[str, ...], policy_file: str | None) -> None:
    """Print the rules whose names have all WORDS, in the form of a policy file."""
    found = DEFAULTS if policy_file is None else overridden(Path(policy_file).read_text())
    for action, rule in found.items():
        if all(word in action for word in words):
            click.echo(f'"{action}" = "{rule_text(rule)}"')
