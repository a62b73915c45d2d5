"""What every command of one invocation shares: where control is, and how to print."""

from dataclasses import dataclass

import click

from fairlead.client.session import Session


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of the program."""

    session: Session
    wants_json: bool


pass_invocation = click.make_pass_decorator(Invocation)
