"""`fairlead control`: the control side as a process of its own."""

import click

from fairlead.main.logs import configure
from fairlead.main.serving import ControlProcess, serving_from
from fairlead.main.settings import setting


@click.command()
@setting("listen")
@setting("database")
@setting("state")
@setting("order")
def control(listen: str, database: str | None, state: str | None, order: str) -> None:
    """Run control: the APIs, placement, and what agents ask for."""
    configure()
    serving = serving_from(listen, state, database, order)
    ControlProcess(serving).run(lambda: click.echo(f"ready {serving.url}"))
